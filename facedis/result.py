"""Result records, and the typed results that tasks return.

A record is what a command writes to result.json and prints with --json. Its keys are documented in docs/results.md.
"""

import json
import math
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from facedis.atomic_io import write_text
from facedis.errors import MissingPackage

if TYPE_CHECKING:
    from pandas import DataFrame

#: Raised when a key changes its meaning or goes away; new keys do not raise it.
FORMAT = 1
#: Metadata of a dataclass field that is not a key of the record.
NOT_RECORDED = {"recorded": False}
#: Metadata of a dataclass field that is a key of the record only where its value is not None.
RECORDED_IF_SET = {"recorded": "if set"}
_ESTIMATE = {"value", "low", "high", "chance", "n"}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured number with its 95 % interval, its chance level and its number of images."""

    value: float
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    n: int | None = None

    def __str__(self) -> str:
        interval = "" if self.low is None or self.high is None else f" [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.value:.3f}{interval}"


def command_line() -> str:
    """The command line of this process, without the folder of the program."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result:
    """What a task returns. The fields are the keys of the result record.

    Subclasses set `kind` and add fields; a field with the metadata `NOT_RECORDED` is not a key.

    Attributes:
        command: The command line.
        created: When, in UTC.
    """

    kind: ClassVar[str]

    command: str = field(default_factory=command_line)
    created: str = field(default_factory=now)

    def to_dict(self) -> dict[str, Any]:
        """The record, in types that JSON has; documented in docs/results.md."""
        return record(self.kind, **_recorded(self))

    def table_rows(self) -> Sequence[Mapping[str, Any]]:
        """The rows of `to_pandas`: one per estimate, unless a subclass has a table of its own."""
        return [{"metric": name} | estimate for name, estimate in estimates(self.to_dict())]

    def to_pandas(self) -> "DataFrame":
        """`table_rows` as a DataFrame; nested keys become columns joined by dots.

        Raises:
            MissingPackage: pandas is not installed.
        """
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise MissingPackage("to_pandas", "pandas") from error
        return DataFrame([dict(_columns(to_jsonable(row))) for row in self.table_rows()])

    def save(self, path: Path | str) -> None:
        """Write the record as JSON, whole or not at all.

        Raises:
            OutputError: The file cannot be written.
        """
        write_result(self.to_dict(), Path(path))

    def summary(self) -> Mapping[str, object]:
        """The most important values by name, for `repr`."""
        return {}

    def __repr__(self) -> str:
        shown = (f"{name}={value if isinstance(value, Estimate) else repr(value)}" for name, value in self._shown())
        return f"{type(self).__name__}({', '.join(shown)})"

    def _shown(self) -> Iterator[tuple[str, object]]:
        for name in ("model", "faces", "split", "n"):
            value = getattr(self, name, None)
            if isinstance(value, (str, int)):
                yield name, value
        yield from self.summary().items()


def record(kind: str, **keys: Any) -> dict[str, Any]:
    """A result record of `kind` with the keys common to all, in types that JSON has."""
    from facedis import __version__

    common = {"kind": kind, "format": FORMAT, "facedis": __version__, "created": now()}
    return to_jsonable(common | keys)


def to_jsonable(value: Any) -> Any:
    """`value` in types that JSON has: dataclasses to dicts, arrays to lists, NaN to None."""
    if is_dataclass(value) and not isinstance(value, type):
        return to_jsonable(_recorded(value))
    if isinstance(value, Mapping):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return to_jsonable(value.tolist())
    if isinstance(value, (list, tuple)):
        return [to_jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def estimates(result: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every estimate of a record with its keys joined by dots, as "task.accuracy"."""
    if isinstance(result, Mapping):
        if result.keys() >= _ESTIMATE:
            yield name, dict(result)
        else:
            for key, item in result.items():
                yield from estimates(item, f"{name}.{key}" if name else str(key))


def dumps(result: Mapping[str, Any]) -> str:
    """`result` as readable JSON text."""
    return json.dumps(to_jsonable(result), indent=2, ensure_ascii=False)


def write_result(result: Mapping[str, Any], path: Path) -> None:
    """Write `result` to `path` whole or not at all."""
    write_text(path, dumps(result) + "\n")


def _recorded(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that are keys of its record."""
    found = {each.name: getattr(value, each.name) for each in fields(value) if each.metadata != NOT_RECORDED}
    optional = {each.name for each in fields(value) if each.metadata == RECORDED_IF_SET}
    return {name: item for name, item in found.items() if item is not None or name not in optional}


def _columns(row: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The cells of one row: an estimate gives its value, its low and its high, any other mapping one per key."""
    if isinstance(row, Mapping) and name and row.keys() >= _ESTIMATE:
        yield from ((name, row["value"]), (f"{name}.low", row["low"]), (f"{name}.high", row["high"]))
    elif isinstance(row, Mapping):
        for key, item in row.items():
            yield from _columns(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, row
