"""Presets of `facedis train`: TOML files in this folder, and the choice among them by the dataset.

A preset is a settings file. Its `preset = "..."` names another one that it is laid over. `clean` stands for the one of
`clean-identity`, `clean-no-identity` and `clean-scenes` that suits the faces. The choice depends on the faces and the
settings alone, never on whether a network is available.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from facedis.config import merge_tables
from facedis.config.settings_file import SettingsFile, parse_settings, tomllib
from facedis.errors import ConfigError

#: Datasets that the package itself brings.
BUNDLED_DATASETS = ("rendered",)
#: Names that `--preset` accepts.
PRESETS = ("paper", "small", "clean", "clean-identity", "clean-no-identity", "clean-scenes")
#: Settings of [model] that belong to a post-hoc decoder.
_POST_HOC_MODEL = ("decoder_kind", "spatial_rest_channels", "spatial_rest_size", "spatial_rest_context")


class DatasetTraits(NamedTuple):
    """What the annotations of a dataset contain besides the expression.

    Attributes:
        identities: Whether there are identities.
        scenes: Whether the faces that a decoder is trained on come as scenes: several expressions of one person in
            the same pose and light.
    """

    identities: bool = True
    scenes: bool = False


def choose_preset(preset: str | None, dataset: str) -> tuple[str, str]:
    """The preset for a dataset, and the reason for the choice.

    Args:
        preset: What the user named, or None.
        dataset: Name of the dataset reader.

    Raises:
        ConfigError: There is no such preset.
    """
    if preset is not None:
        if preset not in PRESETS:
            raise ConfigError(f"there is no preset '{preset}'", f"choose one of: {', '.join(PRESETS)}")
        return preset, "as requested"
    if dataset in BUNDLED_DATASETS:
        return "small", "default for the bundled faces; --preset paper for the paper's network"
    return "paper", "default; --preset small trains within minutes on a laptop"


@cache
def read_preset(name: str) -> Mapping[str, Mapping[str, Any]]:
    """The settings of a preset file by table, including those of the preset it is laid over."""
    text = (files("facedis.presets") / f"{name}.toml").read_text(encoding="utf-8")
    found: SettingsFile = parse_settings(tomllib.loads(text), f"{name}.toml")
    return merge_tables(read_preset(found.preset) if found.preset else {}, found.tables)


def preset_overrides(
    preset: str, given: Mapping[str, Mapping[str, Any]], traits: DatasetTraits
) -> tuple[str, dict[str, dict[str, Any]]]:
    """The preset file that is used and the settings of it, by table, that suit the faces and the given settings.

    Args:
        preset: A name of `PRESETS`.
        given: Settings of the settings file and the command line, by table; they win over the preset.
        traits: What the annotations of the faces contain.
    """
    model, beta1 = given.get("model", {}), given.get("train", {}).get("beta1")
    name = preset
    if preset == "clean" and model.get("baseline"):
        name = "clean-identity"
    elif preset == "clean":
        identities = "identity" in _names(model["factors"]) if "factors" in model else traits.identities
        name = "clean-no-identity" if not identities else "clean-scenes" if traits.scenes else "clean-identity"
    tables = merge_tables(read_preset(name))
    if "decoder" not in tables.get("model", {}):
        return name, tables
    if model.get("baseline"):
        _drop_post_hoc(tables)
        for key in ("decoder", "factors"):
            tables["model"].pop(key, None)
    else:
        own = "post-hoc" if tables["model"]["decoder"] == "post-hoc" else "detached"
        decoder = model.get("decoder") or ("joint" if beta1 else own)
        if decoder != "post-hoc":
            _drop_post_hoc(tables)
        tables["model"]["decoder"] = decoder
    retention = given.get("retention", {})
    if retention.get("leace") is False or retention.get("lowres_retention_weight") == 0:
        tables.get("retention", {}).pop("rest_rank", None)  # it is the rank of a regression on these targets
    return name, tables


def _drop_post_hoc(tables: dict[str, dict[str, Any]]) -> None:
    """Take what a post-hoc decoder needs from `tables`; another decoder gets the width of `small`."""
    if tables.pop("decoder", None) is not None:
        for key in _POST_HOC_MODEL:
            tables["model"].pop(key, None)
        tables["model"]["decoder_width"] = read_preset("small")["model"]["decoder_width"]


def _names(factors: Any) -> list[str]:
    words = factors.split(",") if isinstance(factors, str) else factors
    return [word.strip().partition(":")[0] for word in words]
