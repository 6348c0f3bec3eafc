import pytest

from facedis.datasets.image_pairs import ImagePair, read_pairs
from facedis.datasets.record import Skipped
from facedis.errors import InputError
from tests.datasets.trees import put, write


def test_csv_keeps_other_columns_and_line_numbers(tmp_path):
    write(tmp_path, "pairs.csv", 'Image1,image2,same,note\na.jpg,b/c.jpg,1,"x, y"\n\na.jpg,,0,\n,,0,\nd.jpg,/e.jpg\n')
    first, second, third, fourth = read_pairs(tmp_path / "pairs.csv")
    assert first == ImagePair(
        2, "a.jpg", "b/c.jpg", tmp_path / "a.jpg", tmp_path / "b/c.jpg", {"same": "1", "note": "x, y"}
    )
    assert second == Skipped("pairs.csv", 4, "it names only one image")
    assert third == Skipped("pairs.csv", 5, "it names no image")
    assert (str(fourth.path2), fourth.labels) == ("/e.jpg", {"same": "", "note": ""})
    (tmp_path / "there").mkdir()
    assert next(read_pairs(tmp_path / "pairs.csv", tmp_path / "there")).path1 == tmp_path / "there" / "a.jpg"


def test_lfw_pairs_find_images_in_any_format(tmp_path):
    put(tmp_path, "lfw/A_B/A_B_0001.jpg", "lfw/A_B/A_B_0002.png", "lfw/C_D/C_D_0010.jpg")
    write(tmp_path, "pairs.txt", "1\t1\nA_B\t1\t2\nA_B\t2\tC_D\t10\nC_D\t9\t10\nnonsense\n")
    one, two, three, four = read_pairs(tmp_path / "pairs.txt")
    assert (one.line, one.image2, one.labels) == (2, "lfw/A_B/A_B_0002.png", {"fold": "0", "genuine": "1"})
    assert (two.path2, two.labels["genuine"]) == (tmp_path / "lfw/C_D/C_D_0010.jpg", "0")
    assert three.image1 == "C_D_0009.jpg"  # missing images get the suffix .jpg
    assert four == Skipped("pairs.txt", 5, "it is not a pair of images")


def test_unreadable_lists_are_errors(tmp_path):
    write(tmp_path, "other.csv", "first,second\na,b\n")
    with pytest.raises(InputError, match=r"no list of pairs .*gone.csv"):
        read_pairs(tmp_path / "gone.csv")
    with pytest.raises(InputError, match=r"no folder .*gone"):
        read_pairs(tmp_path / "other.csv", tmp_path / "gone")
    with pytest.raises(InputError, match="lacks the column image1 or image2"):
        list(read_pairs(tmp_path / "other.csv"))
