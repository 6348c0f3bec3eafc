"""Rows of an ablation from a file, and mistakes in it as one line."""

from pathlib import Path

import pytest

import facedis
from facedis.config import ModelConfig, TrainConfig, resolve
from facedis.errors import ConfigError, InputError
from facedis.presets import Known, layers
from facedis.tasks.experiments.ablation import read_grid

ROOT = Path(facedis.__file__).parents[1]
EXAMPLE = ROOT / "examples" / "grid.toml"
GRIDS = [EXAMPLE, *(path for path in sorted((ROOT / "benchmarks").glob("*.toml")) if path.name != "bundled.toml")]


def test_the_example_has_rows_that_differ():
    rows = read_grid(EXAMPLE)
    assert [row.name for row in rows] == ["baseline", "paper", "identity", "clean"]
    assert rows[0].model["baseline"] is True and rows[3].preset == "clean"


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.name)
@pytest.mark.parametrize("people", [True, False])
def test_every_row_goes_together_with_its_preset_on_any_faces(path, people):
    for row in read_grid(path):
        said = row.train, row.model.get("baseline", False), Known(people), row.model.get("decoder")
        model, train = layers(row.preset or "paper", *said, row.model.get("factors"))
        assert resolve(ModelConfig, model, row.model).baseline == row.model.get("baseline", False)
        config = resolve(TrainConfig, train, row.train)
        assert config.beta1 == row.train.get("beta1", 0)
        if "paper" in row.name:
            assert (
                config.beta3,
                config.retention.lowres_retention_weight,
                config.retention.covariance_weight,
                config.retention.rest_rank,
            ) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"no \[\[row\]\]"),
        ('[[row]]\nname = "a"\n[[row]]\nname = "a"', "two rows are called 'a'"),
        ("[[row]]\nmodel = {}", "no name"),
        ('[[row]]\nname = "../a"', "no name that a folder can have"),
        ('[[row]]\nname = "a"\ntrian = {}', "unknown key 'trian'"),
        ('[[row]]\nname = "a"\ntrain = { beta4 = 1 }', "unknown setting 'beta4'"),
    ],
)
def test_mistakes_are_named(tmp_path, text, said):
    (tmp_path / "grid.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_grid(tmp_path / "grid.toml")


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"gone\.toml"):
        read_grid(tmp_path / "gone.toml")
