"""What a wish comes to on given faces, and what the user is told of it before anything is trained."""

import pytest

from facedis.studies import training
from facedis.studies.training import Wish, settings

WARNING = "nothing keeps the rest code alive"


@pytest.mark.parametrize("wish", [Wish(model={"factors": "yaw"}), Wish(file={"model": {"factors": ["yaw"]}})])
def test_clean_keeps_few_pixels_where_the_factors_asked_for_name_nobody(opened, wish):
    model, config = settings("clean", wish, opened)
    assert model.factors == ("yaw",) and config.keep_picture > 0
    assert settings("clean", Wish(), opened)[1].keep_picture == 0, "people are known by name"


@pytest.mark.parametrize(
    ("preset", "model", "train", "warned"),
    [
        ("clean", {}, {}, False),
        ("clean", {"factors": "yaw"}, {}, False),
        ("clean", {"factors": "yaw"}, {"keep_picture": 0.0}, True),
        ("clean", {"factors": "yaw"}, {"keep_picture": 0.0, "keep_variance": 1.0}, False),
        ("clean", {"factors": "yaw"}, {"keep_picture": 0.0, "beta1": 0.001}, False),
        ("clean", {"factors": "identity:who"}, {}, True),
        ("paper", {}, {}, False),
    ],
)
def test_a_rest_code_that_nothing_keeps_alive_is_a_warning(
    pattern_cache, tmp_path, monkeypatch, preset, model, train, warned
):
    told = []
    monkeypatch.setattr(training, "_trained", lambda job: {})
    training.train(pattern_cache, Wish(preset, folder=tmp_path, model=model, train=train), told.append)
    assert warned == any(event.kind == "warning" and WARNING in event.text for event in told)
