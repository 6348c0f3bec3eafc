import io

import numpy as np
from PIL import Image
from rich.console import Console

from facedis.faces.io.provenance import CROPPED, SYNTHETIC
from facedis.reports.terminal.swap import labelled, render, write_drawing
from facedis.tasks.swapping.swapping import SwapImage, SwapResult


def drawing(columns=3, rows=2, label="X", side=32):
    names = [[f"x{row}_{column}" for column in range(columns)] for row in range(rows)]
    pictures = {
        name: SwapImage(np.full((side, side, 3), 20 * k % 256, np.uint8), label, "drawn" if k else "photograph")
        for k, name in enumerate(name for row in names for name in row)
    }
    return SwapResult(pictures, tuple(map(tuple, names)), {})


def text(result):
    console = Console(width=100, file=io.StringIO())
    for part in render(result):
        console.print(part)
    return console.file.getvalue()


def test_the_whole_shows_every_face_in_its_place_and_enlarged(tmp_path):
    paths = write_drawing(drawing(), tmp_path / "out.png")
    with Image.open(paths["grid"]) as image:
        whole = np.asarray(image)
    assert whole.shape[1] == 3 * 200 + 8 and whole.shape[0] > 2 * 192
    shades = {int(value) for value in np.unique(whole[:, :, 0])}
    assert {20 * k for k in range(6)} <= shades


def test_each_picture_lies_in_the_folder_beside_it_as_it_is_and_with_its_mark(tmp_path):
    made = drawing()
    paths = write_drawing(made, tmp_path / "out.jpg")
    assert paths.keys() == {*made.pictures, "grid"}
    for name, picture in made.pictures.items():
        assert paths[name] == str(tmp_path / "out" / f"{name}.png")
        with Image.open(paths[name]) as image:
            assert (np.asarray(image) == picture.pixels).all()
            assert image.info["Comment"] == (SYNTHETIC if picture.kind == "drawn" else CROPPED)


def test_a_gif_plays_the_first_row(tmp_path):
    write_drawing(drawing(columns=7, rows=1), tmp_path / "out.gif")
    with Image.open(tmp_path / "out.gif") as image:
        assert image.n_frames == 7 and image.size == (192, 192)


def test_many_faces_are_shown_small_and_long_names_are_cut():
    whole = labelled(drawing(columns=12, rows=12, label="a very long name of a photograph" * 3))
    assert whole.width == 12 * 104 + 8


def test_an_empty_place_stays_white():
    made = drawing(2, 1)
    whole = np.asarray(labelled(SwapResult(made.pictures, (("", "x0_1"),), {})))
    assert (whole[60:, 10:150] == 255).all() and (whole[60:180, 220:380] == 20).any()


COMMON = {"model": "runs/a", "images": {"grid": "swap.png"}, "output": "swap", "n": 2, "onto": "fear"}


def test_the_page_says_what_the_codes_say():
    donors = {"swapped_with_expression_donor": [0.5, 0.25], "swapped_with_rest_donor": [0.75, 0.125]}
    swapped = text(COMMON | {"task": "swap", "cosines": donors | {"x1_x2": {"expression": 0.1, "rest": 0.2}}})
    assert "others judge" in swapped
    assert "0.500" in swapped and "0.125" in swapped and "Before: X1 and X2 0.100" in swapped and "swap/" in swapped
    onto = text(COMMON | {"task": "onto", "cosines": donors | {"x1_mean": {"expression": 0.3}}})
    assert "mean of fear 0.300" in onto
    way = {"steps_with_first": [1.0, 0.5], "steps_with_last": [0.5, 1.0]}
    assert "100%" in text(COMMON | {"task": "interpolation", "shares": [0, 1], "cosines": way})
    assert "all 4 pictures" in text(COMMON | {"task": "grid", "cosines": donors})
