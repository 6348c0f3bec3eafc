"""The pairs of a similarity record as a table for other programs."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from facedis.atomic_io import write_text

_KNOWN = ("rank", "line", "kind", "image1", "image2")
_CODES = ("expression", "rest", "trunk")


def write_csv(result: Mapping[str, Any], path: Path) -> None:
    """Write one row a pair.

    Args:
        result: A record of kind "similarity".
        path: The CSV file, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    rows = [_row(pair) for pair in result["pairs"]]
    text = io.StringIO()
    table = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(path, text.getvalue())


def _row(pair: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a pair: what it is, its labels, then each code's cosine and where it lies."""
    row = {key: pair[key] for key in _KNOWN if key in pair} | dict(_labels(pair))
    for number, face in enumerate(pair["predicted"] or (), 1):
        row |= {f"predicted{number}": face["expression"], f"probability{number}": face["probability"]}
    for code in _CODES:
        for key, value in (pair[code] or {}).items():
            row[f"{code}_{key}"] = int(value) if isinstance(value, bool) else value
    return row


def _labels(pair: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Labels under their own names, apart from names that are taken."""
    return ((f"label_{key}" if key in _KNOWN else key, value) for key, value in pair["labels"].items())
