import io

import numpy as np
import pytest
from rich.console import Console

from facedis.reports.terminal.eval import render
from facedis.result import Estimate, to_jsonable

CLASSES = ("neutral", "happiness", "sadness")
FIGURE = Estimate(0.5123, 0.4, 0.6, 1 / 3, 1234)


def result(rest: bool = True, **more) -> dict:
    signs = dict.fromkeys(("effective_rank", "dead_share", "mean_cosine", "total_variance"), FIGURE) | {"size": 64}
    probed = dict.fromkeys(("linear", "mlp", "strongest", "normalised", "bits", "share"), FIGURE) | {"kind": "mlp"}
    reading = probed | dict.fromkeys(("adversary", "null", "selectivity"), FIGURE)
    state = dict.fromkeys(("majority_share", "entropy", "confusion_excess"), FIGURE)
    measures = ("identity_auc", "eer", "tar_at_far_1", "rank1")
    codes = ("rest", "expression", "trunk", "erased_trunk", "random")
    kept = {f"{key}_{code}": FIGURE if rest or code != "rest" else None for key in measures for code in codes}
    kept |= {f"embedding_r2_{code}": FIGURE if rest or code != "rest" else None for code in codes}
    found = {
        "model": "runs/a",
        "faces": "faces.h5",
        "split": "val",
        "n": 1234,
        "seed": 0,
        "classes": CLASSES,
        "task": dict.fromkeys(("accuracy", "balanced_accuracy", "macro_f1", "ece", "nll", "majority_rate"), FIGURE),
        "recall": {"neutral": FIGURE, "happiness": FIGURE, "sadness": None},
        "confusion": np.array([[701, 2, 3], [4, 705, 6], [0, 0, 0]]),
        "leakage": {
            "expression_in_rest": reading if rest else None,
            "adversary": state if rest else None,
            "expression_in_expression": probed,
            "expression_in_trunk": probed,
            "expression_in_erased_trunk": probed,
            "identity_in_expression": {"strongest": FIGURE},
            "identity": {"people": 20, "faces": 400, "across": 1.0},
        },
        "retention": kept | {"same_expression_auc": FIGURE, "normalised": FIGURE if rest else None},
        "factors": {"yaw": dict.fromkeys(("block_mig", "block_sap", "block_dci", "mig", "sap"), 0.512), "all": {}},
        "dataset": "rendered",
        "collapse": {"rest": signs if rest else None, "expression": signs},
        "left_out": {"contempt": 18},
        "notes": ["a note [with brackets]"],
        "reasons": {} if rest else {"collapse.rest": "there is no rest code", "leakage": "there is no rest code"},
    }
    return to_jsonable(found | more)


def shown(record: dict, width: int = 80) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    for part in render(record):
        console.print(part)
    return stream.getvalue()


def test_findings_precede_tables_with_chance_and_n():
    text = shown(result())
    for title in (
        "Findings",
        "Caveats",
        "Expression classification",
        "Recall per expression",
        "Confusion matrix",
        "Leakage: expression in the rest code",
        "Best probe: balanced accuracy of the expression",
        "Best probe: balanced accuracy of the identity of 20 people",
        "Retention: pairs by cosine similarity (AUC)",
        "Retention: trunk features after LEACE explained (R²)",
        "Identity verification across expressions",
        "Known factors",
    ):
        assert f"\n{title}" in text
    row = next(line for line in text.splitlines() if line.startswith("balanced accuracy"))
    assert row.split() == ["balanced", "accuracy", "51.2", "%", "[40.0,", "60.0]", "33.3", "%", "1,234"]
    assert text.index("Findings") < text.index("Caveats") < text.index("Expression classification")


def test_the_confusion_matrix_keeps_rows_and_columns():
    lines = shown(result()).splitlines()
    head = next(i for i, line in enumerate(lines) if line.split() == ["neutral", "happine", "sadness"])
    assert [line.split() for line in lines[head + 1 : head + 4]] == [
        ["neutral", "701", "2", "3"],
        ["happiness", "4", "705", "6"],
        ["sadness", "0", "0", "0"],
    ]


def test_caveats_are_shown():
    text = shown(result())
    assert "a note [with brackets]" in text
    assert "faces left out because the model has no such expression: 18 contempt" in text
    assert any(line.split() == ["sadness", "–"] for line in text.splitlines())


def test_a_baseline_shows_each_reason_once():
    text = shown(result(rest=False))
    assert text.count("there is no rest code") == 1
    assert "usable information" not in text
    assert "trunk features" in text and "expression in the rest code" not in text


def test_the_report_fits_eighty_columns():
    eight = tuple(f"expression{i}" for i in range(8))
    big = result(
        classes=eight, confusion=np.full((8, 8), 1234), recall=dict.fromkeys(eight, FIGURE), output="runs/a/eval-val"
    )
    assert max(map(len, shown(big).splitlines())) <= 80
    rows = [line.split() for line in shown(big).splitlines() if line.count("1,234") == 8]
    assert len(rows) == 8  # no row is broken, no count is cut


@pytest.mark.parametrize("output", [None, "runs/a/eval-val"])
def test_the_last_line_names_the_files(output):
    record = result(**({"output": output} if output else {}))
    assert ("Written: runs/a/eval-val/result.json" in shown(record)) == bool(output)


def test_published_results_are_shown_for_the_same_protocol():
    seven = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
    same = result(dataset="fer2013", split="test", classes=seven, confusion=np.ones((7, 7), int), n=3589)
    assert "Published" not in shown(result()) and "Residual Masking" not in shown(result())
    same["task"]["accuracy"]["n"] = 3589
    text = shown(same)
    assert "FER2013, 7 expressions, PrivateTest of 3,589" in text
    assert any(line.split()[:3] == ["this", "run", "51.23"] for line in text.splitlines())


def test_every_fitted_probe_is_shown():
    text = shown(result())
    assert "best: MLP probe" in text and "linear probe" in text and "usable information" in text
    assert "gradient boosting" not in text
