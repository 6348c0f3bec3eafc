import io

import numpy as np
import pytest
from PIL import Image

from facedis.datasets.autodetect import create_reader
from facedis.datasets.formats.tables import BadRow
from facedis.datasets.readers.expression.fer2013_csv import Fer2013Csv
from facedis.datasets.readers.expression.ferplus import FerPlus, majority_expression
from facedis.datasets.scan import scan_dataset
from tests.datasets.trees import TREES, greys, write


@pytest.mark.parametrize(
    ("votes", "expression"),
    [
        ([0, 10, 0, 0, 0, 0, 0, 0, 0, 0], "happiness"),
        ([0, 0, 0, 0, 0, 0, 0, 6, 4, 0], "contempt"),
        ([5, 1, 1, 1, 1, 1, 0, 0, 0, 0], "neutral"),  # single votes are not counted
        ([0, 0, 3, 0, 0, 2, 1, 1, 1, 1], "surprise"),
    ],
)
def test_the_label_has_more_than_half_of_the_votes(votes, expression):
    assert majority_expression(votes) == expression


@pytest.mark.parametrize(
    ("votes", "why"),
    [
        ([5, 5, 0, 0, 0, 0, 0, 0, 0, 0], "no expression has more than half"),
        ([4, 0, 2, 2, 0, 0, 0, 0, 0, 0], "no expression has more than half"),
        ([1] * 10, "no expression has more than half"),
        ([0] * 10, "no expression has more than half"),
        ([0, 0, 0, 0, 0, 0, 0, 0, 9, 1], "most votes are for unknown"),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], "most votes are for NF"),
        ([-2, 5, 0, 0, 0, 0, 0, 0, 0, 0], "negative"),
    ],
)
def test_without_a_majority_the_row_is_bad(votes, why):
    with pytest.raises(BadRow, match=why):
        majority_expression(votes)


def test_votes_and_faces_are_joined_by_line(tmp_path):
    TREES["ferplus, table"].make(tmp_path)
    reader = create_reader(tmp_path)
    assert reader.name == "ferplus" and Fer2013Csv.match_score(tmp_path) == 1
    for record in scan_dataset(reader).records:
        face = np.asarray(Image.open(io.BytesIO(reader.image_bytes(record))))
        assert np.array_equal(face, greys(int(record.image[-6:-4])))


def test_votes_without_a_face_are_skipped(tmp_path):
    TREES["ferplus, table"].make(tmp_path)
    lines = (tmp_path / "fer2013.csv").read_text().splitlines()
    lines[1] = "0,1 2 3,Training"
    lines[4] = lines[4].replace("Training", "PublicTest")
    write(tmp_path, "fer2013.csv", "\n".join(lines))
    records, skipped = scan_dataset(FerPlus(tmp_path))
    assert [record.split for record in records] == ["val"]
    assert [each.line for each in skipped if "is not its face" in each.reason] == [2, 5]


@pytest.mark.parametrize(
    "row", ["a.png", 'a.png,"(0, 0, 48)",1,1,1,1,1,1,1,1,1,9', 'a.png,"(0, 0, 48, 48),1', "a.png,b,x" + ",1" * 9]
)
def test_bad_lines_of_a_folder_are_skipped(tmp_path, row):
    TREES["ferplus, folders"].make(tmp_path)
    write(tmp_path, "FER2013Test/label.csv", f"{row}\n")
    assert [each.line for each in scan_dataset(FerPlus(tmp_path)).skipped if each.file == "FER2013Test/label.csv"] == [
        1
    ]
