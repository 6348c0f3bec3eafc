import io
from collections import namedtuple

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from facedis.faces.io.provenance import SYNTHETIC
from facedis.reports.figures.swap_eval_figure import swaps_figure, swaps_png
from facedis.reports.terminal.swap_eval import MEASURES, figures, findings, render, sheet_of

SwapExample = namedtuple("SwapExample", "rest_donor expression_donor swap truth rest_expression expression")


def figure(value, half=0.05, chance=None):
    return {"value": value, "low": value - half, "high": value + half, "chance": chance, "n": 100}


def record(**changes):
    """A record with every measure, of swaps across people only."""
    across = {
        "transfer": {
            "swap": figure(0.7, chance=0.125),
            "copying": figure(0.02),
            "reconstruction": figure(0.8),
            "real": figure(0.9),
        },
        "copy_rate": {"swap": figure(0.06, 0.02, 0.125), "copying": figure(0.9), "real": figure(0.02, 0.02)},
        "identity_to_rest_donor": {"swap": figure(0.8), "genuine": figure(0.85), "impostor": figure(0.1)},
        "identity_to_expression_donor": {"swap": figure(0.2), "copying": figure(0.15)},
        "closer_to_rest_donor": {"swap": figure(0.96, 0.02, 0.5), "other_pictures": figure(0.9, 0.02, 0.5)},
        "verified_as_rest_donor": {"swap": figure(0.6, chance=0.01), "genuine": figure(0.9)},
        "verified_as_expression_donor": {"swap": figure(0.02, 0.01)},
        "psnr": {"swap": figure(24.5), "copying": figure(22.0), "mean_face": figure(15.0)},
        "ssim": {
            "swap": figure(0.8),
            "copying": figure(0.75),
            "mean_face": figure(0.6),
            "over_copying": figure(0.05, 0.02),
            "over_mean_face": figure(0.2, 0.02),
        },
        "kid": {"swap": figure(0.0123, 0.001, 0.0), "real": figure(-0.0001)},
        "round_trip": {"ssim": {"swap": figure(0.7)}, "psnr": {"swap": figure(21.0)}},
        "code_cycle": {
            "expression": {"swap": figure(0.9), "donors": figure(0.1)},
            "rest": {"swap": figure(0.95), "donors": figure(0.2)},
        },
    }
    found = {name: {"across": values, "within": None} for name, values in across.items()}
    about = {"model": "runs/one", "faces": "grid.h5", "split": "test", "n": 112, "seed": 0}
    told = {"pairs": {"across": 1000, "within": 0}, "notes": ["a note"], "reasons": {"within": "a reason"}}
    return about | told | found | {"output": "out", "sheet": "sheet.png"} | changes


def text(result):
    console = Console(width=80, file=io.StringIO())
    for part in render(result):
        console.print(part)
    return console.file.getvalue()


def test_the_page_has_every_measure_beside_its_references():
    shown = text(record())
    for _, label, _ in MEASURES:
        assert label in shown
    line = next(line for line in shown.splitlines() if line.startswith("wanted expression, %"))
    assert " ".join(line.split()) == "wanted expression, % 70.0 [65.0, 75.0] 12.5 2.0 80.0 90.0"
    assert "by other pictures" in shown and "1,000 swaps" in shown and "…" not in shown
    for word in ("a note", "a reason", "out/result.json", "sheet.png"):
        assert word in shown


def test_what_nobody_judged_is_left_out():
    result = record()
    for name in ("transfer", "copy_rate", "closer_to_rest_donor", "ssim", "psnr"):
        result[name] = {"across": None, "within": None}
    shown = text(result)
    assert "wanted expression" not in shown and "SSIM to the truth" not in shown and "swapped back" in shown
    assert findings(result) == []


def test_the_sentences_follow_from_the_intervals():
    said = " ".join(findings(record()))
    assert "wanted expression in 70.0 % [65.0, 75.0], chance 12.5 %" in said and "real faces in 90.0 %" in said
    assert "Better than copying: yes; than the mean face: yes." in said and "96.0 %" in said
    assert "keep the old expression" not in said
    result = record()
    result["copy_rate"]["across"]["swap"] = figure(0.4, 0.1, 0.125)
    result["ssim"]["across"] |= {"over_copying": figure(0.01, 0.02), "over_mean_face": figure(-0.1, 0.02)}
    said = " ".join(findings(result))
    assert "Some swaps across people keep the old expression: 40.0 %" in said
    assert "Better than copying: not clearly; than the mean face: no." in said
    result["transfer"]["across"]["reconstruction"] = figure(0.2)
    said = " ".join(findings(result))
    assert "hardly legible" in said and "keep the old expression" not in said


def test_figures_are_found_by_their_dotted_name():
    assert figures(record(), "round_trip.psnr", "across")["swap"]["value"] == 21
    assert figures(record(), "round_trip.psnr", "within") == {}


def test_the_picture_has_a_panel_for_each_measure_that_was_taken(tmp_path):
    titles = [axes.get_title() for axes in swaps_figure(record()).axes]
    assert len(titles) == 5 and "SSIM to the truth" in titles
    bars = swaps_figure(record()).axes[0].patches
    assert sorted(round(bar.get_width(), 2) for bar in bars)[-4:] == [0.02, 0.7, 0.8, 0.9]
    result = record()
    for name in ("transfer", "copy_rate", "closer_to_rest_donor", "verified_as_rest_donor", "ssim"):
        result[name] = {"across": None, "within": None}
    assert len(swaps_figure(result).axes) == 1
    swaps_png(result, tmp_path / "swaps.png")
    with Image.open(tmp_path / "swaps.png") as image:
        assert image.width > 300


@pytest.mark.parametrize("truth", [True, False])
def test_the_sheet_shows_donors_swap_and_truth(tmp_path, truth):
    squares = [np.full((32, 32, 3), shade, np.uint8) for shade in (30, 90, 150, 210)]
    shown = [SwapExample(*squares[:3], squares[3] if truth else None, "fear", "anger") for _ in range(24)]
    sheet_of(shown, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        pixels = np.asarray(image.convert("L"))
        assert image.info["Comment"] == SYNTHETIC
    areas = [(pixels == shade).sum() / 96**2 for shade in (30, 90, 150, 210)]
    assert areas == pytest.approx([24, 24, 24, 24 * truth], abs=0.3)
