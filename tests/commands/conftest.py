"""The commands as a user types them, in this process, and a small world for them to work in."""

import json
import sys

import pytest

from facedis.cli import main

#: The one with the smallest files.
TRUNK = "mobilenet_v3_large"


class Typed:
    """What a command line printed and how it ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def record(self):
        return json.loads(self.out)


@pytest.fixture
def facedis(capsys, monkeypatch):
    """Call `facedis(*words)` as the shell would; gives exit code, stdout and stderr."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["facedis", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return Typed(code, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def world(pictures, tmp_path_factory):
    """A folder with faces.h5 of `pictures` and a run of one epoch with a decoder."""
    from facedis.config import AlignConfig
    from facedis.faces.alignment.align_dataset import align
    from facedis.tasks.experiments.training import TrainOptions, train

    folder = tmp_path_factory.mktemp("world")
    align(pictures, folder / "faces.h5", AlignConfig(image_size=48, device="cpu"))
    options = TrainOptions(
        preset="small", folder=folder / "runs", name="one", settings={"image_size": 32, "trunk": TRUNK} | {"epochs": 1}
    )
    train(folder / "faces.h5", options)
    return folder


@pytest.fixture(scope="session")
def judges(world):
    """Folder of two runs that may judge the first: one of expressions, and one that is said to know people."""
    from facedis.model.storage.checkpoint import read_info, write_info
    from facedis.tasks.experiments.training import TrainOptions, train
    from facedis.tasks.swapping.evaluators import IDENTITY_LABELS

    for seed, name in ((1, "expression"), (2, "identity")):
        model = {"image_size": 32, "trunk": TRUNK, "baseline": True}
        options = TrainOptions(
            preset="small", folder=world / "judges", name=name, settings=model | {"epochs": 1, "seed": seed}
        )
        train(world / "faces.h5", options)
    place = world / "judges" / "identity"
    write_info(place, read_info(place) | {"labels": IDENTITY_LABELS})
    return world / "judges"


@pytest.fixture
def here(world, monkeypatch):
    """The world as the current folder."""
    monkeypatch.chdir(world)
    return world
