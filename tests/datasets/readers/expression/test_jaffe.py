from facedis.datasets.readers.expression.jaffe import Jaffe
from facedis.datasets.record import Skipped
from facedis.datasets.scan import scan_dataset
from tests.datasets.trees import put


def test_expressions_and_identities_follow_from_the_names(tmp_path):
    codes = {"AN": "anger", "DI": "disgust", "FE": "fear", "HA": "happiness"}
    codes |= {"NE": "neutral", "SA": "sadness", "SU": "surprise"}
    put(tmp_path, *(f"UY.{code}1.{number}.tiff" for number, code in enumerate(codes, 137)), mode="L")
    assert {r.image[3:5]: (r.expression, r.identity) for r in scan_dataset(Jaffe(tmp_path)).records} == {
        code: (name, "UY") for code, name in codes.items()
    }


def test_another_name_is_skipped_and_does_not_match(tmp_path):
    put(tmp_path, "KA.AN1.39.tiff", "KA.XX1.39.tiff", mode="L")
    assert Jaffe.match_score(tmp_path) == 0
    assert scan_dataset(Jaffe(tmp_path)).skipped == [
        Skipped("KA.XX1.39.tiff", 0, "it is not named like KA.AN1.39.tiff")
    ]
