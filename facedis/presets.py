"""Ready-made settings of `facedis train`, and which one a dataset gets.

The choice depends on the faces and the options alone, never on whether a network is there.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from facedis.errors import ConfigError

#: Datasets that the package makes itself; every other is the user's own.
BUNDLED_DATASETS = ("rendered",)

PAPER: dict[str, dict[str, Any]] = {"model": {}, "train": {}}  # the defaults of facedis.config are the paper's

SMALL: dict[str, dict[str, Any]] = {
    "model": {
        "trunk": "resnet18_half",
        "weights": "none",
        "size": 64,
        "branch": "light",
        "branch_widths": [128, 128, 128],
        "expression_size": 64,
        "rest_size": 64,
        "decoder_width": 256,
    },
    "train": {"epochs": 20, "batch": 32, "lr": 1e-3, "checkpoint_minutes": 1.0},
}
#: What docs/method.md arrived at; `layers` adds what the rest code must keep, which depends on the faces.
CLEAN: dict[str, dict[str, Any]] = {
    "model": {
        **SMALL["model"],
        "expression_size": 16,
        "code_norm": "batch",
        "rest_stages": 2,
        "adversary": ["linear", "mlp", "mlp"],
    },
    "train": {
        "epochs": 24,
        "batch": 64,
        "lr": 2e-3,
        "optimizer": "adamw",
        "schedule": "onecycle",
        "rest_gradient": 0.2,
        "own_weight": 0.5,
        "clean_weight": 0.3,
        "erase": True,
        "checkpoint_minutes": 1.0,
    },
}
#: How `clean` draws, where its decoder learns later.
DRAWING: dict[str, dict[str, Any]] = {
    "model": {"decoder_kind": "styled", "decoder_width": 192, "rest_map": 8, "rest_map_side": 16},
    "train": {
        "draw_epochs": 16,
        "draw_warm_up": 0.8,
        "draw_pixels": 5.0,
        "draw_structure": 1.0,
        "draw_features": 1.0,
        "draw_swap": 0.03,
        "draw_codes": 0.1,
        "draw_stand_in": 0.3,
        "draw_real": 0.03,
    },
}
#: What it asks for besides where it is known what a swap should look like: the map may see the whole face then.
SCENES: dict[str, dict[str, Any]] = {
    "model": {"rest_map_sight": "whole"},
    "train": {"draw_epochs": 32, "draw_truth": 0.8, "draw_change": 20.0, "draw_still": 0.3, "draw_clean": 0.05},
}
#: What `clean` keeps in the rest code where who is who is none of the factors.
STRANGERS = {
    "keep_picture": 1.0,
    "keep_apart": 0.3,
    "keep_directions": 16,
    "beta3": 4.0,
    "adversary_steps": 2,
    "rest_gradient": 0.0,  # the expression is learned to the bit as a baseline learns it: hiding it costs nothing
}
PRESETS = {"paper": PAPER, "small": SMALL, "clean": CLEAN}


class Known(NamedTuple):
    """What the faces say beside the expression.

    Attributes:
        people: Whether they say who is who.
        scenes: Whether those that a decoder learns from show each person with several expressions, all else equal.
    """

    people: bool
    scenes: bool = False


def choose(preset: str | None, dataset: str) -> tuple[str, str]:
    """The preset's name, and why it is that one.

    Args:
        preset: What the user asked for, or None.
        dataset: Name of the reader that the faces came through.

    Raises:
        ConfigError: There is no such preset.
    """
    if preset is not None and preset not in PRESETS:
        raise ConfigError(f"there is no preset '{preset}'", f"choose one of: {', '.join(PRESETS)}")
    if preset is not None:
        return preset, "as asked"
    if dataset in BUNDLED_DATASETS:
        return "small", "these are the bundled faces; --preset paper for the paper's network"
    return "paper", "these are your own faces; --preset small for a small network on a small machine"


def layers(
    preset: str,
    typed: Mapping[str, Any],
    baseline: bool,
    known: Known,
    decoder: str | None = None,
    factors: Sequence[str] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The model and training settings of `preset`.

    `small` also learns to draw, so that `facedis swap` has something to show: without touching the
    codes where beta1 is 0. `clean` learns to swap once its codes are finished, and keeps people in the
    rest code where they are known by name and no other factors are asked for, else the face in few pixels; then the
    game is played harder, for nobody's name pulls the other way.

    Args:
        preset: A name of `PRESETS`.
        typed: Settings of the training as typed or in the settings file.
        baseline: Whether there is no rest branch, and so nothing to draw from.
        known: What the faces say.
        decoder: As typed or in the settings file.
        factors: As typed or in the settings file; None where they are not.
    """
    model, train, beta1 = dict(PRESETS[preset]["model"]), dict(PRESETS[preset]["train"]), typed.get("beta1")
    if preset == "small" and not baseline:
        model["decoder"] = "joint" if beta1 else "detached"
    if preset == "clean" and not baseline:
        model["decoder"] = decoder or ("joint" if beta1 else "later")
        if model["decoder"] == "later":
            for more in (DRAWING, SCENES) if known.scenes else (DRAWING,):
                model, train = model | more["model"], train | more["train"]
        if known.people:
            model["factors"] = ["identity"]
        asked = model.get("factors", []) if factors is None else factors
        if "identity" not in [factor.partition(":")[0] for factor in asked]:
            train |= STRANGERS
            if typed.get("erase") is False or typed.get("keep_picture") == 0:
                del train["keep_directions"]  # they are those of the picture, after the erasure
    return model, train
