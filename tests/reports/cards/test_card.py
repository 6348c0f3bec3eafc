import pytest

from facedis.reports.cards.card import card
from facedis.result import to_jsonable
from tests.reports.terminal.test_eval import result

STAGE = {
    "classes": ["neutral", "happiness", "sadness"],
    "factors": {},
    "model": {"trunk": "resnet18_half", "image_size": 64, "decoder": "none", "weights": "none"},
    "train": {"seed": 7, "lr": 0.05, "retention": {"leace": True}},
    "faces": {"fingerprint": "f" * 64, "dataset": "fer2013", "crop": "none", "grey": True, "path": "fer.h5"},
}
TRAINING = {"dataset": "fer2013", "n": 28709, "epochs": 30, "kept": 24, "seconds": 7200.0, "rate": 120.4, "final": {}}


def facts(results=(), **more):
    codes = {"expression": 16, "rest": 64}
    return {"name": "demo", "info": STAGE | more, "results": list(results), "parameters": 7_000_000, "codes": codes}


@pytest.fixture
def measured():
    people = {"people": 12, "faces": 240, "faces_each": 20.0, "least": 0.25, "q10": 0.4, "median": 0.7}
    people |= {"q90": 0.9, "most": 1.0, "sd": 0.2, "sd_by_chance": 0.1}
    more = {"kind": "evaluation", "dataset": "fer2013", "facedis": "0.1", "command": "facedis eval", "people": people}
    return to_jsonable(result() | more)


def test_unknown_properties_are_stated():
    text = card(facts())
    assert "Accuracy: not measured." in text
    assert "| training faces | not known |" in text
    for key in ("training time", "machine", "versions"):
        assert f"| {key} | not known |" in text
    assert "- By age, sex, skin colour, origin, disability: not known" in text
    assert "- By person: not known." in text
    assert "## Out-of-scope use" in text and "## Limitations" in text


def test_every_estimate_has_its_interval_chance_and_n(measured):
    text = card(facts([measured], training=TRAINING, machine="Linux, 2 cores"))
    assert "Accuracy: fer2013 val 51.2 % [40.0, 60.0], chance 33.3 %, n 1,234." in text
    assert "| accuracy | 51.2 % | [40.0, 60.0] | 33.3 % | 1,234 |" in text
    assert "| happiness | 51.2 % | [40.0, 60.0] | 33.3 % | 1,234 |" in text
    assert "| linear probe | 51.2 % | [40.0, 60.0] | 33.3 % | 1,234 |" in text
    assert "| rest code: EER | 51.2 % |" in text
    assert "| rest code | 64 | 0.5 | 51.2 % | 0.512 [0.400, 0.600] | 0.512 |" in text
    assert "| happiness | 4 | 705 | 6 |" in text
    assert "12 people with 20.0 faces on average" in text and "minimum 25.0 %" in text
    assert "| training time | 120 min (120 images/s) |" in text
    assert "| seed | 7 |" in text and "train.lr = 0.05" in text and "train.retention.leace = True" in text


def test_the_previous_stage_is_described(measured):
    first = STAGE | {"training": TRAINING, "command": "facedis train --baseline"}
    model = STAGE["model"] | {"weights": "expression"}
    text = card(facts([measured], model=model, began_with=first, training=TRAINING | {"seconds": 60.0}))
    assert text.index("| stage 1 |") < text.index("| stage 2 |")
    assert "`facedis train --baseline`" in text
    assert "| initial weights | trunk of the run expression |" in text
    assert "| training time | 1 min" in text


def test_every_table_has_as_many_cells_as_columns(measured):
    text = card(facts([measured], training=TRAINING))
    width = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        width = width or line.count("|")
        assert line.count("|") == width, line
