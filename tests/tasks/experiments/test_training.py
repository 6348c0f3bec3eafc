"""What a options comes to on given faces, and what the user is told of it before anything is trained."""

import pytest

from facedis.errors import ConfigError
from facedis.tasks.experiments import ablation, training
from facedis.tasks.experiments.training import TrainOptions, settings

WARNING = "nothing keeps the rest code alive"


@pytest.mark.parametrize(
    "options", [TrainOptions(model={"factors": "yaw"}), TrainOptions(file={"model": {"factors": ["yaw"]}})]
)
def test_clean_keeps_few_pixels_where_the_factors_asked_for_name_nobody(opened, options):
    model, config = settings("clean", options, opened)
    assert model.factors == ("yaw",) and config.lowres_retention_weight > 0
    assert settings("clean", TrainOptions(), opened)[1].lowres_retention_weight == 0, "people are known by name"


@pytest.mark.parametrize(
    ("preset", "model", "train", "warned"),
    [
        ("clean", {}, {}, False),
        ("clean", {"factors": "yaw"}, {}, False),
        ("clean", {"factors": "yaw"}, {"lowres_retention_weight": 0.0}, True),
        ("clean", {"factors": "yaw"}, {"lowres_retention_weight": 0.0, "variance_weight": 1.0}, False),
        ("clean", {"factors": "yaw"}, {"lowres_retention_weight": 0.0, "beta1": 0.001}, False),
        ("clean", {"factors": "identity:who"}, {}, True),
        ("paper", {}, {}, False),
    ],
)
def test_a_rest_code_that_nothing_keeps_alive_is_a_warning(
    pattern_cache, tmp_path, monkeypatch, preset, model, train, warned
):
    told = []
    monkeypatch.setattr(training, "_fit", lambda job: {})
    training.train(pattern_cache, TrainOptions(preset, folder=tmp_path, model=model, train=train), told.append)
    assert warned == any(event.kind == "warning" and WARNING in event.text for event in told)


@pytest.mark.parametrize("decoder", ["none", "detached", "post-hoc"])
@pytest.mark.parametrize("preset", ["paper", "small", "clean"])
def test_a_reconstruction_loss_that_would_reach_no_code_is_refused(opened, preset, decoder):
    with pytest.raises(ConfigError, match=f"--beta1 is 0.001, but with --decoder {decoder}"):
        settings(preset, TrainOptions(model={"decoder": decoder}, file={"train": {"beta1": 0.001}}), opened)
    assert (
        settings(preset, TrainOptions(model={"decoder": decoder}, train={"beta1": 0.0}), opened)[0].decoder == decoder
    )
    assert settings(preset, TrainOptions(train={"beta1": 0.001}), opened)[0].decoder == "joint"
    baseline = {"baseline": True, "decoder": "none"}
    assert settings(preset, TrainOptions(model=baseline, train={"beta1": 0.001}), opened)[0].decoder == "none"


def test_rows_of_an_ablation_with_a_reconstruction_loss_have_a_decoder_that_the_codes_hear(opened, tmp_path):
    options = TrainOptions(file={"model": {"decoder": "detached"}})
    rows = [ablation._options_of_row(options, tmp_path, variant, 0, False) for variant in ablation.PAPER_ROWS]
    found = [settings("small", row, opened)[0].decoder for row in rows]
    assert found == ["none", "joint", "joint", "detached"]
