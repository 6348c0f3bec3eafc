from facedis.datasets.readers.identity.lfw import Lfw, LfwPair
from facedis.datasets.record import Skipped
from facedis.datasets.scan import scan_dataset
from tests.datasets.trees import TREES, put, write


def test_pairs_have_folds(tmp_path):
    TREES["lfw"].make(tmp_path)
    assert list(Lfw(tmp_path).pairs()) == [
        LfwPair(0, "Abel_Pacheco_0001", "Abel_Pacheco_0004", True),
        LfwPair(0, "Aaron_Eckhart_0001", "Abel_Pacheco_0004", False),
        LfwPair(1, "Abel_Pacheco_0004", "Abel_Pacheco_0001", True),
        LfwPair(1, "Aaron_Eckhart_0001", "Zydrunas_Ilgauskas_0001", False),
    ]


def test_broken_pairs_are_skipped_and_the_file_is_optional(tmp_path):
    put(tmp_path, "A_B/A_B_0001.jpg")
    assert list(Lfw(tmp_path).pairs()) == []
    write(tmp_path, "pairs.txt", "10\t300\nA_B\t1\tx\nA_B\t1\t2\nA_B\n")
    why = "it is not a pair of images"
    assert list(Lfw(tmp_path).pairs()) == [
        Skipped("pairs.txt", 2, why),
        LfwPair(0, "A_B_0001", "A_B_0002", True),
        Skipped("pairs.txt", 4, why),
    ]


def test_an_image_not_named_after_its_folder_is_skipped(tmp_path):
    put(tmp_path, "A_B/A_B_0001.jpg", "A_B/C_D_0001.jpg")
    assert Lfw.match_score(tmp_path) == 0
    assert [each.file for each in scan_dataset(Lfw(tmp_path)).skipped] == ["A_B/C_D_0001.jpg"]
