import json
from dataclasses import replace

import numpy as np
import pytest

from facedis.errors import ConfigError, RunError
from facedis.model.network.trunk import Source, build_trunk
from facedis.model.storage.checkpoint import load_run, write_info
from facedis.tasks.swapping import evaluators
from facedis.tasks.swapping.evaluators import (
    IDENTITY_LABELS,
    ExpressionEvaluator,
    IdentityEvaluator,
    dependence_reason,
    load_expression_evaluator,
    load_identity_evaluator,
)
from tests.tasks.runs import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "run", 0, decoder="detached")


def test_an_independent_run_is_accepted(run, tmp_path):
    evaluator = make_run(tmp_path / "evaluator", 1, baseline=True)
    assert dependence_reason(evaluator, run) == ""
    assert load_expression_evaluator(evaluator.path, run, "cpu").classes == run.classes


def test_the_run_itself_is_refused(run, tmp_path):
    with pytest.raises(RunError, match="they are the same run"):
        load_expression_evaluator(run.path, run)
    link = tmp_path / "other-name"
    link.symlink_to(run.path)
    assert dependence_reason(load_run(link), run) == "they are the same run"


def test_a_run_with_shared_weights_is_refused(run, tmp_path):
    copy = make_run(tmp_path / "copy", 5, tensors=run.model.state_dict(), decoder="detached")
    assert "share weights" in dependence_reason(copy, run)
    trunk = {name: value for name, value in run.model.state_dict().items() if name.startswith("trunk.")}
    frozen = make_run(tmp_path / "frozen", 6, tensors=trunk, baseline=True)
    with pytest.raises(RunError, match="share weights"):
        load_expression_evaluator(frozen.path, run)


def test_a_run_initialised_from_the_same_trunk_is_refused(run, tmp_path):
    moved = make_run(tmp_path / "moved", 7, weights=run.path, baseline=True)  # trained further: no tensor is equal
    assert "took part" in dependence_reason(moved, run) and "took part" in dependence_reason(run, moved)
    parent = make_run(tmp_path / "parent", 8, baseline=True)
    first, second = (make_run(tmp_path / name, seed, weights=parent.path) for name, seed in (("one", 9), ("other", 10)))
    assert "took part" in dependence_reason(first, second)
    assert dependence_reason(moved, parent) == ""


def test_a_teacher_depends_on_its_student(tmp_path):
    teacher, student = make_run(tmp_path / "teacher", 1, baseline=True), make_run(tmp_path / "student", 2)
    assert dependence_reason(teacher, student) == ""
    write_info(student.path, student.info | {"train": student.info["train"] | {"teachers": [str(teacher.path)]}})
    assert "took part" in dependence_reason(teacher, load_run(student.path))


def test_identity_and_expression_models_are_not_interchangeable(run, tmp_path):
    people = make_run(tmp_path / "people", 1, labels=IDENTITY_LABELS, baseline=True)
    expressions = make_run(tmp_path / "expressions", 2, baseline=True)
    with pytest.raises(RunError, match="classifies identities"):
        load_expression_evaluator(people.path, run)
    with pytest.raises(RunError, match="classifies expressions"):
        load_identity_evaluator(str(expressions.path), run)
    with pytest.raises(ConfigError, match="vggface2"):
        load_identity_evaluator("nowhere", run)
    assert json.loads((people.path / "run.json").read_text())["labels"] == IDENTITY_LABELS


def test_pretrained_facenet_is_refused_for_a_model_initialised_with_it(run):
    began = run.info | {"pretrained": True}
    other = replace(run, info=began, config=replace(run.config, trunk="inception_resnet_v1"))
    with pytest.raises(RunError, match="initialised with these weights"):
        load_identity_evaluator("vggface2", other)


def test_outputs_do_not_depend_on_the_batch_size(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (7, 40, 40, 3), np.uint8)
    people = make_run(tmp_path / "people", 1, labels=IDENTITY_LABELS, baseline=True)
    expressions = make_run(tmp_path / "expressions", 2, baseline=True)
    for batch_size in (3, 100):
        probabilities, features = ExpressionEvaluator(expressions, "cpu", batch_size).predict(images)
        assert probabilities.shape == (7, 3) and probabilities.sum(axis=1) == pytest.approx(np.ones(7))
        embeddings = IdentityEvaluator(people, "cpu", batch_size).embed(images)
        assert embeddings.shape == (7, 8) and len(features) == 7
    one, _ = ExpressionEvaluator(expressions, "cpu", 1).predict(images[:1])
    assert one[0] == pytest.approx(probabilities[0], abs=1e-5)


def test_facenet_resizes_images_to_its_input_size(run, monkeypatch):
    asked = []

    def built(name, source):
        asked.append((name, source.weights))
        return build_trunk("mobilenet_v3_large", Source("none"))

    monkeypatch.setattr(evaluators, "build_trunk", built)
    evaluator = load_identity_evaluator("vggface2", run, "cpu")
    sizes = []
    evaluator.trunk.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape))
    images = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), np.uint8)
    assert evaluator.embed(images).shape[0] == 3 and sizes == [(3, 3, 160, 160)]
    assert asked == [("inception_resnet_v1", "vggface2")] and evaluator.metadata["weights"] == "vggface2"
