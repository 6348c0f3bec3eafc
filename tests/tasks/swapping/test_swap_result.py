import json

import numpy as np
from PIL import Image

from facedis.faces.io.provenance import CROPPED, SYNTHETIC
from facedis.tasks.swapping.swap_result import SwapImage, SwapResult


def result(columns=3, rows=2, label="X", side=32, layout=None):
    names = [[f"x{row}_{column}" for column in range(columns)] for row in range(rows)]
    images = {
        name: SwapImage(np.full((side, side, 3), 20 * k % 256, np.uint8), label, "generated" if k else "photo")
        for k, name in enumerate(name for row in names for name in row)
    }
    return SwapResult(
        model="runs/a",
        faces=["a.png", "b.png"],
        n=2,
        classes=("neutral", "anger"),
        seed=0,
        task="swap",
        cosines={"swapped_with_rest_donor": np.array([0.5, 0.25])},
        codes={"x1": {"expression": np.zeros(2)}},
        images=images,
        layout=layout or tuple(map(tuple, names)),
    )


def test_the_grid_shows_every_face_enlarged(tmp_path):
    paths = result().write(tmp_path / "out.png")["images"]
    with Image.open(paths["grid"]) as image:
        grid = np.asarray(image)
    assert grid.shape[1] == 3 * 200 + 8 and grid.shape[0] > 2 * 192
    shades = {int(value) for value in np.unique(grid[:, :, 0])}
    assert {20 * k for k in range(6)} <= shades


def test_each_image_is_written_unchanged_and_marked(tmp_path):
    swaps = result()
    record = swaps.write(tmp_path / "out.jpg")
    paths = record["images"]
    assert paths.keys() == {*swaps.images, "grid"} and record["output"] == str(tmp_path / "out")
    for name, swapped in swaps.images.items():
        assert paths[name] == str(tmp_path / "out" / f"{name}.png")
        with Image.open(paths[name]) as image:
            assert (np.asarray(image) == swapped.pixels).all()
            assert image.info["Comment"] == (SYNTHETIC if swapped.kind == "generated" else CROPPED)


def test_save_writes_the_images_and_the_record(tmp_path):
    swaps = result()
    swaps.save(str(tmp_path / "out.png"))
    record = json.loads((tmp_path / "out" / "result.json").read_text())
    assert record == swaps.to_dict() | {key: record[key] for key in ("images", "output")}
    assert record["kind"] == "swap" and record["onto"] is None and "shares" not in record


def test_a_gif_animates_the_first_row(tmp_path):
    result(columns=7, rows=1).save(tmp_path / "out.gif")
    with Image.open(tmp_path / "out.gif") as image:
        assert image.n_frames == 7 and image.size == (192, 192)


def test_large_grids_have_small_faces_and_short_labels():
    assert result(columns=12, rows=12, label="a very long name of a photograph" * 3).grid().width == 12 * 104 + 8


def test_an_empty_cell_is_white():
    grid = np.asarray(result(2, 1, layout=(("", "x0_1"),)).grid())
    assert (grid[60:, 10:150] == 255).all() and (grid[60:180, 220:380] == 20).any()


def test_repr_shows_the_task_and_the_images():
    assert repr(result(2, 1)).endswith("task='swap', images=['x0_0', 'x0_1'])")
