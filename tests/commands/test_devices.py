"""`--device` is where faces are looked for, too, in every command that reads photographs."""

import pytest

from facedis import plugins
from facedis.tasks.encoding.sklearn import ExpressionEncoder
from tests.commands.test_bad_input import refused


@pytest.fixture
def heard(monkeypatch):
    """The devices that detectors were made for."""
    devices, named = [], plugins.load_by_name

    def noting(group, name):
        made = named(group, name)
        return made if group != plugins.DETECTORS else lambda device, size: devices.append(device) or made(device, size)

    monkeypatch.setattr(plugins, "load_by_name", noting)
    return devices


@pytest.fixture
def photos(pictures, tmp_path):
    """Two photographs, and a list of them as a pair."""
    (tmp_path / "in").mkdir()
    for name in ("a.webp", "b.webp"):
        (tmp_path / "in" / name).write_bytes((pictures / "person0154_happiness_0.webp").read_bytes())
    (tmp_path / "pairs.csv").write_text("image1,image2\nin/a.webp,in/b.webp\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "detectors"),
    [
        (("similarity", "in/a.webp", "in/b.webp"), 1),
        (("similarity", "in/a.webp", "in"), 2),
        (("similarity", "--pairs", "pairs.csv"), 1),
        (("swap", "in/a.webp", "in/b.webp", "-o", "s.png"), 1),
        (("embed", "in", "-o", "codes.npz"), 1),
        (("predict", "in/a.webp"), 1),
    ],
)
def test_faces_are_looked_for_on_the_named_device(facedis, world, photos, heard, monkeypatch, words, detectors):
    monkeypatch.chdir(photos)
    words = (*words, "--run", world / "runs" / "one")
    assert facedis(*words, "--device", "cpu", "-q").code == 0
    assert heard == ["cpu"] * detectors
    for made in ("s.png", "codes.npz"):
        (photos / made).unlink(missing_ok=True)
    refused(facedis(*words, "--device", "abacus"), "'abacus' is not one of", "cpu")


def test_the_encoder_does_so_too(world, photos, heard):
    ExpressionEncoder(world / "runs" / "one", device="cpu").transform([photos / "in" / "a.webp"])
    assert heard == ["cpu"]
