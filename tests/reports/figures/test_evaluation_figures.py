import numpy as np
import pytest
from PIL import Image

from facedis.errors import OutputError
from facedis.reports.figures.evaluation_figures import bar_chart, code_maps, confusion_png, trade_off

CLASSES = ("neutral", "happiness", "sadness")
ERASED = "trunk features after LEACE"


def test_the_figure_is_written_whole(tmp_path):
    path = tmp_path / "new" / "confusion.png"
    confusion_png([[10, 0, 0], [5, 5, 0], [0, 0, 0]], CLASSES, path, "a title")
    picture = np.asarray(Image.open(path).convert("RGB"))
    assert min(picture.shape[:2]) > 300
    assert [file.name for file in path.parent.iterdir()] == ["confusion.png"]


def test_colour_is_the_fraction_of_the_row_not_the_count(tmp_path):
    few, many = tmp_path / "few.png", tmp_path / "many.png"
    confusion_png(np.eye(3) * 7, CLASSES, few)
    confusion_png(np.eye(3) * 8, CLASSES, many)
    first, second = (np.asarray(Image.open(path).convert("L")).astype(int) for path in (few, many))
    assert first.shape == second.shape
    changed = (abs(first - second) > 40).mean()
    assert 0 < changed < 0.01  # only the digits differ


def test_an_unwritable_path_raises_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        confusion_png(np.eye(3), CLASSES, tmp_path / "file" / "confusion.png")


def measured(named: bool) -> dict:
    def figure(value: float, chance: float) -> dict:
        return {"value": value, "low": value - 0.05, "high": value + 0.05, "chance": chance, "n": 100}

    leaks = {"rest": 0.4, "trunk": 0.8, "erased_trunk": 0.3}
    kept = {f"identity_auc_{code}": figure(0.7, 0.5) if named else None for code in leaks}
    return {
        "leakage": {f"expression_in_{code}": {"strongest": figure(value, 0.25)} for code, value in leaks.items()},
        "retention": kept | {"embedding_r2_rest": figure(0.6, 0.0)},
    }


def points(result: dict) -> dict[str, tuple[float, float]]:
    axes = trade_off(result).axes[0]
    return {bar.get_label(): tuple(float(v[0]) for v in bar.lines[0].get_data()) for bar in axes.containers}


def test_the_trade_off_shows_retention_and_leakage():
    assert points(measured(named=True)) == {"rest code": (0.7, 0.4), "trunk features": (0.7, 0.8), ERASED: (0.7, 0.3)}


def test_without_identities_trunk_features_explain_themselves():
    found = points(measured(named=False))
    assert found["rest code"] == (0.6, 0.4) and found["trunk features"] == (1, 0.8) and found[ERASED] == (1, 0.3)


def test_a_baseline_shows_its_trunk_only_and_no_measurement_gives_no_figure():
    result = measured(named=True)
    result["leakage"] |= {"expression_in_rest": None}
    assert set(points(result)) == {"trunk features", ERASED}
    assert trade_off({"leakage": {}, "retention": {}}) is None


def test_projections_show_every_face_once_per_code():
    places = np.random.default_rng(0).normal(size=(12, 2))
    figure = code_maps({"expression": places, "rest": places}, np.arange(12) % 3, CLASSES)
    counts = [[len(points.get_offsets()) for points in axes.collections] for axes in figure.axes]
    assert counts == [[4, 4, 4], [4, 4, 4]]


def test_bars_are_in_the_order_of_their_names():
    axes = bar_chart(("a", "b"), (0.2, 0.9), "recall", 0.5).axes[0]
    tops = sorted(axes.patches, key=lambda bar: -bar.get_y())
    assert [bar.get_width() for bar in tops] == [0.2, 0.9]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]
