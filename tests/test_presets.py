"""The presets of `facedis train`, and the choice among them by the dataset."""

import pytest

from facedis.config import ModelConfig, TrainConfig, resolve_tables
from facedis.errors import ConfigError
from facedis.presets import PRESETS, DatasetTraits, choose_preset, preset_overrides

IDENTITIES, NONE, SCENES = DatasetTraits(True), DatasetTraits(False), DatasetTraits(True, scenes=True)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("traits", [IDENTITIES, NONE, SCENES])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"model": {"baseline": True}},
        {"model": {"decoder": "none"}},
        {"model": {"decoder": "auto"}},
        {"model": {"factors": []}},
        {"train": {"beta1": 0.5}},
        {"retention": {"leace": False}},
        {"retention": {"lowres_retention_weight": 0.0}},
    ],
)
def test_every_preset_resolves(name, traits, given):
    _, tables = preset_overrides(name, given, traits)
    resolve_tables(ModelConfig, tables, given)
    resolve_tables(TrainConfig, tables, given)


def test_clean_suits_the_faces():
    assert preset_overrides("clean", {}, IDENTITIES)[0] == "clean-identity"
    assert preset_overrides("clean", {}, NONE)[0] == "clean-no-identity"
    assert preset_overrides("clean", {}, SCENES)[0] == "clean-scenes"
    assert "factors" not in preset_overrides("clean", {"model": {"baseline": True}}, IDENTITIES)[1]["model"]


@pytest.mark.parametrize(("factors", "lowres"), [(["yaw"], True), ([], True), (["yaw", "identity:who"], False)])
def test_clean_retains_pixels_where_identity_is_not_a_factor(factors, lowres):
    given = {"model": {"factors": factors}}
    _, tables = preset_overrides("clean", given, IDENTITIES)
    retention = resolve_tables(TrainConfig, tables, given).retention
    assert (retention.lowres_retention_weight > 0) == (retention.rest_rank > 0) == lowres
    assert resolve_tables(ModelConfig, tables, given).factors == tuple(factors)


@pytest.mark.parametrize("given", [{"leace": False}, {"lowres_retention_weight": 0.0}])
def test_rank_is_dropped_with_its_regression_targets(given):
    tables = preset_overrides("clean", {"retention": given}, NONE)[1]
    assert "rest_rank" not in tables["retention"]
    assert preset_overrides("clean", {}, NONE)[1]["retention"]["rest_rank"] == 16


def test_the_dataset_chooses_and_an_unknown_preset_is_refused():
    assert choose_preset(None, "rendered")[0] == "small" and choose_preset(None, "fer2013")[0] == "paper"
    with pytest.raises(ConfigError, match="paper, small, clean"):
        choose_preset("big", "rendered")


def test_small_detaches_its_decoder_unless_beta1_is_set():
    assert preset_overrides("small", {}, NONE)[1]["model"]["decoder"] == "detached"
    assert preset_overrides("small", {"train": {"beta1": 1.0}}, NONE)[1]["model"]["decoder"] == "joint"


def test_clean_has_a_post_hoc_decoder_unless_another_is_given():
    tables = preset_overrides("clean", {}, IDENTITIES)[1]
    assert tables["model"]["decoder"] == "post-hoc" and tables["model"]["spatial_rest_channels"] > 0
    assert tables["decoder"]["expression_weight"] > 0
    tables = preset_overrides("clean", {"model": {"decoder": "detached"}}, IDENTITIES)[1]
    assert tables["model"]["decoder"] == "detached" and "spatial_rest_channels" not in tables["model"]
    assert "decoder" not in tables


def test_clean_trains_its_decoder_on_true_swaps_where_there_are_scenes():
    without, scenes = (preset_overrides("clean", {}, traits)[1] for traits in (IDENTITIES, SCENES))
    assert "paired_prob" not in without["decoder"] and scenes["decoder"]["paired_prob"] > 0
    assert scenes["model"]["spatial_rest_context"] == "full" and "spatial_rest_context" not in without["model"]
