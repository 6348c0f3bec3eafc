import io
import subprocess
import sys

import h5py
import numpy as np
import pytest

from facedis.faces.cache.hdf5 import Columns, create_hdf5

NAMES = ("face", "status", "box", "grey")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["face"] = np.zeros((5, 2, 2, 3), np.uint8)
        file["status"] = np.zeros(5, np.uint8)
        file["box"] = np.full((5, 4), np.nan, np.float32)
        file["grey"] = np.zeros(5, bool)
    return path


def test_rows_written_are_there_for_everybody_at_once(path):
    columns = Columns(path, NAMES)
    columns.write("face", 1, np.arange(24).reshape(2, 2, 2, 3))
    columns.write("box", 4, np.array([[1, 2, 3, 4.5]]))
    columns.write("grey", 3, np.array([True, True]))
    with h5py.File(path) as file:  # while it is open for writing
        assert file["face"][:].ravel()[12:36].tolist() == list(range(24))
        assert not file["face"][0].any() and not file["face"][3:].any()
        assert np.isnan(file["box"][:4]).all() and file["box"][4].tolist() == [1, 2, 3, 4.5]
        assert file["grey"][:].tolist() == [False, False, False, True, True]
        for name in NAMES:
            np.testing.assert_array_equal(columns.read(name), file[name][:])
            assert columns.read(name).dtype == file[name].dtype
    columns.close()


def test_a_second_process_may_read_a_file_that_is_being_written(path):
    columns = Columns(path, NAMES)
    read = f"import h5py; print(len(h5py.File({str(path)!r}, 'r')['status']))"
    assert subprocess.run([sys.executable, "-c", read], capture_output=True, text=True).stdout == "5\n"
    columns.close()


def test_a_new_file_takes_the_place_of_the_old_one(path):
    with create_hdf5(path) as file:
        file["a"] = np.arange(3)
        file.attrs["b"] = "c"
    with h5py.File(path) as file:
        assert list(file) == ["a"] and file["a"][:].tolist() == [0, 1, 2] and file.attrs["b"] == "c"


@pytest.mark.parametrize("room", [0, 100, 1_000, 30_000])
def test_what_the_disk_refuses_is_an_error_and_leaves_nothing_open(tmp_path, monkeypatch, room):
    class Full(io.FileIO):
        def write(self, data):
            if self.tell() + len(data) > room:
                raise OSError(28, "No space left on device")
            return super().write(data)

    monkeypatch.setattr("facedis.faces.cache.hdf5.io.FileIO", Full)
    before = h5py.h5f.get_obj_count(types=h5py.h5f.OBJ_FILE)
    with pytest.raises(OSError, match="No space left on device"), create_hdf5(tmp_path / "a.h5") as file:
        for number in range(20):
            file[f"column-{number}"] = np.ones(1_000)
    assert h5py.h5f.get_obj_count(types=h5py.h5f.OBJ_FILE) == before


def test_an_error_of_the_writer_stays_its_own(tmp_path):
    with pytest.raises(ZeroDivisionError), create_hdf5(tmp_path / "a.h5") as file:
        file["a"] = 1 / 0
