"""Settings files: TOML with one table per stage, and a preset and a faces cache where wanted."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facedis.config.resolve import TABLES, Tables, merge_tables
from facedis.errors import ConfigError, InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class SettingsFile:
    """The content of a settings file.

    Attributes:
        preset: Name of the preset that the tables are laid over; None if the file names none.
        faces: Faces cache; None if the file names none.
        tables: Settings by table.
    """

    preset: str | None = None
    faces: Path | None = None
    tables: Tables = field(default_factory=dict)


def read_settings(path: Path | None) -> SettingsFile:
    """Read a settings file; an empty one where `path` is None. Keys are checked by `resolve`.

    Raises:
        InputError: The file is missing or is not TOML.
        ConfigError: It has an unknown table.
    """
    return SettingsFile() if path is None else parse_settings(read_toml(path), str(path))


def parse_settings(content: dict[str, Any], origin: str) -> SettingsFile:
    """Check the top level of a settings file that was read from `origin`.

    Raises:
        ConfigError: An unknown table or a key outside of any table.
    """
    words = {key: content.pop(key) for key in ("preset", "faces") if key in content}
    wrong = next((key for key, value in words.items() if not isinstance(value, str)), None)
    if wrong is not None:
        raise ConfigError(f"{origin}: '{wrong}' is not a text", f'write {wrong} = "..."')
    for name, table in content.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{origin}: '{name}' is a key outside of any table", "put it under [train] or [model]")
        if name not in TABLES:
            raise ConfigError(f"{origin} has an unknown table [{name}]", f"known: {', '.join(TABLES)}")
    faces = Path(words["faces"]) if "faces" in words else None
    return SettingsFile(words.get("preset"), faces, merge_tables(content))


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        InputError: The file is missing, too large, or not TOML.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "name a TOML settings file") from error
    if len(data) > _MAX_BYTES:
        raise InputError(f"{path} has {len(data):,} bytes", "name a TOML settings file")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        raise InputError(f"{path} is not TOML: {reason}", "see examples/paper.toml for the form") from error


def to_toml(tables: Tables, preset: str | None = None, faces: Path | None = None) -> str:
    """A settings file as text; `read_settings` gives the same tables back."""
    import tomli_w

    top = {key: str(value) for key, value in (("preset", preset), ("faces", faces)) if value is not None}
    return tomli_w.dumps({**top, **{name: dict(table) for name, table in tables.items()}})
