"""Ready-made settings of `facedis train`, and which one a dataset gets.

The choice depends on the faces and the options alone, never on whether a network is there.
"""

from typing import Any

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
PRESETS = {"paper": PAPER, "small": SMALL}


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


def layers(preset: str, beta1: float | None, baseline: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The model and training settings of `preset`.

    `small` also learns to draw, so that `facedis swap` has something to show: without touching the
    codes where beta1 is 0.

    Args:
        preset: A name of `PRESETS`.
        beta1: As typed or in the settings file; None means the default, 0.
        baseline: Whether there is no rest branch, and so nothing to draw from.
    """
    model, train = dict(PRESETS[preset]["model"]), dict(PRESETS[preset]["train"])
    if preset == "small" and not baseline:
        model["decoder"] = "joint" if beta1 else "detached"
    return model, train
