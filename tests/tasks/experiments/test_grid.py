"""Rows of an ablation from a file, and mistakes in it as one line."""

from pathlib import Path

import pytest

import facedis
from facedis.config import ModelConfig, TrainConfig, resolve_tables
from facedis.errors import ConfigError, InputError
from facedis.presets import DatasetTraits, preset_overrides
from facedis.tasks.experiments.ablation import read_grid

ROOT = Path(facedis.__file__).parents[1]
EXAMPLE = ROOT / "examples" / "grid.toml"
GRIDS = [EXAMPLE, *(path for path in sorted((ROOT / "benchmarks").glob("*.toml")) if path.name != "bundled.toml")]


def test_the_example_has_rows_that_differ():
    rows = read_grid(EXAMPLE)
    assert [row.name for row in rows] == ["baseline", "paper", "identity", "clean"]
    assert rows[0].settings["model"]["baseline"] is True and rows[3].preset == "clean"


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.name)
@pytest.mark.parametrize("identities", [True, False])
def test_every_row_fits_its_preset_on_any_faces(path, identities):
    for row in read_grid(path):
        _, tables = preset_overrides(row.preset or "paper", row.settings, DatasetTraits(identities))
        model = row.settings.get("model", {})
        assert resolve_tables(ModelConfig, tables, row.settings).baseline == model.get("baseline", False)
        config = resolve_tables(TrainConfig, tables, row.settings)
        assert config.beta1 == row.settings.get("train", {}).get("beta1", 0)
        if "paper" in row.name:
            retention = config.retention
            weights = retention.lowres_retention_weight, retention.covariance_weight, retention.rest_rank
            assert (config.beta3, *weights) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"no \[\[row\]\]"),
        ('[[row]]\nname = "a"\n[[row]]\nname = "a"', "two rows are called 'a'"),
        ("[[row]]\nmodel = {}", "no name"),
        ('[[row]]\nname = "../a"', "no name that a folder can have"),
        ('[[row]]\nname = "a"\ntrian = {}', "unknown key 'trian'"),
        ('[[row]]\nname = "a"\ntrain = { beta4 = 1 }', "no setting 'beta4'"),
    ],
)
def test_mistakes_are_named(tmp_path, text, said):
    (tmp_path / "grid.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_grid(tmp_path / "grid.toml")


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"gone\.toml"):
        read_grid(tmp_path / "gone.toml")
