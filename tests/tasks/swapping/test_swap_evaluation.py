from dataclasses import replace

import pytest

from facedis.config import SwapEvalConfig
from facedis.errors import CacheError, RunError
from facedis.faces.cache.cache import FacesCache
from facedis.tasks.swapping.evaluators import ExpressionEvaluator
from facedis.tasks.swapping.swap_evaluation import evaluate_swaps
from facedis.tasks.swapping.swap_metrics import Evaluators
from tests.conftest import write_cache
from tests.tasks.runs import make_run

QUICK = SwapEvalConfig(pairs=20, bootstrap_samples=100, device="cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "run", 0, decoder="detached")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("classifiers") / "classifier", 1, baseline=True)


def notes(run, cache, config=QUICK, model=None):
    evaluators = Evaluators() if model is None else Evaluators(ExpressionEvaluator(model, "cpu"))
    return " ".join(evaluate_swaps(run, cache, config, evaluators).notes)


def test_the_record_has_the_model_the_faces_and_the_evaluators(run, classifier, opened):
    result = evaluate_swaps(run, opened, QUICK, Evaluators(ExpressionEvaluator(classifier, "cpu"))).to_dict()
    assert (result["kind"], result["n"], result["split"]) == ("swap_eval", 18, "test")
    assert result["classes"] == list(run.classes) and result["settings"]["pairs"] == 20
    assert result["judges"]["expression"]["seed"] == 1
    assert result["transfer"]["across"]["swap"]["n"] == 20 and result["ssim"]["within"] is None


def test_notes_list_the_caveats(run, classifier, opened):
    assert "not the faces that the model was trained on" in notes(run, opened)
    own = replace(run, info=run.info | {"faces": run.info["faces"] | {"fingerprint": opened.info.fingerprint}})
    assert "trained on some of these" not in notes(own, opened)
    assert "trained on some of these" in notes(own, opened, replace(QUICK, split="all"))
    assert "10 random faces out of 18" in notes(run, opened, replace(QUICK, max_faces=10))
    assert "expression donor's photo" in notes(run, opened, replace(QUICK, same_capture="yes"))
    twin = replace(classifier, train_config=run.train_config)
    assert "same random initial trunk" in notes(run, opened, model=twin)
    assert "same random initial trunk" not in notes(run, opened, model=classifier)


def test_the_expression_model_must_predict_all_classes(run, classifier, opened):
    other = replace(classifier, classes=("neutral", "happiness", "surprise"))
    with pytest.raises(RunError, match="does not predict anger"):
        notes(run, opened, model=other)


def test_one_expression_is_not_enough(run, tmp_path):
    with (
        FacesCache.open(write_cache(tmp_path / "one.h5", classes=("neutral",))) as cache,
        pytest.raises(CacheError, match="fewer than two expressions"),
    ):
        evaluate_swaps(run, cache, QUICK, Evaluators())


def test_the_error_for_an_empty_split_lists_the_others(run, tmp_path):
    with (
        FacesCache.open(write_cache(tmp_path / "two.h5", people=2)) as cache,
        pytest.raises(CacheError, match="--split train or test or all"),
    ):
        evaluate_swaps(run, cache, replace(QUICK, split="val"), Evaluators())


def test_datasets_with_one_capture_per_person_have_a_ground_truth_by_default(run, tmp_path):
    path = write_cache(tmp_path / "ck.h5", version_of="ckplus")
    with FacesCache.open(path) as cache:
        assert evaluate_swaps(run, cache, QUICK, Evaluators()).ssim["within"] is not None
        no = replace(QUICK, same_capture="no")
        assert evaluate_swaps(run, cache, no, Evaluators()).ssim["within"] is None
