import pytest

from facedis.datasets.drawn import DrawnFaces
from facedis.datasets.record import FaceRecord
from facedis.drawn import bundled
from facedis.errors import InputError


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("drawn") / "faces"
    bundled.make(place, {"val": 1})
    return place


def test_reads_what_was_made(place):
    records = list(DrawnFaces(place).records())
    assert len(records) == 16
    assert records[0] == FaceRecord("person01_neutral_1.jpg", "neutral", "person01", "val")
    assert all((place / record.image).is_file() for record in records)


def test_recognises_its_own_folder_only(place, tmp_path):
    assert DrawnFaces.recognises(place) == 2
    (tmp_path / "labels.csv").write_text("image,expression,identity,split\n")
    assert DrawnFaces.recognises(tmp_path) == 0


def test_a_broken_table_names_the_folder_to_delete(tmp_path):
    with pytest.raises(InputError, match=f"delete {tmp_path}"):
        list(DrawnFaces(tmp_path).records())
    (tmp_path / "labels.csv").write_text("image,expression\na.jpg,fear\n")
    with pytest.raises(InputError, match=r"labels.csv cannot be read"):
        list(DrawnFaces(tmp_path).records())
