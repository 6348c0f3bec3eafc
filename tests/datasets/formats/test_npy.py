import io
import os
import pickle

import numpy as np
import pytest

from facedis.datasets.formats.npy import read_scalar


def saved(root, value):
    np.save(root / "a.npy", value, allow_pickle=True)
    return root / "a.npy"


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", ">i4", ">f8"])
def test_numbers_of_every_type(tmp_path, kind):
    assert float(read_scalar(saved(tmp_path, np.array(7, kind)))) == 7
    assert float(read_scalar(saved(tmp_path, np.array([[7]], kind)))) == 7


@pytest.mark.parametrize("value", ["3", "-0.08333", "12"])
def test_text_and_objects(tmp_path, value):
    for array in (np.array(value), np.array(value.encode()), np.array(value, object), np.array([value], ">U9")):
        assert read_scalar(saved(tmp_path, array)) == value


@pytest.mark.parametrize("value", [3, 300, -1, 2.5])
def test_objects_that_are_numbers(tmp_path, value):
    assert float(read_scalar(saved(tmp_path, np.array(value, object)))) == value


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_pickles_are_not_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path, np.array(1, object))
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\n") + 1] + pickle.dumps([Malicious()]))
    read_scalar(path)
    assert not (tmp_path / "executed").exists()


def test_other_files_are_value_errors(tmp_path):
    file = io.BytesIO()
    np.save(file, np.array("3"))
    whole = file.getvalue()
    for content in (
        b"",
        b"text",
        whole[:6],
        whole[:20],
        whole[:9] + b"\xff" + whole[10:],
        whole.replace(b"<U1", b"<V1"),
    ):
        (tmp_path / "b.npy").write_bytes(content)
        with pytest.raises(ValueError, match="it "):
            read_scalar(tmp_path / "b.npy")
    with pytest.raises(ValueError, match="array of shape"):
        read_scalar(saved(tmp_path, np.zeros(3)))
