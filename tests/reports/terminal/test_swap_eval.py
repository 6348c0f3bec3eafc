import io

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from facedis.faces.io.provenance import SYNTHETIC
from facedis.reports.figures.swap_eval_figure import swap_figure, write_swap_figure
from facedis.reports.figures.swap_sheet import write_swap_sheet
from facedis.reports.terminal.swap_eval import METRICS, estimates, findings, render
from facedis.tasks.swapping.swap_metrics import SwapExample


def figure(value, half=0.05, chance=None):
    return {"value": value, "low": value - half, "high": value + half, "chance": chance, "n": 100}


def record(**changes):
    """A record with every metric, of swaps across people only."""
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
    rest = {"pairs": {"across": 1000, "within": 0}, "notes": ["a note"], "reasons": {"within": "a reason"}}
    return about | rest | found | {"output": "out", "sheet": "sheet.png"} | changes


def text(result):
    console = Console(width=80, file=io.StringIO())
    for part in render(result):
        console.print(part)
    return console.file.getvalue()


def test_the_table_has_every_metric_with_its_references():
    shown = text(record())
    for _, label, _ in METRICS:
        assert label in shown
    line = next(line for line in shown.splitlines() if line.startswith("target expression, %"))
    assert " ".join(line.split()) == "target expression, % 70.0 [65.0, 75.0] 12.5 2.0 80.0 90.0"
    assert "by other images" in shown and "1,000 swaps" in shown and "…" not in shown
    for word in ("a note", "a reason", "out/result.json", "sheet.png"):
        assert word in shown


def test_metrics_without_estimates_are_left_out():
    result = record()
    for name in ("transfer", "copy_rate", "closer_to_rest_donor", "ssim", "psnr"):
        result[name] = {"across": None, "within": None}
    shown = text(result)
    assert "target expression" not in shown and "SSIM to truth" not in shown and "round trip" in shown
    assert findings(result) == []


def test_findings_depend_on_the_intervals():
    sentences = " ".join(findings(record()))
    assert "target expression for 70.0 % [65.0, 75.0], chance 12.5 %" in sentences and "real faces 90.0 %" in sentences
    assert "Higher than copying: yes; than the mean face: yes." in sentences and "96.0 %" in sentences
    assert "keep the source expression" not in sentences
    result = record()
    result["copy_rate"]["across"]["swap"] = figure(0.4, 0.1, 0.125)
    result["ssim"]["across"] |= {"over_copying": figure(0.01, 0.02), "over_mean_face": figure(-0.1, 0.02)}
    sentences = " ".join(findings(result))
    assert "40.0 % [30.0, 50.0] of swaps across people keep the source expression" in sentences
    assert "Higher than copying: not significantly; than the mean face: no." in sentences
    result["transfer"]["across"]["reconstruction"] = figure(0.2)
    sentences = " ".join(findings(result))
    assert "hardly recognises" in sentences and "keep the source expression" not in sentences


def test_estimates_are_found_by_their_dotted_name():
    assert estimates(record(), "round_trip.psnr", "across")["swap"]["value"] == 21
    assert estimates(record(), "round_trip.psnr", "within") == {}


def test_the_figure_has_one_panel_per_measured_metric(tmp_path):
    titles = [axes.get_title() for axes in swap_figure(record()).axes]
    assert len(titles) == 5 and "SSIM to the ground truth" in titles
    bars = swap_figure(record()).axes[0].patches
    assert sorted(round(bar.get_width(), 2) for bar in bars)[-4:] == [0.02, 0.7, 0.8, 0.9]
    result = record()
    for name in ("transfer", "copy_rate", "closer_to_rest_donor", "verified_as_rest_donor", "ssim"):
        result[name] = {"across": None, "within": None}
    assert len(swap_figure(result).axes) == 1
    write_swap_figure(result, tmp_path / "swaps.png")
    with Image.open(tmp_path / "swaps.png") as image:
        assert image.width > 300


@pytest.mark.parametrize("truth", [True, False])
def test_the_contact_sheet_shows_donors_swap_and_truth(tmp_path, truth):
    squares = [np.full((32, 32, 3), shade, np.uint8) for shade in (30, 90, 150, 210)]
    shown = [SwapExample(*squares[:3], squares[3] if truth else None, "fear", "anger") for _ in range(24)]
    write_swap_sheet(shown, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        pixels = np.asarray(image.convert("L"))
        assert image.info["Comment"] == SYNTHETIC
    areas = [(pixels == shade).sum() / 96**2 for shade in (30, 90, 150, 210)]
    assert areas == pytest.approx([24, 24, 24, 24 * truth], abs=0.3)
