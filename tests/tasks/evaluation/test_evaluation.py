"""The numeric part on arrays, and the whole on a small cache with plain codes in place of a network."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from facedis.config import EvalConfig
from facedis.errors import CacheError
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.codes import CodeTable
from facedis.metrics.probes.probe_suite import PROBE_KINDS
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.result import Estimate, dumps
from facedis.tasks.evaluation import evaluation
from facedis.tasks.evaluation.compared_codes import compared_codes
from facedis.tasks.evaluation.evaluation import evaluate_codes
from facedis.tasks.evaluation.leakage_probes import KINDS, NO_PROBE, NO_REST, expression_leakage
from facedis.tasks.evaluation.retention_probes import NO_PEOPLE, NO_TRUNK_VERIFICATION
from tests.conftest import write_cache

CLASSES = ("neutral", "happiness", "sadness", "surprise")
CONFIG = EvalConfig(bootstrap_samples=100, probes="linear")


def codes(first: int, people: int, rest: str = "person", named: bool = True, seed: int = 0) -> CodeTable:
    """Everybody with every expression twice; the rest code tells the `rest` of: person, both, nothing."""
    generator = np.random.default_rng([seed, first])
    label, person = (axis.ravel() for axis in np.meshgrid(np.tile(np.arange(4), 2), np.arange(people)))
    looks = np.random.default_rng(seed).normal(size=(1000, 8))[first + person]
    shown, n = 3 * np.eye(4)[label], len(label)
    told = {"person": looks, "both": np.concatenate([looks, shown], axis=1), "nothing": np.ones((n, 8))}
    noisy = {name: value + 0.3 * generator.normal(size=value.shape) for name, value in told.items()}
    noisy["nothing"] = told["nothing"]
    expression = shown + generator.normal(size=(n, 4))
    likely = np.exp(expression) / np.exp(expression).sum(axis=1, keepdims=True)
    return CodeTable(
        rows=np.arange(n),
        expression=expression.astype(np.float32),
        rest=None if rest == "none" else noisy[rest].astype(np.float32),
        trunk=noisy["both"].astype(np.float32),
        probabilities=likely.astype(np.float32),
        adversary=None if rest == "none" else np.full((n, 4), 0.25, np.float32),
        labels=label,
        identities=np.array([f"p{first + i}" if named else "" for i in person]),
        splits=np.array(["val"] * n),
        classes=CLASSES,
    )


def measured(rest: str = "person", named: bool = True, config: EvalConfig = CONFIG) -> dict:
    return evaluate_codes(codes(0, 40, rest, named), codes(40, 15, rest, named), codes(55, 25, rest, named), config)


@pytest.fixture(scope="module")
def clean() -> dict:
    return measured("person")


def test_a_clean_rest_code_leaks_nothing_and_keeps_the_person(clean):
    rest, kept = clean["leakage"]["expression_in_rest"], clean["retention"]
    assert rest["linear"].low < 0.25 < rest["linear"].high
    assert abs(rest["normalised"].value) < 0.15
    assert kept["identity_auc_rest"].value > 0.99
    assert kept["identity_auc_expression"].value < 0.2 < kept["identity_auc_trunk"].value
    assert kept["same_expression_auc"].value > 0.9


def test_a_leaking_rest_code_is_caught_by_the_probe_while_its_adversary_sleeps():
    rest = measured("both")["leakage"]["expression_in_rest"]
    assert rest["adversary"].value == 0.25
    assert rest["linear"].value > 0.95
    assert rest["strongest"] == rest[rest["kind"]]
    assert rest["normalised"].value == pytest.approx(1, abs=0.02)
    assert rest["share"].value > 0.9 and rest["bits"].value == pytest.approx(2 * rest["share"].value)
    assert rest["null"].high < 0.4 < rest["selectivity"].value


def test_a_constant_rest_code_leaks_nothing_keeps_nothing_and_shows_it():
    numbers = measured("nothing")
    rest = numbers["leakage"]["expression_in_rest"]
    assert rest["linear"].value == rest["strongest"].value == 0.25
    assert rest["normalised"].value == 0
    assert numbers["retention"]["identity_auc_rest"].value == 0.5
    signs = numbers["collapse"]["rest"]
    assert (signs["effective_rank"].value, signs["dead_share"].value) == (0, 1)
    assert signs["mean_cosine"].value == pytest.approx(1)
    assert signs["size"] == 8


def test_the_record_has_the_documented_keys(clean):
    assert set(clean["task"]) >= {"accuracy", "balanced_accuracy", "macro_f1", "ece", "nll"}
    leak = clean["leakage"]
    probed = {"linear", "whitened", "strongest", "kind", "bits", "share"}
    assert set(leak["expression_in_rest"]) == {"adversary", "normalised", "null", "selectivity"} | probed
    assert set(leak["expression_in_trunk"]) == probed
    for code in ("expression", "erased_trunk", "random"):
        assert set(leak[f"expression_in_{code}"]) == {"normalised"} | probed
    for code in ("rest", "expression", "erased_trunk"):
        assert set(leak[f"identity_in_{code}"]) == {"linear", "whitened", "strongest", "kind", "normalised"}
    kept = {"embedding_r2_rest", "embedding_r2_expression", "embedding_r2_random", "same_expression_auc", "normalised"}
    codes = ("rest", "expression", "trunk", "erased_trunk", "random")
    kept |= {f"{measure}_{code}" for measure in ("identity_auc", "eer", "tar_at_far_1", "rank1") for code in codes}
    assert set(clean["retention"]) == kept
    assert set(clean["collapse"]) == {"rest", "expression"}
    assert clean["reasons"] == {"retention.normalised": NO_TRUNK_VERIFICATION} and clean["factors"] == {}


def test_figures_have_interval_chance_and_n(clean):
    leakage = clean["leakage"]
    for figure in (
        clean["task"]["accuracy"],
        clean["task"]["balanced_accuracy"],
        leakage["expression_in_rest"]["strongest"],
        leakage["expression_in_trunk"]["linear"],
    ):
        assert figure.low <= figure.value <= figure.high
        assert figure.chance == 0.25 and figure.n == 200


def test_the_parts_are_counted(clean):
    assert clean["parts"]["P"] == {"n": 320, "people": 40, "per_class": dict.fromkeys(CLASSES, 80)}
    assert clean["parts"]["Q"]["people"] == 25
    assert np.sum(clean["confusion"]) == 200
    assert clean["recall"]["sadness"].n == 50


def test_a_baseline_has_no_rest_and_says_why():
    numbers = measured("none")
    assert numbers["leakage"]["expression_in_rest"] is None and numbers["leakage"]["adversary"] is None
    assert numbers["retention"]["identity_auc_rest"] is None and numbers["collapse"]["rest"] is None
    assert numbers["leakage"]["expression_in_expression"]["linear"].value > 0.9
    assert {"leakage.expression_in_rest", "retention.rank1_rest", "collapse.rest"} <= set(numbers["reasons"])
    assert set(numbers["reasons"].values()) == {NO_REST}


def test_without_names_there_is_no_identity_and_the_reason_is_given():
    numbers = measured("person", named=False)
    for code in ("rest", "expression", "trunk"):
        assert numbers["retention"][f"identity_auc_{code}"] is None
        assert numbers["reasons"][f"retention.identity_auc_{code}"] == NO_PEOPLE
    assert numbers["retention"]["same_expression_auc"].value > 0.9


def test_without_faces_for_a_probe_the_adversary_alone_is_left():
    test = codes(55, 25)
    numbers = evaluate_codes(test.take(np.zeros(200, bool)), test.take(np.zeros(200, bool)), test, CONFIG)
    rest = numbers["leakage"]["expression_in_rest"]
    assert rest["linear"] is None and rest["normalised"] is None
    assert rest["strongest"] == rest["adversary"]
    assert numbers["reasons"]["leakage.expression_in_rest.linear"] == NO_PROBE


def test_what_needs_no_probe_is_measured_on_the_whole():
    parts = codes(0, 40), codes(40, 15), codes(55, 25)
    numbers = evaluate_codes(*parts, CONFIG, evaluated=codes(55, 60))
    assert numbers["task"]["accuracy"].n == numbers["collapse"]["rest"]["mean_cosine"].n == 480
    assert numbers["leakage"]["expression_in_rest"]["adversary"].n == 200


def test_the_same_seed_gives_the_same_numbers_and_another_other_intervals(clean):
    assert measured("person")["leakage"] == clean["leakage"]
    assert measured("person")["retention"] == clean["retention"]
    other = measured("person", config=EvalConfig(bootstrap_samples=100, seed=1, probes="linear"))
    assert other["task"]["accuracy"].value == clean["task"]["accuracy"].value
    assert other["task"]["accuracy"].low != clean["task"]["accuracy"].low


def test_every_number_of_a_leak_is_a_figure(clean):
    groups = [name for name in clean["leakage"] if name.startswith("expression_in")]
    for group in (*groups, "identity_in_rest", "adversary"):
        found = {key: figure for key, figure in clean["leakage"][group].items() if key != "kind"}
        assert all(isinstance(figure, Estimate) for figure in found.values())


def test_identity_is_named_from_the_rest_code_and_not_from_the_expression_code(clean):
    leak = clean["leakage"]
    assert leak["identity_in_rest"]["strongest"].value > 0.9
    assert leak["identity_in_expression"]["strongest"].value < 0.2
    assert leak["identity_in_trunk"]["strongest"].chance == 1 / 25
    assert leak["identity"] == {"people": 25, "faces": 200, "across": 1}


def test_the_baseline_to_beat_is_the_trunk_without_the_expression(clean):
    leak, kept = clean["leakage"], clean["retention"]
    assert leak["expression_in_erased_trunk"]["linear"].value < 0.4 < leak["expression_in_trunk"]["linear"].value
    assert kept["identity_auc_erased_trunk"].value > kept["identity_auc_trunk"].value
    assert kept["embedding_r2_rest"].value > 0.8 > 0.3 > kept["embedding_r2_expression"].value


def test_a_loud_feature_of_the_trunk_does_not_decide_what_is_kept():
    def loud(table: CodeTable) -> CodeTable:
        noise = np.random.default_rng(len(table)).normal(size=(len(table), 1))  # nothing in the codes tells it
        return replace(table, trunk=np.concatenate([table.trunk, 1e4 * noise], axis=1).astype(np.float32))

    parts = (codes(0, 40), codes(40, 15), codes(55, 25))
    plain_, with_noise = (
        evaluate_codes(*chosen, CONFIG)["retention"]["embedding_r2_rest"].value for chosen in (parts, map(loud, parts))
    )
    assert plain_ - 0.15 < with_noise < plain_  # one feature of thirteen


def test_known_factors_are_scored():
    def with_factors(table: CodeTable) -> CodeTable:
        yaw = table.rest[:, 0].astype(float)
        light = np.where(table.rest[:, 1] > 0, "left", "right")
        return replace(table, factors={"yaw": yaw, "light": light})

    parts = (with_factors(part) for part in (codes(0, 40), codes(40, 15), codes(55, 25)))
    found = evaluate_codes(*parts, CONFIG)["factors"]
    assert set(found) == {"expression", "yaw", "light", "all"}
    assert set(found["yaw"]) >= {"block_mig", "block_sap", "block_dci", "mig", "sap", "score", "information"}
    assert min(found[name]["block_sap"] for name in ("yaw", "light", "expression")) > 0.25
    assert min(found[name]["block_dci"] for name in ("yaw", "expression")) > 0.5
    assert set(found["all"]) == {"disentanglement", "completeness"}


def test_every_kind_of_probe_is_tried_unless_told_otherwise():
    parts = tuple(codes(first, people, "both") for first, people in ((0, 12), (12, 6), (18, 8)))
    trunk = {"trunk": compared_codes(parts, parts[2], 0)["trunk"]}
    found = expression_leakage(trunk, parts, KINDS[EvalConfig().probes], Bootstrap(n_resamples=100), {})
    assert set(PROBE_KINDS) <= set(found["expression_in_trunk"])
    assert min(found["expression_in_trunk"][kind].value for kind in PROBE_KINDS) > 0.5
    assert set(found["settings"]["trunk"]) == set(PROBE_KINDS)


def test_an_adversary_that_saw_the_labels_of_v_is_no_candidate_for_the_strongest():
    """It names every face of V right, by heart, and nothing in Q: V would choose it."""
    parts = [codes(first, people, "both") for first, people in ((0, 12), (12, 6), (18, 8))]
    one_of = np.eye(len(parts[1].classes), dtype=np.float32)
    for place, answers in enumerate((np.zeros(len(parts[0]), int), parts[1].labels, np.zeros(len(parts[2]), int))):
        parts[place] = replace(parts[place], adversary=one_of[answers])
    kinds = {}
    for split in ("val", "train"):
        chosen = replace(parts[1], splits=np.full(len(parts[1]), split))
        three = (parts[0], chosen, parts[2])
        found = expression_leakage(
            compared_codes(three, parts[2], 0), three, KINDS["linear"], Bootstrap(n_resamples=50), {}
        )
        kinds[split] = found["expression_in_rest"]["kind"]
        assert found["expression_in_rest"]["adversary"].value == pytest.approx(1 / len(parts[1].classes), abs=0.01)
    assert kinds["val"] == "adversary"
    assert kinds["train"] in KINDS["linear"]


def fake_run(classes=("neutral", "happiness", "anger"), fingerprint="patterns-12-2-32-0", crop="box", select="auto"):
    return SimpleNamespace(
        path=Path("runs/a"),
        display_name="runs/a",
        fingerprint="f",
        classes=classes,
        info={"faces": {"fingerprint": fingerprint, "crop": crop}},
        train_config=SimpleNamespace(checkpoint_selection=select),
    )


@pytest.fixture
def encoded(monkeypatch):
    """Codes that are the mean rows of the faces, in place of a network; the rows that were asked for."""
    asked = []

    def encode(run, cache, rows, batch, device, handler, flip):
        asked.append(rows)
        stripes = cache.faces(rows).mean(axis=(2, 3)).astype(np.float32)
        labels = evaluation.run_labels(run, cache)[rows]
        likely = np.eye(len(run.classes), dtype=np.float32)[labels]
        return CodeTable(
            rows=rows,
            expression=stripes,
            rest=stripes[:, :2],
            trunk=stripes,
            probabilities=likely,
            adversary=np.full_like(likely, 1 / len(run.classes)),
            labels=labels,
            identities=cache.identities[rows],
            splits=cache.splits[rows],
            classes=run.classes,
        )

    monkeypatch.setattr(evaluation, "encode", encode)
    return asked


def test_a_run_is_evaluated_on_its_test_split(opened, encoded):
    result = evaluation.evaluate(fake_run(), opened, EvalConfig(split="test", bootstrap_samples=100, probes="linear"))
    assert result.n == len(result.codes) == 18 and result.task["accuracy"].value == 1
    assert repr(result).startswith("EvaluationResult(model=") and "accuracy=1.000" in repr(result)
    result = result.to_dict()
    assert (result["kind"], result["split"], result["n"]) == ("evaluation", "test", 18)
    assert result["leakage"]["expression_in_expression"]["linear"]["value"] == 1
    assert {name: part["people"] for name, part in result["parts"].items()} == {"P": 6, "V": 3, "Q": 3}
    assert result["notes"] == [] and result["left_out"] == {}
    assert json.loads(dumps(result)) == result
    assert len(encoded) == 1 and len(np.unique(encoded[0])) == len(encoded[0]) == 72


def test_expressions_are_matched_by_name_and_unknown_ones_left_out_and_counted(opened, encoded):
    run = fake_run(classes=("anger", "fear", "neutral"))
    result = evaluation.evaluate(
        run, opened, EvalConfig(split="test", bootstrap_samples=100, probes="linear")
    ).to_dict()
    assert result["left_out"] == {"happiness": 6}
    assert result["n"] == 12 and result["classes"] == ["anger", "fear", "neutral"]
    assert result["confusion"] == [[6, 0, 0], [0, 0, 0], [0, 0, 6]]
    assert result["recall"]["fear"] is None
    assert result["task"]["accuracy"]["chance"] == 0.5


def test_a_cache_without_a_known_expression_is_refused(opened, encoded):
    with pytest.raises(CacheError, match="no expression in common"):
        evaluation.evaluate(fake_run(classes=("fear", "contempt")), opened, EvalConfig())
    assert encoded == []


def test_a_split_without_faces_is_refused_and_others_are_named(tmp_path, encoded):
    with (
        FacesCache.open(write_cache(tmp_path / "few.h5", people=1)) as cache,
        pytest.raises(
            CacheError, match="no usable face with a known expression in the split 'val'; choose --split test"
        ),
    ):
        evaluation.evaluate(fake_run(), cache, EvalConfig())


@pytest.mark.parametrize(
    ("run", "split", "note"),
    [
        (fake_run(), "val", "the checkpoint was selected on this split"),
        (fake_run(select="best"), "val", "the checkpoint was selected on this split"),
        (fake_run(), "train", "the model was trained on these faces"),
        (fake_run(), "all", "the model was trained on some of these faces"),
        (fake_run(), "all", "probes are trained and tested on different people of the same split"),
        (fake_run(fingerprint="others"), "val", "the model was trained on other faces"),
        (fake_run(crop="none"), "test", "the model was trained on crop 'none', these faces have crop 'box'"),
    ],
)
def test_caveats_are_noted(opened, encoded, run, split, note):
    notes = evaluation.evaluate(run, opened, EvalConfig(split=split, bootstrap_samples=100, probes="linear")).notes
    assert any(text.startswith(note) for text in notes)


def test_only_the_split_that_selected_the_checkpoint_is_called_optimistic(opened, encoded):
    for run, split in ((fake_run(), "test"), (fake_run(select="last"), "val"), (fake_run(fingerprint="o"), "val")):
        notes = evaluation.evaluate(run, opened, EvalConfig(split=split, bootstrap_samples=100, probes="linear")).notes
        assert not any("selected" in text for text in notes)


def test_the_handler_receives_start_and_end(opened, encoded):
    heard = []
    evaluation.evaluate(
        fake_run(), opened, EvalConfig(split="test", bootstrap_samples=100, probes="linear"), heard.append
    )
    assert [event.kind for event in heard] == ["start", "end"]
