"""Packed models of untrained runs, with a minimal card and a random face."""

import numpy as np

from facedis.tasks.packaging import packing
from facedis.tasks.packaging.packing import PackageTarget, pack
from tests.tasks.runs import make_run


def packed(tmp_path, monkeypatch, results=(), name="demo", run=None, **keys):
    """A run, and the folder of a packed model of it."""
    face = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    monkeypatch.setattr(packing, "align_images", lambda *_: [type("Face", (), {"face": face})])
    monkeypatch.setattr(packing.bundled, "unpack", lambda *_: tmp_path)
    run = run or make_run(tmp_path / "run", 3, **keys)
    folder = tmp_path / name
    pack(run, list(results), lambda facts: f"# {facts['name']}\n", PackageTarget(folder, name))
    return run, folder
