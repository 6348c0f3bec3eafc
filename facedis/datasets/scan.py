"""One pass over a dataset: its records and its skipped rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from facedis.datasets.record import NOT_UTF8, FaceRecord, Reader, Skipped, is_utf8
from facedis.errors import InputError


class ScanResult(NamedTuple):
    """Records and skipped rows of a dataset, each in the order of the reader."""

    records: list[FaceRecord]
    skipped: list[Skipped]


def scan_dataset(reader: Reader) -> ScanResult:
    """Collect all records of `reader`.

    Raises:
        InputError: There is no usable record; the message names the first skipped row.
    """
    records: list[FaceRecord] = []
    skipped: list[Skipped] = []
    for item in reader.records():
        if isinstance(item, Skipped):
            skipped.append(item)
        elif is_utf8(item.image):
            records.append(item)
        else:
            skipped.append(Skipped(item.image, 0, NOT_UTF8))
    if not records and skipped:
        raise InputError(
            f"none of the {len(skipped):,} rows of the {reader.name} dataset can be used; the first is {skipped[0]}",
            "check that the folder is the dataset, or name another reader with --dataset",
        )
    if not records:
        raise InputError(f"there is no image in the {reader.name} dataset", "name a folder of photographs")
    return ScanResult(records, skipped)


def skip_reasons(skipped: Sequence[Skipped]) -> Iterator[tuple[str, int, Skipped]]:
    """Yield (reason, count, first row) for each reason, the most frequent first."""
    first: dict[str, Skipped] = {}
    for row in skipped:
        first.setdefault(row.reason, row)
    for reason, count in Counter(row.reason for row in skipped).most_common():
        yield reason, count, first[reason]
