"""`facedis swap` and `facedis swap-eval` on the rendered faces: output, files and records."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from facedis.faces.io.images import read_image


@pytest.fixture
def images(pictures):
    """One happy and one angry face, of two people, and a neutral one."""
    found = {name: sorted(pictures.glob(f"*_{name}_0.webp")) for name in ("happiness", "anger", "neutral")}
    return found["happiness"][-1], found["anger"][-2], found["neutral"][0]


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_swap_writes_the_grid_and_each_image(facedis, here, tmp_path, images):
    done = facedis("swap", *images[:2], "-o", tmp_path / "two.png", "--json")
    files = {f"x{n}{what}.png" for n in (1, 2) for what in ("", "_reconstructed", "_swapped")}
    assert done.code == 0 and names(tmp_path) == {"two.png", "two"}
    assert names(tmp_path / "two") == files | {"result.json"}
    assert json.loads((tmp_path / "two" / "result.json").read_text()) == done.record
    assert {name.removesuffix(".png") for name in files} | {"grid"} == done.record["images"].keys()
    assert done.record["faces"] == [str(path) for path in images[:2]] and done.record["task"] == "swap"
    assert done.record["codes"].keys() == {"x1", "x2", "x1_swapped", "x2_swapped"}
    for path in done.record["images"].values():
        with Image.open(path) as image:
            assert "synthetic" in image.info["Comment"] and "synthetic" in image.getexif()[0x010E]


def test_pasting_leaves_the_border_of_the_photo_unchanged(facedis, here, tmp_path, images):
    done = facedis("swap", *images[:2], "--paste", "-o", tmp_path / "p.png", "--json")
    for number, path in enumerate(images[:2], 1):
        photo, pasted = read_image(path), read_image(done.record["images"][f"x{number}_pasted"])
        assert photo.shape == pasted.shape
        same = (photo == pasted).all(axis=2)
        assert same[[0, -1]].all() and same[:, [0, -1]].all() and not same.all()
    alone = facedis("swap", images[0], "--target-expression", "happy", "--paste", "-o", tmp_path / "o.webp", "--json")
    assert alone.record["images"].keys() == {"x1", "x1_reconstructed", "x1_swapped", "x1_pasted", "grid"}


def test_a_swap_to_a_class_mean(facedis, here, tmp_path, images):
    done = facedis("swap", images[0], "--target-expression", "surprise", "-o", tmp_path / "o.jpg")
    assert done.code == 0 and "mean of surprise" in done.out
    assert (here / "runs" / "one" / "means.safetensors").is_file()
    with Image.open(tmp_path / "o.jpg") as image:
        assert image.format == "JPEG" and "synthetic" in image.getexif()[0x010E]
    again = facedis(
        "swap", images[0], "--target-expression", "surprise", "--run", "runs/one", "-o", tmp_path / "o2.jpg"
    )
    assert again.err == ""  # the cached means are used


def test_a_grid_of_a_folder_or_of_images(facedis, here, tmp_path, images):
    (tmp_path / "folder").mkdir()
    for path in images:
        shutil.copy(path, tmp_path / "folder")
    done = facedis("swap", "--grid", tmp_path / "folder", "-o", tmp_path / "g.png", "--json")
    assert done.record["n"] == 3 and "x3_with_x1" in done.record["images"]
    assert done.record["faces"] == sorted(done.record["faces"])
    two = facedis("swap", "--grid", *images[:2], "-o", tmp_path / "h.png")
    assert two.code == 0 and "all 4 generated images" in two.out


def test_an_interpolation_is_a_strip_or_an_animation(facedis, here, tmp_path, images):
    strip = facedis("swap", *images[:2], "--interpolate", "4", "-o", tmp_path / "steps.png", "--json")
    assert strip.record["shares"] == pytest.approx([0, 1 / 3, 2 / 3, 1], abs=1e-6)
    with Image.open(tmp_path / "steps.png") as image:
        assert image.width == 4 * 200 + 8
    done = facedis("swap", *images[:2], "--interpolate", "4", "-o", tmp_path / "steps.gif")
    assert done.code == 0 and "100%" in done.out
    with Image.open(tmp_path / "steps.gif") as image:
        assert 1 <= image.n_frames <= 4 and b"synthetic" in image.info["comment"]
    one = facedis(
        "swap", images[0], "--target-expression", "fear", "--interpolate", "3", "-o", tmp_path / "on.gif", "--json"
    )
    assert one.record["onto"] == "fear" and one.record["task"] == "interpolation"


def test_pasting_into_a_photo_respects_its_exif_orientation(facedis, here, tmp_path, images):
    with Image.open(images[0]) as image:
        exif = Image.Exif()
        exif[0x0112] = 6
        image.convert("RGB").transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    done = facedis("swap", tmp_path / "turned.png", images[1], "--paste", "-o", tmp_path / "t.png", "--json")
    upright, pasted = read_image(images[0]), read_image(done.record["images"]["x1_pasted"])
    assert upright.shape == pasted.shape and (upright[0] == pasted[0]).all()


QUICK = ("--bootstrap-samples", "100", "--pairs", "40")


def test_swap_eval_writes_a_record_a_figure_and_a_contact_sheet(facedis, here, tmp_path, judges):
    words = (
        "--expression-model",
        judges / "expression",
        "--identity-model",
        judges / "identity",
        "--sheet",
        tmp_path / "s.png",
    )
    done = facedis("swap-eval", *words, *QUICK, "-o", tmp_path / "out", "--json")
    assert done.code == 0 and done.err == ""
    assert names(tmp_path / "out") == {"result.json", "swaps.png"}
    found = json.loads((tmp_path / "out" / "result.json").read_text())
    assert found == done.record and found["kind"] == "swap_eval" and found["split"] == "test"
    assert found["pairs"] == {"across": 40, "within": 40}
    for measure in ("transfer", "copy_rate", "identity_to_rest_donor", "kid", "round_trip", "code_cycle"):
        assert found[measure]["across"] and found[measure]["within"]
    assert found["transfer"]["across"]["swap"]["chance"] == pytest.approx(1 / 8)
    assert found["ssim"] == {"across": None, "within": None}  # every image has its own pose and light
    assert found["judges"]["expression"]["run"] == str(judges / "expression")
    with Image.open(tmp_path / "s.png") as image:
        assert image.width > 900 and "synthetic" in image.info["Comment"]
    page = facedis("swap-eval", *words, *QUICK, "-o", tmp_path / "out")
    assert "target expression, %" in page.out and "Findings" in page.out


def test_swap_eval_without_evaluators_measures_images_and_codes(facedis, here):
    done = facedis("swap-eval", *QUICK, "--json")
    assert done.record["transfer"]["across"] is None and done.record["code_cycle"]["across"]
    assert "--expression-model" in done.record["reasons"]["transfer"]
    assert (here / "runs" / "one" / "swap-eval-test" / "swaps.png").is_file()


def test_swap_eval_reads_its_settings_from_a_file(facedis, here, tmp_path):
    (tmp_path / "s.toml").write_text("[swap-eval]\npairs = 12\nbootstrap_samples = 100\nsplit = 'val'\n")
    done = facedis("swap-eval", "--config", tmp_path / "s.toml", "--pairs", "10", "-o", tmp_path / "out", "--json")
    assert done.record["settings"]["pairs"] == 10 and done.record["split"] == "val"
    again = facedis("swap-eval", "--config", tmp_path / "s.toml", "--pairs", "10", "-o", tmp_path / "out", "--json")
    own = ("created", "command")
    assert {k: v for k, v in again.record.items() if k not in own} == {
        k: v for k, v in done.record.items() if k not in own
    }


def test_a_grey_model_generates_grey_images(facedis, here, tmp_path, images):
    shutil.copytree(here / "runs" / "one", tmp_path / "grey")
    info = json.loads((tmp_path / "grey" / "run.json").read_text())
    info["faces"]["grey"] = True
    (tmp_path / "grey" / "run.json").write_text(json.dumps(info))
    done = facedis("swap", *images[:2], "--run", tmp_path / "grey", "-o", tmp_path / "g.png", "--json")
    for name in ("x1", "x1_reconstructed", "x1_swapped", "x2_swapped"):
        assert np.ptp(read_image(done.record["images"][name]).astype(int), axis=2).max() <= 1
