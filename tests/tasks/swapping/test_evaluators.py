import json
from dataclasses import replace

import numpy as np
import pytest

from facedis.errors import ConfigError, RunError
from facedis.model.network.trunk import Source, build_trunk
from facedis.model.storage.checkpoint import load_run, write_info
from facedis.tasks.swapping import evaluators as judges
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


def test_a_run_of_its_own_may_judge(run, tmp_path):
    judge = make_run(tmp_path / "judge", 1, baseline=True)
    assert dependence_reason(judge, run) == ""
    assert load_expression_evaluator(judge.path, run, "cpu").classes == run.classes


def test_the_run_itself_may_not(run, tmp_path):
    with pytest.raises(RunError, match="it is the run itself"):
        load_expression_evaluator(run.path, run)
    link = tmp_path / "other-name"
    link.symlink_to(run.path)
    assert dependence_reason(load_run(link), run) == "is the run itself"


def test_a_copy_of_it_or_of_its_trunk_may_not(run, tmp_path):
    copy = make_run(tmp_path / "copy", 5, tensors=run.model.state_dict(), decoder="detached")
    assert "shares weights" in dependence_reason(copy, run)
    trunk = {name: value for name, value in run.model.state_dict().items() if name.startswith("trunk.")}
    frozen = make_run(tmp_path / "frozen", 6, tensors=trunk, baseline=True)
    with pytest.raises(RunError, match="shares weights"):
        load_expression_evaluator(frozen.path, run)


def test_one_that_went_on_from_its_trunk_may_not_and_neither_may_a_sister(run, tmp_path):
    moved = make_run(tmp_path / "moved", 7, weights=run.path, baseline=True)  # trained on: no tensor is the same
    assert "had a part" in dependence_reason(moved, run) and "had a part" in dependence_reason(run, moved)
    parent = make_run(tmp_path / "parent", 8, baseline=True)
    one, other = (make_run(tmp_path / name, seed, weights=parent.path) for name, seed in (("one", 9), ("other", 10)))
    assert "had a part" in dependence_reason(one, other)
    assert dependence_reason(moved, parent) == ""


def test_a_teacher_cannot_judge_its_pupil(tmp_path):
    teacher, pupil = make_run(tmp_path / "teacher", 1, baseline=True), make_run(tmp_path / "pupil", 2)
    assert dependence_reason(teacher, pupil) == ""
    write_info(pupil.path, pupil.info | {"train": pupil.info["train"] | {"teacher": [str(teacher.path)]}})
    assert "had a part" in dependence_reason(teacher, load_run(pupil.path))


def test_each_judge_judges_what_it_knows(run, tmp_path):
    people = make_run(tmp_path / "people", 1, labels=IDENTITY_LABELS, baseline=True)
    expressions = make_run(tmp_path / "expressions", 2, baseline=True)
    with pytest.raises(RunError, match="knows people"):
        load_expression_evaluator(people.path, run)
    with pytest.raises(RunError, match="tells nobody apart"):
        load_identity_evaluator(str(expressions.path), run)
    with pytest.raises(ConfigError, match="vggface2"):
        load_identity_evaluator("nowhere", run)
    assert json.loads((people.path / "run.json").read_text())["labels"] == IDENTITY_LABELS


def test_the_recognition_network_may_not_judge_a_model_that_began_with_it(run):
    began = run.info | {"pretrained": True}
    other = replace(run, info=began, config=replace(run.config, trunk="inception_resnet_v1"))
    with pytest.raises(RunError, match="began with the weights vggface2"):
        load_identity_evaluator("vggface2", other)


def test_what_judges_say_does_not_depend_on_the_batch(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 255, (7, 40, 40, 3), np.uint8)
    people = make_run(tmp_path / "people", 1, labels=IDENTITY_LABELS, baseline=True)
    expressions = make_run(tmp_path / "expressions", 2, baseline=True)
    for batch in (3, 100):
        probabilities, features = ExpressionEvaluator(expressions, "cpu", batch).judge(pictures)
        assert probabilities.shape == (7, 3) and probabilities.sum(axis=1) == pytest.approx(np.ones(7))
        embeddings = IdentityEvaluator(people, "cpu", batch).embeddings(pictures)
        assert embeddings.shape == (7, 8) and len(features) == 7
    one, _ = ExpressionEvaluator(expressions, "cpu", 1).judge(pictures[:1])
    assert one[0] == pytest.approx(probabilities[0], abs=1e-5)


def test_the_recognition_network_sees_faces_in_its_own_size(run, monkeypatch):
    asked = []

    def built(name, source):
        asked.append((name, source.weights))
        return build_trunk("mobilenet_v3_large", Source("none"))

    monkeypatch.setattr(judges, "build_trunk", built)
    judge = load_identity_evaluator("vggface2", run, "cpu")
    sizes = []
    judge.trunk.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape))
    pictures = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), np.uint8)
    assert judge.embeddings(pictures).shape[0] == 3 and sizes == [(3, 3, 160, 160)]
    assert asked == [("inception_resnet_v1", "vggface2")] and judge.about["weights"] == "vggface2"
