"""All that a reader gives, records and skipped rows told apart."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from facedis.datasets.record import NOT_UTF8, FaceRecord, Reader, Skipped, is_utf8
from facedis.errors import InputError


class ScanResult(NamedTuple):
    """What one pass over a dataset gave, in its order."""

    records: list[FaceRecord]
    skipped: list[Skipped]


def scan_dataset(reader: Reader) -> ScanResult:
    """Everything that `reader` gives.

    Raises:
        InputError: There is not one record; where rows were skipped, the first is named.
    """
    records: list[FaceRecord] = []
    skipped: list[Skipped] = []
    for item in reader.records():
        if isinstance(item, FaceRecord) and not is_utf8(item.image):
            item = Skipped(item.image, 0, NOT_UTF8)
        (skipped if isinstance(item, Skipped) else records).append(item)
    if not records and skipped:
        raise InputError(
            f"none of the {len(skipped):,} rows of the {reader.name} dataset can be used; the first is {skipped[0]}",
            "check that the folder is the dataset, or name another reader with --dataset",
        )
    if not records:
        raise InputError(f"there is no image in the {reader.name} dataset", "name a folder of photographs")
    return ScanResult(records, skipped)


def skip_reasons(skipped: Sequence[Skipped]) -> Iterator[tuple[str, int, Skipped]]:
    """(why, how many, the first of them) of every reason for which rows were skipped, the commonest first."""
    first: dict[str, Skipped] = {}
    for row in skipped:
        first.setdefault(row.reason, row)
    for why, count in Counter(row.reason for row in skipped).most_common():
        yield why, count, first[why]
