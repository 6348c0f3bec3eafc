import numpy as np
import pytest

from facedis.datasets.readers.expression.affectnet_2021 import AffectNet2021
from facedis.datasets.scan import scan_dataset
from facedis.errors import InputError
from tests.datasets.trees import TREES, npy, put, write


def test_ids_are_sorted_as_numbers_and_may_have_gaps(tmp_path):
    TREES["affectnet of 2021"].make(tmp_path)
    images = [record.image for record in scan_dataset(AffectNet2021(tmp_path)).records]
    names = [int(image.rpartition("/")[2][:-4]) for image in images]
    assert names == [2, 10, 400112, 0, 30]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (npy(np.array("8")), "no expression with the number 8"),
        (npy(np.array("happy")), "the expression 'happy' is not a number"),
        (npy(np.zeros(2)), "its _exp.npy cannot be read: it holds an array of shape"),
        (b"", "its _exp.npy cannot be read: it is not a .npy file"),
    ],
)
def test_a_bad_label_skips_its_image_only(tmp_path, content, why):
    put(tmp_path, "val_set/images/1.jpg", "val_set/images/2.jpg")
    write(tmp_path, "val_set/annotations/1_exp.npy", content)
    write(tmp_path, "val_set/annotations/2_exp.npy", npy(np.array("2")))
    records, skipped = scan_dataset(AffectNet2021(tmp_path))
    assert [record.expression for record in records] == ["sadness"]
    assert why in skipped[0].reason and skipped[0].file == "val_set/images/1.jpg"


def test_another_layout_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no train_set or val_set"):
        scan_dataset(AffectNet2021(tmp_path))
