import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facedis.datasets.formats.recordio import read_image, read_labels, record_offsets
from tests.datasets.trees import MAGIC, packed, record_io


def labels(path, offset):
    with open(path, "rb") as file:
        return read_labels(file, offset)


def test_labels_and_images_round_trip(tmp_path):
    path = tmp_path / "a.rec"
    payloads = [
        packed(0, [3.0, 9.0]),
        packed(1, [5.0], b"jpeg!"),
        packed(2, [6.0, 2.0, 1.0], b""),
        packed(3, [1.0], b"x" * 1000),
    ]
    content, places = record_io(payloads)
    path.write_bytes(content)
    assert list(record_offsets(path)) == places
    assert [labels(path, place) for place in places] == [(3, 9), (5,), (6, 2, 1), (1,)]
    assert [read_image(path, place) for place in places] == [b"", b"jpeg!", b"", b"x" * 1000]


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=5))
def test_parts_of_a_record_are_joined_by_the_magic_number(tmp_path_factory, parts):
    path = tmp_path_factory.mktemp("rec") / "a.rec"
    image = MAGIC.join(parts)
    content, places = record_io([packed(1, [1.0], image), packed(2, [2.0], b"next")], cut=(0,))
    path.write_bytes(content)
    assert list(record_offsets(path)) == places
    assert read_image(path, places[0]) == image
    assert read_image(path, places[1]) == b"next"


def test_broken_records_are_value_errors(tmp_path):
    path = tmp_path / "a.rec"
    content, _ = record_io([packed(1, [1.0], b"a" * 40)])
    for broken in (b"", content[:6], content[:20], content[:50], b"none" + content[4:]):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"record|ends|header"):
            read_image(path, 0)
    for broken in (b"", content[:20], b"none" + content[4:]):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="no record begins there"):
            labels(path, 0)
    path.write_bytes(content[:8] + struct.pack("<I", 10**9) + content[12:])
    with pytest.raises(ValueError, match="header is broken"):
        labels(path, 0)
    path.write_bytes(MAGIC + struct.pack("<I", 2 << 29 | 4) + b"abcd")
    with pytest.raises(ValueError, match="a part of it is missing"):
        read_image(path, 0)


def test_offsets_end_at_the_first_broken_part(tmp_path):
    content, places = record_io([packed(1, [1.0], b"a"), packed(2, [2.0], b"b")])
    (tmp_path / "a.rec").write_bytes(content + b"garbage!" * 3)
    assert list(record_offsets(tmp_path / "a.rec")) == places


def test_truncated_labels_are_a_value_error(tmp_path):
    path = tmp_path / "a.rec"
    content, (place,) = record_io([packed(2, [6.0, 2.0, 1.0], b"jpeg!")])
    path.write_bytes(content[:40])  # after the header and one of three labels
    with pytest.raises(ValueError, match="ends within it"):
        labels(path, place)
