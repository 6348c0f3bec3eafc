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
def judge(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("judges") / "judge", 1, baseline=True)


def notes(run, cache, config=QUICK, judge=None):
    judges = Evaluators() if judge is None else Evaluators(ExpressionEvaluator(judge, "cpu"))
    return " ".join(evaluate_swaps(run, cache, config, judges).record["notes"])


def test_the_record_says_what_was_judged_and_on_what(run, judge, opened):
    result = evaluate_swaps(run, opened, QUICK, Evaluators(ExpressionEvaluator(judge, "cpu"))).record
    assert (result["kind"], result["n"], result["split"]) == ("swap_eval", 18, "test")
    assert result["classes"] == list(run.classes) and result["settings"]["pairs"] == 20
    assert result["judges"]["expression"]["seed"] == 1
    assert result["transfer"]["across"]["swap"]["n"] == 20 and result["ssim"]["within"] is None


def test_the_notes_say_what_a_reader_must_know(run, judge, opened):
    assert "not the faces that the model was trained on" in notes(run, opened)
    own = replace(run, info=run.info | {"faces": run.info["faces"] | {"fingerprint": opened.info.fingerprint}})
    assert "trained on some of these" not in notes(own, opened)
    assert "trained on some of these" in notes(own, opened, replace(QUICK, split="all"))
    assert "10 random faces out of 18" in notes(run, opened, replace(QUICK, max_faces=10))
    assert "other photograph" in notes(run, opened, replace(QUICK, one_setting="yes"))
    twin = replace(judge, train_config=run.train_config)
    assert "same random trunk" in notes(run, opened, judge=twin)
    assert "same random trunk" not in notes(run, opened, judge=judge)


def test_a_judge_must_know_the_expressions(run, judge, opened):
    ignorant = replace(judge, classes=("neutral", "happiness", "surprise"))
    with pytest.raises(RunError, match="does not know anger"):
        notes(run, opened, judge=ignorant)


def test_one_expression_alone_cannot_be_exchanged(run, tmp_path):
    with (
        FacesCache.open(write_cache(tmp_path / "one.h5", classes=("neutral",))) as cache,
        pytest.raises(CacheError, match="no two expressions"),
    ):
        evaluate_swaps(run, cache, QUICK, Evaluators())


def test_a_split_that_is_not_there_names_the_others(run, tmp_path):
    with (
        FacesCache.open(write_cache(tmp_path / "two.h5", people=2)) as cache,
        pytest.raises(CacheError, match="--split train or test or all"),
    ):
        evaluate_swaps(run, cache, replace(QUICK, split="val"), Evaluators())


def test_only_datasets_of_one_setting_know_a_truth_by_themselves(run, tmp_path):
    path = write_cache(tmp_path / "ck.h5", version_of="ckplus")
    with FacesCache.open(path) as cache:
        assert evaluate_swaps(run, cache, QUICK, Evaluators()).record["ssim"]["within"] is not None
        no = replace(QUICK, one_setting="no")
        assert evaluate_swaps(run, cache, no, Evaluators()).record["ssim"]["within"] is None
