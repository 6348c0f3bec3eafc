"""Fuzz tests: each broken row is skipped with its line, and no broken file is fatal."""

import contextlib
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facedis import plugins
from facedis.datasets.record import Skipped
from facedis.errors import InputError
from tests.datasets.trees import TREES

#: Layout, table, whether its first line is a header.
LISTS = [
    ("affectnet, lists apart", "Manually_Annotated_file_lists/training.csv", True),
    (
        "affectnet, automatic part",
        "Automatically_Annotated/Automatically_annotated_file_list/automatically_annotated.csv",
        True,
    ),
    ("rafdb", "basic/EmoLabel/list_patition_label.txt", False),
    ("fer2013, csv", "fer2013.csv", True),
    ("fer2013, icml csv", "icml_face_data.csv", True),
    ("ferplus, table", "fer2013new.csv", True),
    ("ferplus, folders", "FER2013Train/label.csv", False),
    ("labels.csv", "labels.csv", True),
]
#: Annotation files of one image or sequence, and container files with their indexes.
FILES = [
    ("ckplus", "Emotion/S010/002/S010_002_00000006_emotion.txt"),
    ("affectnet of 2021", "train_set/annotations/10_exp.npy"),
    ("affectnet of 2021, renamed", "train_set/annotations/7_exp.npy"),
    ("casia, RecordIO", "train.idx"),
    ("casia, RecordIO", "train.lst"),
    ("casia, RecordIO", "train.rec"),
    ("casia, RecordIO without an index", "train.rec"),
    ("ferplus, table", "fer2013.csv"),
    ("rafdb, original", "Annotation/manual/train_00001_manu_attri.txt"),
]
PATIENT = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

garbage = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b'"', b",", b",,,,", b"\x00", b"nan", b"1e999", b"-1", b"\xff", b"../", b"/", "é".encode(), b";"]),
).map(lambda content: content.replace(b"\n", b"").replace(b"\r", b""))


@st.composite
def broken(draw, lines):
    """`lines` with a few of them cut, extended, replaced or repeated, none of them blank."""
    lines = list(lines)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        start, end = sorted((draw(st.integers(0, len(line))), draw(st.integers(0, len(line)))))
        middle = draw(garbage) + (b"x" if draw(st.booleans()) or not line[:start].strip(b', "') else b"")
        if draw(st.booleans()):
            lines[place] = line[:start] + middle + line[end:]
        else:
            lines.insert(place, line)
    return lines


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    roots = {}

    def make(name):
        if name not in roots:
            roots[name] = tmp_path_factory.mktemp("tree")
            TREES[name].make(roots[name])
        return roots[name]

    return make


def items(name, root):
    try:
        return list(plugins.load_by_name(plugins.DATASETS, TREES[name].reader)(root).records())
    except InputError:
        return None


def check(found):
    for item in found:
        if isinstance(item, Skipped):
            assert item.reason and str(item)
        else:
            item.image.encode()
            item.identity.encode()
            assert "\0" not in item.image + item.identity


@pytest.mark.parametrize(("name", "path", "header"), LISTS)
@given(data=st.data())
@PATIENT
def test_every_row_of_a_broken_table_is_a_record_or_a_skipped_line(name, path, header, data, made):
    root = made(name)
    whole = (root / path).read_bytes()
    others = [item for item in items(name, root) if isinstance(item, Skipped) and item.file != path]
    lines = whole.removesuffix(b"\n").split(b"\n")
    lines = [line.removesuffix(b"\r") for line in lines]
    rows = data.draw(broken(lines[header:]))
    try:
        (root / path).write_bytes(b"\n".join([*lines[:header], *rows, b""]))
        found = items(name, root)
    finally:
        (root / path).write_bytes(whole)
    assert found is not None
    check(found)
    here = [item for item in found if isinstance(item, Skipped) and item.file == path]
    elsewhere = records_elsewhere(name, path)
    records = sum(not isinstance(item, Skipped) for item in found) - elsewhere
    assert records + len(here) == len(rows)
    assert all(1 + header <= item.line <= len(rows) + header for item in here)
    assert len({item.line for item in here}) == len(here)
    assert [item for item in found if isinstance(item, Skipped) and item.file != path] == others


def records_elsewhere(name, path):
    """Number of records of a layout from tables other than `path`."""
    return {"affectnet, lists apart": 1, "ferplus, folders": 1}.get(name, 0)


@pytest.mark.parametrize(("name", "path"), FILES)
@given(data=st.data())
@PATIENT
def test_a_broken_file_is_never_fatal(name, path, data, made):
    root = made(name)
    whole = (root / path).read_bytes()
    start, end = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    try:
        (root / path).write_bytes(whole[:start] + data.draw(garbage) + whole[end:])
        found = items(name, root)
        reader = plugins.load_by_name(plugins.DATASETS, TREES[name].reader)(root)
        for item in found or ():
            if not isinstance(item, Skipped) and item.container:
                with contextlib.suppress(ValueError, OSError):  # an unreadable image is a row with a status
                    assert isinstance(reader.image_bytes(item), bytes)
    finally:
        (root / path).write_bytes(whole)
    check(found or ())


def test_tables_are_restored(made, tmp_path):
    for name in {name for name, *_ in LISTS}:
        fresh = tmp_path / "fresh"
        fresh.mkdir()
        TREES[name].make(fresh)
        assert items(name, fresh) == items(name, made(name))
        shutil.rmtree(fresh)
