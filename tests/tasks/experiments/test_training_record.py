"""What training writes once the model is there, and what becomes of it where somebody stops just then."""

import json
import shutil

import pytest

from facedis.config import TrainConfig
from facedis.errors import RunError
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.statistics.intervals import Bootstrap, proportion_ci, wilson_ci
from facedis.model.storage.checkpoint import MODEL, load_run
from facedis.result import to_jsonable
from facedis.tasks.encoding.encode import encode
from facedis.tasks.encoding.temperature import CALIBRATION
from facedis.tasks.experiments import ablation
from facedis.tasks.experiments import training as study
from facedis.tasks.experiments.training import RESULT, TrainOptions, is_unfinished, resume, train
from facedis.tasks.similarity.reference_distribution import REFERENCE_FILE
from facedis.training.data import training_data
from facedis.training.run_folder import read_history
from facedis.training.setup import Job

WISH = TrainOptions(
    preset="small",
    settings={"trunk": "mobilenet_v3_large", "weights": "none", "image_size": 32, "branch": "light", "decoder": "none"}
    | {"epochs": 2, "batch_size": 18, "device": "cpu"},
)
AFTER = (REFERENCE_FILE, CALIBRATION, RESULT)


@pytest.fixture(scope="module")
def whole(pattern_cache, tmp_path_factory):
    """A run that nobody stopped."""
    folder = tmp_path_factory.mktemp("runs")
    train(pattern_cache, TrainOptions(**vars(WISH) | {"folder": folder, "name": "whole"}))
    return folder / "whole"


@pytest.fixture
def stopped(whole, tmp_path):
    """The same run, stopped between its last epoch and what is written after it."""
    run = shutil.copytree(whole, tmp_path / "grid" / "stopped")
    for name in AFTER:
        (run / name).unlink()
    return run


def test_the_final_shares_are_those_of_the_kept_epoch_with_intervals_over_people(pattern_cache, whole, monkeypatch):
    monkeypatch.setattr(study, "_BLOCK", 7)  # several blocks, and a last one that is not full
    result = json.loads((whole / RESULT).read_text())
    with FacesCache.open(pattern_cache) as cache:
        data = training_data(cache)
        table = encode(load_run(whole), cache, data.val_rows, device="cpu")
        final = study._final_accuracies(
            load_run(whole), cache, data.val_rows, Job(pattern_cache, whole, None, TrainConfig())
        )
    for name, said in (("expression_accuracy", table.probabilities), ("adversary_accuracy", table.adversary)):
        expected = to_jsonable(proportion_ci(said.argmax(1) == table.labels, table.identities, Bootstrap(), 1 / 3))
        assert result["final"][name] == expected == to_jsonable(final[name])
        assert expected["value"] == pytest.approx(read_history(whole)[result["kept"]]["val"][name])
        assert expected != to_jsonable(
            wilson_ci(round(expected["value"] * 18), 18, 1 / 3)
        )  # three people, six photographs each


def _stored(run):
    return [json.loads((run / name).read_text()) for name in (REFERENCE_FILE, CALIBRATION)]


@pytest.mark.parametrize("writer", ["write_reference", "calibrate", "TrainingResult.save"])
def test_a_run_stopped_after_its_last_epoch_is_completed_and_not_trained_again(
    pattern_cache, whole, tmp_path, monkeypatch, writer
):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(f"{study.__name__}.{writer}", stop)
        train(pattern_cache, TrainOptions(**vars(WISH) | {"folder": tmp_path, "name": "broken"}))
    run = tmp_path / "broken"
    before = (run / MODEL).stat().st_mtime_ns
    assert is_unfinished(run)
    result, expected = resume(run).to_dict(), json.loads((whole / RESULT).read_text())
    assert (run / MODEL).stat().st_mtime_ns == before
    for key in ("epochs", "best", "kept", "n", "final"):
        assert result[key] == expected[key]
    assert result["seconds"] > 0 and _stored(run) == _stored(whole)
    with pytest.raises(RunError, match="is finished"):
        resume(run)


@pytest.mark.parametrize("name", AFTER)
def test_each_missing_file_is_made_up_for(stopped, whole, name):
    for other in set(AFTER) - {name}:
        shutil.copy(whole / other, stopped / other)
    resume(stopped)
    assert not is_unfinished(stopped) and _stored(stopped) == _stored(whole)


def test_ablate_does_so_too(pattern_cache, stopped, whole):
    options, said = TrainOptions(**vars(WISH) | {"name": "stopped"}), []
    with FacesCache.open(pattern_cache) as cache:
        fingerprint = cache.info.fingerprint
    for _ in range(2):
        ablation._train_or_resume(
            pattern_cache, fingerprint, stopped.parent, options, lambda event: said.append(event.text)
        )
    assert _stored(stopped) == _stored(whole) and (stopped / RESULT).exists()
    assert [text for text in said if "already" in text] == [f"{stopped} is already trained"]
