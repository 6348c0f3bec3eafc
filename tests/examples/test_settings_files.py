from pathlib import Path

import pytest

from facedis.config import SECTIONS, ModelConfig, TrainConfig, read_settings, resolve
from facedis.presets import PRESETS

EXAMPLES = Path(__file__).parents[2] / "examples"


#: A grid of rows is no settings file; tests/studies/test_grid.py reads it.
FILES = sorted(path for path in EXAMPLES.glob("*.toml") if path.name != "grid.toml")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_settings_file_is_valid(path):
    tables = read_settings(path)
    assert tables
    for name, table in tables.items():
        resolve(SECTIONS[name], table)


def test_paper_toml_writes_out_the_defaults():
    tables = read_settings(EXAMPLES / "paper.toml")
    tables["model"]["weights"] = ModelConfig().weights  # the trunk's own are those of VGGFace2
    tables["align"]["crop"] = "auto"
    tables["align"]["size"] = 0
    for name, table in tables.items():
        assert resolve(SECTIONS[name], table) == SECTIONS[name]()


@pytest.mark.parametrize(("stage", "kind"), [("model", ModelConfig), ("train", TrainConfig)])
def test_small_toml_is_the_preset_small(stage, kind):
    drawing = {"decoder": "detached"} if stage == "model" else {}
    table = read_settings(EXAMPLES / "small.toml")[stage]
    assert resolve(kind, table) == resolve(kind, PRESETS["small"][stage], drawing)
