"""Which preset the faces get, and that each is made of settings that exist."""

import pytest

from facedis.config import ModelConfig, TrainConfig, resolve
from facedis.errors import ConfigError
from facedis.presets import PRESETS, Known, choose, layers


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("known", [Known(True), Known(False), Known(True, scenes=True)])
def test_every_preset_resolves(name, known):
    model, train = layers(name, {}, False, known)
    resolve(ModelConfig, model)
    resolve(TrainConfig, train)


def test_clean_keeps_people_where_they_are_known_and_few_pixels_where_not():
    assert layers("clean", {}, False, Known(True))[0]["factors"] == ["identity"]
    model, train = layers("clean", {}, False, Known(False))
    assert "factors" not in model and train["lowres_retention_weight"] > 0
    assert "factors" not in layers("clean", {}, True, Known(True))[0], "a baseline has no rest branch"


@pytest.mark.parametrize(("factors", "kept"), [(["yaw"], True), ([], True), (["yaw", "identity:who"], False)])
def test_clean_keeps_few_pixels_of_known_people_whose_names_are_not_asked_for(factors, kept):
    model, train = layers("clean", {}, False, Known(True), factors=factors)
    assert ("lowres_retention_weight" in train) == ("rest_rank" in train) == kept
    resolve(TrainConfig, train)
    assert resolve(ModelConfig, model, {"factors": factors}).factors == tuple(factors)


@pytest.mark.parametrize("typed", [{"erase": False}, {"lowres_retention_weight": 0.0}])
def test_directions_of_what_is_switched_off_go_with_it(typed):
    train = layers("clean", typed, False, Known(False))[1]
    assert "rest_rank" not in train and layers("clean", {}, False, Known(False))[1]["rest_rank"] == 16
    resolve(TrainConfig, train, typed)


def test_the_faces_choose_and_an_unknown_name_is_refused():
    assert choose(None, "rendered")[0] == "small" and choose(None, "fer2013")[0] == "paper"
    with pytest.raises(ConfigError, match="paper, small, clean"):
        choose("big", "rendered")


def test_clean_learns_to_swap_later_unless_another_decoder_is_asked_for():
    model, train = layers("clean", {}, False, Known(True))
    assert model["decoder"] == "post-hoc" and model["rest_map"] > 0 and train["draw_swap"] > 0
    model, train = layers("clean", {}, False, Known(True), "detached")
    assert model["decoder"] == "detached" and "rest_map" not in model and "draw_swap" not in train
    resolve(ModelConfig, model)


def test_clean_learns_from_scenes_what_a_swap_should_be():
    alone, scenes = (layers("clean", {}, False, Known(True, scenes)) for scenes in (False, True))
    assert "draw_truth" not in alone[1] and scenes[1]["draw_truth"] > 0
    assert scenes[0]["spatial_rest_context"] == "whole" and "spatial_rest_context" not in alone[0]
