"""Swaps by a run whose decoder is random: the codes that go in and what is made of the pictures are still known."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from facedis.errors import CacheError, ConfigError, InputError
from facedis.faces.alignment.align_images import align_images
from facedis.faces.cache.cache import FacesCache
from facedis.model.storage.checkpoint import load_run, read_tensors, save_tensors
from facedis.tasks.encoding.encode import encode, run_labels
from facedis.tasks.experiments.training import TrainOptions, train
from facedis.tasks.swapping import swapping
from facedis.tasks.swapping.class_means import CLASS_MEANS_FILE, class_mean_code
from facedis.tasks.swapping.generator import SwapGenerator
from tests.conftest import write_cache

WHOLE = swapping.SwapOptions(crop="none", device="cpu")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of no more than one epoch on the patterns, with a decoder."""
    folder = tmp_path_factory.mktemp("swapping")
    cache = write_cache(folder / "faces.h5")
    options = TrainOptions(
        preset="small",
        folder=folder / "runs",
        name="one",
        settings={"image_size": 32, "trunk": "mobilenet_v3_large"} | {"epochs": 1},
    )
    train(cache, options)
    return load_run(folder / "runs" / "one")


@pytest.fixture(scope="module")
def images(trained, tmp_path_factory):
    """Four faces of the cache as picture files."""
    folder = tmp_path_factory.mktemp("images")
    with FacesCache.open(trained.faces) as cache:
        for number, face in enumerate(cache.faces(np.array([0, 9, 20, 41])), 1):
            Image.fromarray(face).save(folder / f"face{number}.png")
    return sorted(folder.iterdir())


def test_a_swap_puts_the_rest_of_one_and_the_expression_of_the_other_together(trained, images):
    drawing = swapping.swap(trained, *images[:2], WHOLE)
    assert drawing.rows == (("x1", "x1_reconstructed", "x1_swapped"), ("x2", "x2_reconstructed", "x2_swapped"))
    generator = SwapGenerator(trained, "cpu")
    own = generator.encode(np.stack([np.asarray(Image.open(path)) for path in images[:2]]))
    expected = generator.draw(own.expression[[1, 0]], own.rest)
    for number in (1, 2):
        assert (drawing.pictures[f"x{number}_swapped"].pixels == expected[number - 1]).all()
        assert (drawing.pictures[f"x{number}"].pixels == own.pictures[number - 1]).all()
        assert drawing.pictures[f"x{number}"].kind == "photograph"
    assert drawing.record["codes"]["x1"]["expression"] == pytest.approx(own.expression[0].tolist())
    again = generator.encode(expected)
    wanted = np.dot(again.rest[0], own.rest[0]) / np.linalg.norm(again.rest[0]) / np.linalg.norm(own.rest[0])
    assert drawing.record["cosines"]["swapped_with_rest_donor"][0] == pytest.approx(wanted, abs=1e-5)


def test_a_face_that_swaps_with_itself_is_its_reconstruction(trained, images):
    pictures = swapping.swap(trained, images[0], images[0], WHOLE).pictures
    assert (pictures["x1_swapped"].pixels == pictures["x1_reconstructed"].pixels).all()


def test_a_grid_has_reconstructions_on_its_diagonal_and_swaps_beside_it(trained, images):
    grid = swapping.swap_grid(trained, images[:3], WHOLE)
    assert grid.rows[0] == ("", "x1", "x2", "x3") and grid.rows[2] == ("x2", "x2_with_x1", "x2_with_x2", "x2_with_x3")
    pair = swapping.swap(trained, *images[:2], WHOLE).pictures
    assert (grid.pictures["x1_with_x2"].pixels == pair["x1_swapped"].pixels).all()
    assert (grid.pictures["x2_with_x1"].pixels == pair["x2_swapped"].pixels).all()
    assert (grid.pictures["x2_with_x2"].pixels == pair["x2_reconstructed"].pixels).all()
    assert np.shape(grid.record["cosines"]["swapped_with_rest_donor"]) == (3, 3)
    with pytest.raises(ConfigError, match="a grid of 1 images"):
        swapping.swap_grid(trained, images[:1], WHOLE)


def test_an_interpolation_goes_from_the_reconstruction_to_the_swap(trained, images):
    way = swapping.interpolate(trained, images[:2], 5, wanted=WHOLE)
    pair = swapping.swap(trained, *images[:2], WHOLE).pictures
    assert way.rows == (("step1", "step2", "step3", "step4", "step5"),)
    assert (way.pictures["step1"].pixels == pair["x1_reconstructed"].pixels).all()
    assert abs(way.pictures["step5"].pixels.astype(int) - pair["x1_swapped"].pixels).max() <= 1
    assert [way.pictures[name].label for name in way.rows[0]] == ["0%", "25%", "50%", "75%", "100%"]
    for steps in (1, 61):
        with pytest.raises(ConfigError, match="--interpolate"):
            swapping.interpolate(trained, images[:2], steps, wanted=WHOLE)


def test_the_mean_is_that_of_the_train_faces_and_is_kept(trained, images):
    (trained.path / CLASS_MEANS_FILE).unlink(missing_ok=True)
    found = class_mean_code(trained, "happy", "cpu")
    with FacesCache.open(trained.faces) as cache:
        number = trained.classes.index("happiness")
        rows = np.flatnonzero((cache.splits == "train") & (run_labels(trained, cache) == number))
        expected = encode(trained, cache, rows, device="cpu").expression.mean(axis=0)
    assert found == pytest.approx(expected, abs=1e-5)
    assert (class_mean_code(trained, "happiness") == found).all() and (trained.path / CLASS_MEANS_FILE).is_file()
    drawing = swapping.swap_to_class_mean(trained, images[0], "happiness", WHOLE)
    end = swapping.interpolate(trained, images[:1], 3, "happiness", WHOLE)
    difference = drawing.pictures["x1_swapped"].pixels.astype(int) - end.pictures["step3"].pixels
    assert abs(difference).max() <= 1
    assert drawing.record["onto"] == "happiness"


def test_means_of_a_model_that_was_trained_on_are_made_anew(trained):
    kept = class_mean_code(trained, "anger", "cpu")
    tensors, about = read_tensors(trained.path / CLASS_MEANS_FILE)
    save_tensors(trained.path / CLASS_MEANS_FILE, {"expression": tensors["expression"] + 1}, about)
    assert (class_mean_code(trained, "anger", "cpu") == kept + 1).all()
    save_tensors(
        trained.path / CLASS_MEANS_FILE, {"expression": tensors["expression"] + 1}, about | {"model": "another"}
    )
    assert class_mean_code(trained, "anger", "cpu") == pytest.approx(kept, abs=1e-6)


def test_kept_means_outlive_the_faces(trained, tmp_path):
    kept = class_mean_code(trained, "anger", "cpu")
    away = trained.faces.rename(tmp_path / "away.h5")
    try:
        assert (class_mean_code(trained, "anger") == kept).all()
        (trained.path / CLASS_MEANS_FILE).unlink()
        with pytest.raises(CacheError, match="are not here"):
            class_mean_code(trained, "anger")
        write_cache(trained.faces, seed=1)
        with pytest.raises(CacheError, match="is not the cache"):
            class_mean_code(trained, "anger")
    finally:
        away.rename(trained.faces)


@pytest.mark.parametrize(("name", "hint"), [("angry!", "did you mean 'angry'"), ("xyz", "choose one of: neutral")])
def test_an_expression_that_the_run_does_not_know_is_named_with_the_nearest(trained, name, hint):
    with pytest.raises(ConfigError, match=hint):
        class_mean_code(trained, name)
    with pytest.raises(ConfigError, match="knows no expression 'fear'"):
        class_mean_code(trained, "fear")


def test_a_pasted_face_keeps_the_photograph_around_it(trained, images, tmp_path):
    photo = np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    wanted = swapping.SwapOptions(crop="none", device="cpu", paste=True)
    drawing = swapping.swap(trained, tmp_path / "photo.png", images[0], wanted)
    pasted = drawing.pictures["x1_pasted"]
    assert pasted.pixels.shape == photo.shape and pasted.kind == "composite"
    assert (pasted.pixels[0] == photo[0]).all() and (pasted.pixels[45, 35] != photo[45, 35]).any()


def test_a_photograph_with_several_faces_is_told(trained, images, monkeypatch):
    events = []
    faces = [replace(face, n_faces=number) for number, face in enumerate(align_images(trained, images[:2], "none"), 1)]
    monkeypatch.setattr(swapping, "align_photographs", lambda *_: faces)
    swapping.swap(trained, *images[:2], replace(WHOLE, handler=events.append))
    assert [event.text for event in events] == [f"{images[1]} shows 2 faces: the largest is taken"]


def test_the_images_of_a_folder_in_the_order_of_their_names(images, tmp_path):
    assert swapping.images_in(images[0].parent) == images
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "list.txt").write_text("")
    with pytest.raises(InputError, match="holds no image"):
        swapping.images_in(tmp_path)
    with pytest.raises(InputError, match="cannot read"):
        swapping.images_in(tmp_path / "gone")
