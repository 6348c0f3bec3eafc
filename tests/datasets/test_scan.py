import pytest

from facedis.datasets.record import FaceRecord, Skipped
from facedis.datasets.scan import scan_dataset, skip_reasons
from facedis.errors import InputError


class Listed:
    name = "listed"

    def __init__(self, *items):
        self.items = items

    def records(self):
        yield from self.items


BAD = [Skipped("a.csv", 2, "no label"), Skipped("a.csv", 4, "no image"), Skipped("a.csv", 9, "no image")]


def test_records_and_skipped_rows_are_separated():
    face = FaceRecord("a.jpg", "fear")
    assert scan_dataset(Listed(BAD[0], face, BAD[1])) == ([face], BAD[:2])


def test_no_record_is_an_error_with_the_first_reason():
    with pytest.raises(InputError, match=r"none of the 2 rows of the listed dataset .* a.csv, line 2: no label"):
        scan_dataset(Listed(*BAD[:2]))
    with pytest.raises(InputError, match="no image in the listed dataset"):
        scan_dataset(Listed())


def test_reasons_are_sorted_by_count():
    assert list(skip_reasons(BAD)) == [("no image", 2, BAD[1]), ("no label", 1, BAD[0])]
