"""Knowledge distillation."""

import pytest
import torch

from facedis.errors import RunError
from facedis.model.storage.checkpoint import load_run
from facedis.training.recipes.distillation import TEMPERATURE, Teachers, distillation_loss
from tests.tasks.runs import make_run


def test_the_loss_is_zero_for_equal_probabilities():
    logits = torch.randn(5, 7)
    assert distillation_loss(logits, (logits / TEMPERATURE).softmax(1)).item() == pytest.approx(0, abs=1e-6)
    assert distillation_loss(logits, torch.full((5, 7), 1 / 7)).item() > 0


def test_the_gradient_of_the_loss_matches_hinton_et_al():
    logits = torch.zeros(1, 3, requires_grad=True)
    distillation_loss(logits, torch.tensor([[1.0, 0.0, 0.0]])).backward()
    # Hinton et al., eq. 2: (q - p) / T for each unit, times T^2.
    assert torch.allclose(logits.grad, TEMPERATURE * torch.tensor([[-2 / 3, 1 / 3, 1 / 3]]))


def test_teachers_follow_the_class_order_of_the_student_and_resize_the_images(tmp_path):
    for name, seed in (("one", 1), ("two", 2)):
        make_run(tmp_path / name, seed, image_size=32)
    known = load_run(tmp_path / "one").classes
    images = torch.rand(4, 3, 48, 48)
    folders = [str(tmp_path / "one"), str(tmp_path / "two")]
    plain = Teachers(folders, known, torch.device("cpu"))(images)
    turned = Teachers(folders, known[::-1], torch.device("cpu"))(images)
    assert torch.allclose(plain, turned.flip(1)) and torch.allclose(plain.sum(1), torch.ones(4))
    alone = [Teachers([folder], known, torch.device("cpu"))(images) for folder in folders]
    assert torch.allclose(plain, (alone[0] + alone[1]) / 2)


def test_a_teacher_with_other_expressions_is_rejected(tmp_path):
    make_run(tmp_path / "one", 1)
    with pytest.raises(RunError, match="was trained on other expressions"):
        Teachers([str(tmp_path / "one")], ("joy", "grief"), torch.device("cpu"))
