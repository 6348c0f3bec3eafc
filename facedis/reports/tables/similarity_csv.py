"""Compared pairs as a CSV file."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facedis.atomic_io import write_text


def write_csv(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write one row per pair; the columns are all keys that occur.

    Args:
        rows: Rows of a `SimilarityResult`; True and False are written as 1 and 0.
        path: The CSV file.

    Raises:
        OutputError: The file cannot be written.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({key: int(value) if isinstance(value, bool) else value for key, value in row.items()})
    write_text(path, text.getvalue())
