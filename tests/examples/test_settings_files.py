from pathlib import Path

import pytest

from facedis.config import SECTIONS, EvalConfig, ModelConfig, TrainConfig, read_settings, read_toml, resolve
from facedis.presets import PRESETS

EXAMPLES = Path(__file__).parents[2] / "examples"
RECIPE = Path(__file__).parents[2] / "benchmarks" / "bundled.toml"


#: grid.toml has another format; tests of the ablation read it.
FILES = sorted(path for path in EXAMPLES.glob("*.toml") if path.name != "grid.toml")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_settings_files_are_valid(path):
    tables = read_settings(path)
    assert tables
    for name, table in tables.items():
        resolve(SECTIONS[name], table)


def test_paper_toml_equals_the_defaults():
    tables = read_settings(EXAMPLES / "paper.toml")
    tables["model"]["weights"] = ModelConfig().weights  # the trunk's default weights are VGGFace2
    tables["align"]["crop"] = "auto"
    tables["align"]["size"] = 0
    for name, table in tables.items():
        assert resolve(SECTIONS[name], table) == SECTIONS[name]()


@pytest.mark.parametrize(("stage", "kind"), [("model", ModelConfig), ("train", TrainConfig)])
def test_small_toml_equals_the_preset_small(stage, kind):
    drawing = {"decoder": "detached"} if stage == "model" else {}
    table = read_settings(EXAMPLES / "small.toml")[stage]
    assert resolve(kind, table) == resolve(kind, PRESETS["small"][stage], drawing)


def test_the_recipe_of_the_bundled_model_is_valid():
    recipe = read_toml(RECIPE)
    for stage in ("expression", "codes"):
        preset = PRESETS[recipe[stage]["preset"]]
        resolve(ModelConfig, preset["model"], recipe[stage]["model"])
        resolve(TrainConfig, preset["train"], recipe[stage]["train"])
    assert recipe["expression"]["model"]["trunk"] == recipe["codes"]["model"]["trunk"]
    for split in recipe["measured"]["splits"]:
        EvalConfig(split=split, probes=recipe["measured"]["probes"])
