"""The bookkeeping of the ablation: what is trained, measured, kept and compared, without any training."""

from types import SimpleNamespace

import numpy as np
import pytest

from facedis.config import EvalConfig, SettingsFile, as_dict
from facedis.tasks.experiments import ablation
from facedis.tasks.experiments.training import TrainOptions

CONFIG = EvalConfig(bootstrap_samples=100)
RIGHT = {"baseline": 60, "beta1-1.0": 50, "beta1-0.001": 60, "beta1-0": 75}


@pytest.fixture
def done(monkeypatch, pattern_cache):
    """What was trained and measured; a run gets as many of 100 faces right as `RIGHT` says."""
    heard = SimpleNamespace(trained=[], measured=[])

    def trained(faces, fingerprint, folder, options, handler):
        train, model = options.given["train"], options.given.get("model", {})
        heard.trained.append((options.name, train["seed"], train.get("beta1"), model.get("baseline")))

    def evaluate(run, cache, config, handler):
        heard.measured.append(run.path.name)
        right = np.arange(100) < RIGHT[run.path.name.partition("-seed")[0]]
        likely = np.where(right[:, None], [1.0, 0.0], [0.0, 1.0])
        table = SimpleNamespace(probabilities=likely, labels=np.zeros(100, int), identities=np.full(100, ""))
        keys = {key: {} for key in ("task", "leakage", "retention", "collapse", "parts", "reasons", "notes")}
        settings = {"settings": as_dict(config), "faces": str(pattern_cache), "n": 100, "classes": ["a", "b"]}
        return SimpleNamespace(to_dict=lambda: keys | settings, codes=table)

    monkeypatch.setattr(ablation, "_train_or_resume", trained)
    monkeypatch.setattr(ablation, "evaluate", evaluate)
    monkeypatch.setattr(ablation, "load_run", lambda path: SimpleNamespace(path=path))
    return heard


def test_one_seed_makes_one_run_a_row_each_tested_against_the_first(done, pattern_cache, tmp_path):
    rows = ablation.ablate(pattern_cache, tmp_path, TrainOptions(settings={"seed": 3}), CONFIG).rows
    assert [name for name, *_ in done.trained] == list(RIGHT) == [row["name"] for row in rows]
    assert done.trained[0] == ("baseline", 3, None, True) and done.trained[2] == ("beta1-0.001", 3, 0.001, None)
    assert rows[0]["against_first"] is None
    assert rows[2]["against_first"]["p"] == 1
    better = rows[3]["against_first"]
    assert (better["both"], better["first"], better["second"], better["neither"]) == (60, 15, 0, 25)
    assert better["p"] < 0.001 and better["difference"]["value"] == pytest.approx(0.15)
    assert rows[1]["against_first"]["difference"]["value"] == pytest.approx(-0.1)


def test_the_seed_is_the_typed_one_else_that_of_the_file(done, pattern_cache, tmp_path):
    file = {"train": {"seed": 5}}
    for typed, seed in ((None, 5), (0, 0), (7, 7)):
        options = TrainOptions(file=SettingsFile(tables=file), settings={"seed": typed})
        assert ablation.ablate(pattern_cache, tmp_path / str(seed), options, CONFIG).seed == seed
        assert {row[1] for row in done.trained[-4:]} == {seed}
    assert ablation.ablate(pattern_cache, tmp_path / "none", TrainOptions(), CONFIG).seed == 0


def test_several_seeds_make_a_run_each_and_rows_of_one_name(done, pattern_cache, tmp_path):
    result = ablation.ablate(pattern_cache, tmp_path, TrainOptions(), CONFIG, seeds=(0, 5))
    assert result.seeds == (0, 5) and result.to_dict()["seeds"] == [0, 5]
    assert done.trained[:2] == [("baseline-seed0", 0, None, True), ("baseline-seed5", 5, None, True)]
    assert [(row["name"], row["seed"]) for row in result.rows][-2:] == [("beta1-0", 0), ("beta1-0", 5)]
    assert all(row["against_first"] for row in result.rows[2:])


def test_what_is_measured_is_not_measured_again_unless_asked_otherwise(done, pattern_cache, tmp_path):
    first = ablation.ablate(pattern_cache, tmp_path, TrainOptions(), CONFIG)
    again = ablation.ablate(pattern_cache, tmp_path, TrainOptions(), CONFIG)
    assert len(done.measured) == 4 and again.to_dict()["rows"] == first.to_dict()["rows"]
    ablation.ablate(pattern_cache, tmp_path, TrainOptions(), EvalConfig(bootstrap_samples=100, probes="linear"))
    assert len(done.measured) == 8
    (tmp_path / "beta1-0" / "eval-val" / "predictions.npz").unlink()
    ablation.ablate(pattern_cache, tmp_path, TrainOptions(), EvalConfig(bootstrap_samples=100, probes="linear"))
    assert done.measured[8:] == ["beta1-0"]
