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


def test_every_table_is_there_with_chance_and_n():
    text = shown(result())
    for title in (
        "Expression",
        "Recall of each expression",
        "Expression read from the rest code",
        "Expression read from (strongest probe)",
        "Person named, one of 20, from",
        "Told apart by cosine",
        "Recognised across expressions",
        "Trunk features without the expression, predicted from (R2)",
        "Known factors",
    ):
        assert f"\n{title}" in text
    row = next(line for line in text.splitlines() if line.startswith("balanced accuracy"))
    assert row.split() == ["balanced", "accuracy", "51.2", "%", "[40.0,", "60.0]", "33.3", "%", "1,234"]
    assert "What this says" in text


def test_the_confusion_matrix_keeps_rows_and_columns():
    lines = shown(result()).splitlines()
    head = next(i for i, line in enumerate(lines) if line.split() == ["neutral", "happine", "sadness"])
    assert [line.split() for line in lines[head + 1 : head + 4]] == [
        ["neutral", "701", "2", "3"],
        ["happiness", "4", "705", "6"],
        ["sadness", "0", "0", "0"],
    ]


def test_what_is_known_but_not_measured_is_said():
    text = shown(result())
    assert "a note [with brackets]" in text
    assert "left out, because the model does not know the expression: 18 contempt" in text
    assert any(line.split() == ["sadness", "–"] for line in text.splitlines())


def test_a_baseline_shows_its_reason_once():
    text = shown(result(rest=False))
    assert text.count("there is no rest code") == 1
    assert "usable information" not in text
    assert "trunk features" in text and "Expression read from the rest code" not in text


def test_the_page_fits_a_terminal_of_eighty_columns():
    eight = tuple(f"expression{i}" for i in range(8))
    big = result(
        classes=eight, confusion=np.full((8, 8), 1234), recall=dict.fromkeys(eight, FIGURE), output="runs/a/eval-val"
    )
    assert max(map(len, shown(big).splitlines())) <= 80
    rows = [line.split() for line in shown(big).splitlines() if line.count("1,234") == 8]
    assert len(rows) == 8  # no row is broken, no count is cut


@pytest.mark.parametrize("output", [None, "runs/a/eval-val"])
def test_the_last_line_says_where_the_files_are(output):
    record = result(**({"output": output} if output else {}))
    assert ("Written: runs/a/eval-val/result.json" in shown(record)) == bool(output)


def test_published_numbers_stand_beside_ours_where_the_protocol_is_the_same():
    seven = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
    same = result(dataset="fer2013", split="test", classes=seven, confusion=np.ones((7, 7), int), n=3589)
    assert "Published" not in shown(result()) and "Residual Masking" not in shown(result())
    same["task"]["accuracy"]["n"] = 3589
    text = shown(same)
    assert "FER2013, 7 expressions, PrivateTest of 3,589" in text
    assert any(line.split()[:3] == ["this", "run", "51.23"] for line in text.splitlines())


def test_every_probe_that_was_tried_is_shown_and_the_strongest_is_named():
    text = shown(result())
    assert "strongest (network)" in text and "fresh linear probe" in text and "usable information" in text
    assert "boosted trees" not in text
