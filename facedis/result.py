"""The result record: what every measuring command writes to result.json and prints with --json."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from facedis.atomic_io import write_text

#: Raised when a key changes its meaning or goes away; new keys do not raise it.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number that can be judged: with its 95 % interval, its chance level and its n."""

    value: float
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    n: int | None = None


def record(kind: str, **keys: Any) -> dict[str, Any]:
    """A result record of `kind` with the keys common to all, ready for JSON.

    Figures become dicts, NaN becomes null. The keys are documented in docs/results.md.
    """
    from facedis import __version__

    common = {
        "kind": kind,
        "format": FORMAT,
        "facedis": __version__,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    return plain(common | keys)


def plain(value: Any) -> Any:
    """`value` in JSON's own types: dataclasses to dicts, arrays to lists, NaN to None."""
    if isinstance(value, Figure):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def dumps(result: Mapping[str, Any]) -> str:
    """`result` as readable JSON text."""
    return json.dumps(plain(result), indent=2, ensure_ascii=False)


def write_result(result: Mapping[str, Any], path: Path) -> None:
    """Write `result` to `path` whole or not at all."""
    write_text(path, dumps(result) + "\n")
