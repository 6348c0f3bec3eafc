from pathlib import Path

import pytest

from facedis.config import (
    AlignConfig,
    EvalConfig,
    ModelConfig,
    SwapEvalConfig,
    TrainConfig,
    merge_tables,
    read_settings,
    read_toml,
    resolve_tables,
)
from facedis.presets import read_preset

EXAMPLES = Path(__file__).parents[2] / "examples"
RECIPE = Path(__file__).parents[2] / "benchmarks" / "bundled.toml"
KINDS = (AlignConfig, ModelConfig, TrainConfig, EvalConfig, SwapEvalConfig)

#: A grid of rows is not a settings file; tests/tasks/experiments/test_grid.py reads it.
FILES = sorted(path for path in EXAMPLES.glob("*.toml") if path.name != "grid.toml")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_settings_file_is_valid(path):
    tables = read_settings(path).tables
    assert tables
    for kind in KINDS:
        resolve_tables(kind, tables)


def test_paper_toml_writes_out_the_defaults():
    tables = merge_tables(read_settings(EXAMPLES / "paper.toml").tables)
    tables["model"]["weights"] = "auto"  # the trunk's own are those of VGGFace2
    tables["align"] |= {"crop": "auto", "image_size": 0}
    for kind in KINDS:
        assert resolve_tables(kind, tables) == kind()


@pytest.mark.parametrize("kind", [ModelConfig, TrainConfig])
def test_small_toml_is_the_preset_small(kind):
    found = resolve_tables(kind, read_settings(EXAMPLES / "small.toml").tables)
    assert found == resolve_tables(kind, read_preset("small"))


def test_the_recipe_of_the_bundled_model_is_valid():
    recipe = read_toml(RECIPE)
    for stage in ("expression", "codes"):
        tables = {name: table for name, table in recipe[stage].items() if name != "preset"}
        if stage == "expression":
            tables = merge_tables(read_preset("small"), tables)
        resolve_tables(ModelConfig, tables)
        resolve_tables(TrainConfig, tables)
    assert recipe["expression"]["model"]["trunk"] == recipe["codes"]["model"]["trunk"]
    for split in recipe["measured"]["splits"]:
        EvalConfig(split=split, probes=recipe["measured"]["probes"])
