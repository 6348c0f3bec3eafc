"""Rendering itself: these tests need the extra `synth`, and nothing else in the suite does."""

import csv
from multiprocessing import Process

import h5py
import numpy as np
import pytest
from PIL import Image

from facedis.errors import InputError
from facedis.synthetic.render_plan import RenderPlan
from facedis.synthetic.render_sheet import expression_sheet
from facedis.synthetic.synthesis import read_plan, render_dataset
from facedis.synthetic.true_swap import true_swap

pytest.importorskip("anny")
pytest.importorskip("mitsuba")

PLAN = RenderPlan(identities=2, per_expression=1, size=48, seed=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synth") / "set"
    return folder, render_dataset(PLAN, folder)


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_set_has_images_labels_and_factors(made):
    folder, result = made
    assert (result["n"], result["made"], result["people"]) == (16, 16, 2)
    assert read_plan(folder) == PLAN
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with h5py.File(folder / "factors.h5") as file:
        assert file["actions"].shape == (16, 52) and file["people"].shape[0] == 2
        np.testing.assert_allclose(file["intensity"][:], [float(row["intensity"]) for row in rows], atol=1e-5)
    for row in rows:
        with Image.open(folder / row["image"]) as image:
            assert image.size == (48, 48) and np.asarray(image).std() > 10
    assert expression_sheet(folder, PLAN).shape == (18 + 2 * 48, 8 * 48, 3)


def test_a_killed_and_resumed_render_gives_the_same_bytes(made, tmp_path):
    child = Process(target=render_dataset, args=(PLAN, tmp_path / "set"))
    child.start()
    while child.is_alive() and len(list((tmp_path / "set").glob("*.webp")) if (tmp_path / "set").exists() else []) < 3:
        child.join(0.05)
    child.kill()
    child.join()
    left = [path.name for path in (tmp_path / "set").glob(".*")]
    result = render_dataset(PLAN, tmp_path / "set", processes=2)
    assert 0 < result["made"] < 16
    for name in left:  # what a killed process was just writing
        (tmp_path / "set" / name).unlink()
    assert bytes_of(tmp_path / "set") == bytes_of(made[0])


def test_true_swap_with_itself_is_the_image(made):
    path = made[0] / "person0000_surprise_0.webp"
    with Image.open(path) as image:
        kept = np.asarray(image.convert("RGB"), float)
    same, other = true_swap(path, path), true_swap(path, made[0] / "person0001_anger_0.webp")
    assert np.abs(same - kept).mean() < 4  # the file is compressed
    assert np.abs(other - kept).mean() > np.abs(same - kept).mean()


def test_another_plan_for_the_same_folder_is_an_error(made):
    with pytest.raises(InputError, match="rendered with other options"):
        render_dataset(RenderPlan(identities=3, per_expression=1, size=48, seed=1), made[0])
