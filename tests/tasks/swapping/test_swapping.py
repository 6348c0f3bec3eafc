"""Swaps by a run trained for one epoch: images are compared with those of the generator."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from facedis.errors import CacheError, ConfigError, InputError
from facedis.faces.alignment.align_images import CropOptions, align_images
from facedis.faces.cache.cache import FacesCache
from facedis.model.storage.checkpoint import load_run, read_tensors, save_tensors
from facedis.tasks.encoding.encode import encode, run_labels
from facedis.tasks.experiments.training import TrainOptions, train
from facedis.tasks.swapping import swapping
from facedis.tasks.swapping.class_means import CLASS_MEANS_FILE, class_mean_code
from facedis.tasks.swapping.generator import SwapGenerator
from facedis.tasks.swapping.swapping import SwapOptions
from tests.conftest import write_cache

CROPPED = SwapOptions(crop="none", device="cpu")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run with a decoder, trained for one epoch."""
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
    """Four faces of the cache as image files."""
    folder = tmp_path_factory.mktemp("images")
    with FacesCache.open(trained.faces) as cache:
        for number, face in enumerate(cache.faces(np.array([0, 9, 20, 41])), 1):
            Image.fromarray(face).save(folder / f"face{number}.png")
    return sorted(folder.iterdir())


def test_a_swap_combines_the_rest_code_of_one_face_with_the_expression_code_of_the_other(trained, images):
    result = swapping.swap(trained, *images[:2], CROPPED)
    assert result.layout == (("x1", "x1_reconstructed", "x1_swapped"), ("x2", "x2_reconstructed", "x2_swapped"))
    generator = SwapGenerator(trained, "cpu")
    own = generator.encode(np.stack([np.asarray(Image.open(path)) for path in images[:2]]))
    expected = generator.decode(own.expression[[1, 0]], own.rest)
    for number in (1, 2):
        assert (result.images[f"x{number}_swapped"].pixels == expected[number - 1]).all()
        assert (result.images[f"x{number}"].pixels == own.images[number - 1]).all()
        assert result.images[f"x{number}"].kind == "photo"
    assert result.to_dict()["codes"]["x1"]["expression"] == pytest.approx(own.expression[0].tolist())
    again = generator.encode(expected)
    expected_cosine = np.dot(again.rest[0], own.rest[0]) / np.linalg.norm(again.rest[0]) / np.linalg.norm(own.rest[0])
    assert result.to_dict()["cosines"]["swapped_with_rest_donor"][0] == pytest.approx(expected_cosine, abs=1e-5)


def test_swapping_a_face_with_itself_gives_its_reconstruction(trained, images):
    pictures = swapping.swap(trained, images[0], images[0], CROPPED).images
    assert (pictures["x1_swapped"].pixels == pictures["x1_reconstructed"].pixels).all()


def test_a_grid_has_reconstructions_on_its_diagonal_and_swaps_elsewhere(trained, images):
    grid = swapping.swap_grid(trained, images[:3], CROPPED)
    assert grid.layout[0] == ("", "x1", "x2", "x3")
    assert grid.layout[2] == (
        "x2",
        "x2_with_x1",
        "x2_with_x2",
        "x2_with_x3",
    )
    pair = swapping.swap(trained, *images[:2], CROPPED).images
    assert (grid.images["x1_with_x2"].pixels == pair["x1_swapped"].pixels).all()
    assert (grid.images["x2_with_x1"].pixels == pair["x2_swapped"].pixels).all()
    assert (grid.images["x2_with_x2"].pixels == pair["x2_reconstructed"].pixels).all()
    assert np.shape(grid.to_dict()["cosines"]["swapped_with_rest_donor"]) == (3, 3)
    with pytest.raises(ConfigError, match="a grid of 1 image"):
        swapping.swap_grid(trained, images[:1], CROPPED)


def test_an_interpolation_goes_from_the_reconstruction_to_the_swap(trained, images):
    interpolation = swapping.interpolate(trained, images[:2], 5, options=CROPPED)
    pair = swapping.swap(trained, *images[:2], CROPPED).images
    assert interpolation.layout == (("step1", "step2", "step3", "step4", "step5"),)
    assert (interpolation.images["step1"].pixels == pair["x1_reconstructed"].pixels).all()
    assert abs(interpolation.images["step5"].pixels.astype(int) - pair["x1_swapped"].pixels).max() <= 1
    assert [interpolation.images[name].label for name in interpolation.layout[0]] == ["0%", "25%", "50%", "75%", "100%"]
    for steps in (1, 61):
        with pytest.raises(ConfigError, match="--interpolate"):
            swapping.interpolate(trained, images[:2], steps, options=CROPPED)


def test_class_means_are_computed_on_the_train_faces_and_cached(trained, images):
    (trained.path / CLASS_MEANS_FILE).unlink(missing_ok=True)
    found = class_mean_code(trained, "happy", "cpu")
    with FacesCache.open(trained.faces) as cache:
        number = trained.classes.index("happiness")
        rows = np.flatnonzero((cache.splits == "train") & (run_labels(trained, cache) == number))
        expected = encode(trained, cache, rows, device="cpu").expression.mean(axis=0)
    assert found == pytest.approx(expected, abs=1e-5)
    assert (class_mean_code(trained, "happiness") == found).all() and (trained.path / CLASS_MEANS_FILE).is_file()
    result = swapping.swap_to_class_mean(trained, images[0], "happiness", CROPPED)
    end = swapping.interpolate(trained, images[:1], 3, "happiness", CROPPED)
    difference = result.images["x1_swapped"].pixels.astype(int) - end.images["step3"].pixels
    assert abs(difference).max() <= 1
    assert result.to_dict()["onto"] == "happiness"


def test_class_means_are_recomputed_after_further_training(trained):
    cached = class_mean_code(trained, "anger", "cpu")
    tensors, about = read_tensors(trained.path / CLASS_MEANS_FILE)
    save_tensors(trained.path / CLASS_MEANS_FILE, {"expression": tensors["expression"] + 1}, about)
    assert (class_mean_code(trained, "anger", "cpu") == cached + 1).all()
    save_tensors(
        trained.path / CLASS_MEANS_FILE, {"expression": tensors["expression"] + 1}, about | {"model": "another"}
    )
    assert class_mean_code(trained, "anger", "cpu") == pytest.approx(cached, abs=1e-6)


def test_cached_class_means_do_not_need_the_faces(trained, tmp_path):
    cached = class_mean_code(trained, "anger", "cpu")
    away = trained.faces.rename(tmp_path / "away.h5")
    try:
        assert (class_mean_code(trained, "anger") == cached).all()
        (trained.path / CLASS_MEANS_FILE).unlink()
        with pytest.raises(CacheError, match="are missing"):
            class_mean_code(trained, "anger")
        write_cache(trained.faces, seed=1)
        with pytest.raises(CacheError, match="is not the cache"):
            class_mean_code(trained, "anger")
    finally:
        away.rename(trained.faces)


@pytest.mark.parametrize(("name", "hint"), [("angry!", "did you mean 'angry'"), ("xyz", "choose one of: neutral")])
def test_the_error_for_an_unknown_expression_suggests_the_nearest(trained, name, hint):
    with pytest.raises(ConfigError, match=hint):
        class_mean_code(trained, name)
    with pytest.raises(ConfigError, match="has no expression 'fear'"):
        class_mean_code(trained, "fear")


def test_pasting_leaves_the_photo_around_the_face_unchanged(trained, images, tmp_path):
    photo = np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    options = SwapOptions(crop="none", device="cpu", paste=True)
    result = swapping.swap(trained, tmp_path / "photo.png", images[0], options)
    pasted = result.images["x1_pasted"]
    assert pasted.pixels.shape == photo.shape and pasted.kind == "composite"
    assert (pasted.pixels[0] == photo[0]).all() and (pasted.pixels[45, 35] != photo[45, 35]).any()


def test_several_faces_in_a_photo_cause_a_warning(trained, images, monkeypatch):
    events = []
    crop = CropOptions.from_info(trained.info["faces"])
    aligned = align_images(images[:2], crop, "none")
    faces = [replace(face, n_faces=number) for number, face in enumerate(aligned, 1)]
    monkeypatch.setattr(swapping, "align_images", lambda *_: faces)
    swapping.swap(trained, *images[:2], replace(CROPPED, handler=events.append))
    assert [event.text for event in events] == [f"{images[1]} has 2 faces: the largest is used"]


def test_list_images_sorts_by_name(images, tmp_path):
    assert swapping.list_images(images[0].parent) == images
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "list.txt").write_text("")
    with pytest.raises(InputError, match="contains no image"):
        swapping.list_images(tmp_path)
    with pytest.raises(InputError, match="cannot read"):
        swapping.list_images(tmp_path / "gone")
