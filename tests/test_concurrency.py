"""Two processes at once on one output: one of them writes it, the other one ends with a line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facedis.config import AlignConfig, EvalConfig
from facedis.errors import CacheError, ConfigError, OutputError, RunError
from facedis.faces.alignment import align_dataset
from facedis.faces.alignment.shards import Shard, join_if_complete, shard_path
from facedis.faces.cache.cache_format import partial_path, read_info
from facedis.faces.cache.cache_writer import CacheWriter
from facedis.faces.cache.hdf5 import Columns
from facedis.locks import exclusive_lock, folder_lock
from facedis.model.storage.checkpoint import CHECKPOINT, load_run, newest_run
from facedis.tasks.experiments import training
from facedis.tasks.experiments.ablation import ablate
from facedis.tasks.experiments.training import TrainOptions, resume, train
from facedis.training.run_folder import new_run_folder

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "concurrency.py"
BUSY = "is being written by another process"
TINY = {"trunk": "mobilenet_v3_large", "image_size": 32, "epochs": 1, "device": "cpu"}


def _pairs(number, *cases):
    words = [sys.executable, str(BENCHMARK), "--pairs", str(number), "--cases", *cases]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.multiprocess
def test_pairs_of_alignments_lose_no_row():
    _pairs(3, "align", "align-overwrite", "align-shards")


@pytest.mark.multiprocess
def test_pairs_of_trainings_mix_no_run():
    _pairs(1, "train-name", "train", "train-resume")


@pytest.fixture
def patterns(tmp_path):
    """130 small images, enough for two shards."""
    from PIL import Image

    (tmp_path / "data" / "happy").mkdir(parents=True)
    for number in range(130):
        Image.new("RGB", (24, 24), (number, 9, 9)).save(tmp_path / "data" / "happy" / f"{number:03}.png")
    return tmp_path / "data"


CONFIG = AlignConfig(crop="none", image_size=16)


def _set_pending(path, row):
    columns = Columns(path, ["status"])
    columns.write("status", row, np.zeros(1))
    columns.close()


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("shard", [None, Shard(1, 2)])
def test_an_output_that_is_being_written_is_refused(patterns, tmp_path, shard, overwrite):
    output = tmp_path / "faces.h5"
    with exclusive_lock(shard_path(output, shard) if shard else output), pytest.raises(OutputError, match=BUSY):
        align_dataset.align(patterns, output, CONFIG, overwrite=overwrite, shard=shard)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_finished_cache_with_pending_rows_is_damaged(patterns, tmp_path):
    output = tmp_path / "faces.h5"
    align_dataset.align(patterns, output, CONFIG)
    _set_pending(output, 7)
    with pytest.raises(CacheError, match="1 of its rows are pending"):
        align_dataset.align(patterns, output, CONFIG)
    align_dataset.align(patterns, output, CONFIG, overwrite=True)
    assert align_dataset.align(patterns, output, CONFIG).rate is None


def test_shards_with_pending_rows_are_not_joined(patterns, tmp_path):
    output = tmp_path / "faces.h5"
    for number in (1, 2):
        align_dataset.align(patterns, output, CONFIG, shard=Shard(number, 2))
    fingerprint = read_info(output).fingerprint
    output.unlink()
    _set_pending(shard_path(output, Shard(2, 2)), 0)
    with pytest.raises(CacheError, match=r"faces.2-of-2.h5 is damaged: 1 of its rows are pending"):
        join_if_complete(output, 2, fingerprint)
    assert not output.exists()


def test_a_cache_is_renamed_only_when_it_is_complete_and_its_own(patterns, tmp_path):
    output = tmp_path / "faces.h5"
    plan = align_dataset.make_plan(patterns, CONFIG)
    CacheWriter.create(output, plan.info, plan.records, plan.splits)
    with pytest.raises(CacheError, match=r"130 rows of .* are pending"):
        CacheWriter.resume(output).finish()
    columns = Columns(partial_path(output), ["status"])
    columns.write("status", 0, np.ones(130))
    columns.close()
    writer = CacheWriter.resume(output)
    CacheWriter.create(output, plan.info, plan.records, plan.splits)  # as a process without the lock would
    with pytest.raises(OutputError, match="was replaced or deleted by another process"):
        writer.finish()
    assert not output.exists()


def test_names_that_are_taken_get_a_number(tmp_path):
    with new_run_folder(tmp_path, "a", numbered=True) as first, new_run_folder(tmp_path, "a", numbered=True) as second:
        (first / "x").touch()
        (second / "x").touch()
    with new_run_folder(tmp_path, "a", numbered=True) as third:
        pass
    assert [first.name, second.name, third.name] == ["a", "a-2", "a-3"]
    assert first.is_dir() and not third.exists()  # nothing was written in it


def test_a_name_in_use_is_refused_before_anything_is_touched(pattern_cache, tmp_path):
    options = TrainOptions(preset="small", folder=tmp_path / "runs", name="one", settings=TINY)
    with folder_lock(tmp_path / "runs" / "one"), pytest.raises(OutputError, match=BUSY):
        train(pattern_cache, options)
    assert not list((tmp_path / "runs" / "one").iterdir()) and not (tmp_path / "runs" / "latest").exists()


def test_trainings_in_one_second_get_folders_of_their_own(pattern_cache, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "_name", lambda model, config: "20260101-000000")
    done = [
        train(pattern_cache, TrainOptions("small", None, tmp_path / "runs", settings=TINY | {"seed": seed}))
        for seed in (1, 2)
    ]
    assert [Path(each.model).name for each in done] == ["20260101-000000", "20260101-000000-2"]
    assert [load_run(each.model).train_config.seed for each in done] == [1, 2]
    assert newest_run(tmp_path / "runs").name == "20260101-000000-2"


def test_a_run_that_is_being_trained_is_neither_resumed_nor_offered(pattern_cache, tmp_path, monkeypatch):
    run, seen = tmp_path / "runs" / "one", []

    def stopped(job):
        (job.run / CHECKPOINT).touch()
        for attempt in (resume, load_run):
            with pytest.raises((OutputError, RunError)) as error:
                attempt(job.run)
            seen.append(str(error.value))
        raise KeyboardInterrupt

    real = training.fit

    def started(job):
        from facedis.training import trainer

        monkeypatch.setattr(trainer.Trainer, "run", lambda self, stop: stopped(job))
        return real(job)

    monkeypatch.setattr(training, "fit", started)
    with pytest.raises(KeyboardInterrupt):
        train(pattern_cache, TrainOptions("small", "one", run.parent, settings=TINY))
    assert BUSY in seen[0] and "wait for its training to end" in seen[1]
    with pytest.raises(RunError, match="--resume"):
        load_run(run)


def test_processes_of_torchrun_share_a_named_folder(pattern_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    settings = TINY | {"devices": 2}
    with pytest.raises(ConfigError, match="add --name"):
        train(pattern_cache, TrainOptions("small", None, tmp_path, settings=settings))
    folders = []
    monkeypatch.setattr(training, "_fit", lambda job: folders.append(job.run) or {})
    options = TrainOptions("small", "one", tmp_path, settings=settings)
    with folder_lock(tmp_path / "one"):  # held by the first process
        monkeypatch.setenv("RANK", "1")
        train(pattern_cache, options)
        monkeypatch.setenv("RANK", "0")
        with pytest.raises(OutputError, match=BUSY):
            train(pattern_cache, options)
    assert folders == [tmp_path / "one"]


def test_a_folder_of_an_ablation_is_written_by_one_process(pattern_cache, tmp_path):
    with folder_lock(tmp_path / "grid"), pytest.raises(OutputError, match=BUSY):
        ablate(pattern_cache, tmp_path / "grid", TrainOptions(preset="small", settings=TINY), EvalConfig())
    assert not list((tmp_path / "grid").iterdir())
