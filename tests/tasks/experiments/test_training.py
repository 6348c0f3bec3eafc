"""What a options comes to on given faces, and what the user is told of it before anything is trained."""

from dataclasses import replace

import pytest

from facedis.config import SettingsFile
from facedis.errors import ConfigError
from facedis.tasks.experiments import ablation, training
from facedis.tasks.experiments.training import TrainOptions, resolve_settings

WARNING = "no loss keeps the rest code from collapsing"


@pytest.mark.parametrize(
    "options",
    [
        TrainOptions(settings={"factors": "yaw"}),
        TrainOptions(file=SettingsFile(tables={"model": {"factors": ["yaw"]}})),
    ],
)
def test_clean_keeps_few_pixels_where_the_factors_asked_for_name_nobody(opened, options):
    _, model, config = resolve_settings(replace(options, preset="clean"), opened)
    assert model.factors == ("yaw",) and config.retention.lowres_retention_weight > 0
    config = resolve_settings(TrainOptions("clean"), opened)[2]
    assert config.retention.lowres_retention_weight == 0, "identities are known"


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
    training.train(pattern_cache, TrainOptions(preset, folder=tmp_path, settings=model | train), told.append)
    assert warned == any(event.kind == "warning" and WARNING in event.text for event in told)


@pytest.mark.parametrize("decoder", ["none", "detached", "post-hoc"])
@pytest.mark.parametrize("preset", ["paper", "small", "clean"])
def test_a_reconstruction_loss_that_would_reach_no_code_is_refused(opened, preset, decoder):
    def resolved(**settings):
        return resolve_settings(TrainOptions(preset, settings=settings), opened)[1].decoder

    with pytest.raises(ConfigError, match=f"--beta1 is 0.001, but with --decoder {decoder}"):
        file = SettingsFile(tables={"train": {"beta1": 0.001}})
        resolve_settings(TrainOptions(preset, file=file, settings={"decoder": decoder}), opened)
    assert resolved(decoder=decoder, beta1=0.0) == decoder
    assert resolved(beta1=0.001) == "joint"
    assert resolved(baseline=True, decoder="none", beta1=0.001) == "none"


def test_rows_of_an_ablation_with_a_reconstruction_loss_have_a_decoder_that_the_codes_hear(opened, tmp_path):
    options = TrainOptions("small", file=SettingsFile(tables={"model": {"decoder": "detached"}}))
    rows = [ablation._options_of_row(options, tmp_path, variant, 0, False) for variant in ablation.PAPER_ROWS]
    found = [resolve_settings(row, opened)[1].decoder for row in rows]
    assert found == ["none", "joint", "joint", "detached"]
