import io

import numpy as np
import pytest
from PIL import Image

from facedis.datasets.readers.expression.fer2013 import Fer2013Folders
from facedis.datasets.readers.expression.fer2013_csv import Fer2013Csv, read_pgm
from facedis.datasets.scan import scan_dataset
from tests.datasets.trees import FER_ROWS, TREES, greys, pixels, write


def test_table_and_folders_give_the_same_rows(tmp_path):
    made = {}
    for name, kind in (("csv", Fer2013Csv), ("icml csv", Fer2013Csv), ("folders", Fer2013Folders)):
        root = tmp_path / name
        root.mkdir()
        TREES[f"fer2013, {name}"].make(root)
        reader = kind(root)
        made[name] = [
            (
                record.image[:-4],
                record.expression,
                record.identity,
                record.split,
                np.asarray(
                    Image.open(io.BytesIO(reader.image_bytes(record)) if record.container else root / record.image)
                ).tobytes(),
            )
            for record in scan_dataset(reader).records
        ]
    assert made["csv"] == made["icml csv"] == made["folders"]
    assert len(made["csv"]) == len(FER_ROWS)


def test_image_bytes_are_read_at_the_offset(tmp_path):
    write(
        tmp_path, "fer2013.csv", f'\ufeffemotion,pixels,Usage\n3,{pixels(1)},Training\r\n4,"{pixels(2)}",Training\r\n'
    )
    records = scan_dataset(Fer2013Csv(tmp_path)).records
    for number, record in enumerate(records, 1):
        face = np.asarray(Image.open(io.BytesIO(Fer2013Csv(tmp_path).image_bytes(record))))
        assert np.array_equal(face, greys(number))
    with pytest.raises(ValueError, match="0 grey values"):
        read_pgm(tmp_path / "fer2013.csv", 0)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f"7,{pixels(1)},Training", "no expression with the number 7"),
        (f",{pixels(1)},Training", "it has no emotion"),
        (f"3,{pixels(1)},Private", "'Private' is none of Training, PublicTest, PrivateTest"),
        (f"3,{pixels(1)} 5,Training", "2,305 grey values instead of 2,304"),
        (f"3,{pixels(1)[:-9]}x,Training", "grey values"),
        ("3,1 2 3,Training", "it has 3 grey values"),
        (f"3,{pixels(1)}", "'' is none of"),
    ],
)
def test_bad_rows_are_skipped_with_their_line(tmp_path, row, why):
    write(tmp_path, "fer2013.csv", f"emotion,pixels,Usage\n3,{pixels(0)},Training\n{row}\n5,{pixels(2)},Training\n")
    records, skipped = scan_dataset(Fer2013Csv(tmp_path))
    assert [record.image for record in records] == [
        "Training/happy/Training_00000.pgm",
        "Training/surprise/Training_00002.pgm",
    ]
    assert [(each.file, each.line) for each in skipped] == [("fer2013.csv", 3)]
    assert why in skipped[0].reason


def test_a_grey_value_above_255_is_a_value_error(tmp_path):
    text = f"256 {pixels(1).partition(' ')[2]}"
    write(tmp_path, "fer2013.csv", f"emotion,pixels,Usage\n3,{text},Training\n")
    reader = Fer2013Csv(tmp_path)
    with pytest.raises(ValueError, match="256"):
        reader.image_bytes(scan_dataset(reader).records[0])
