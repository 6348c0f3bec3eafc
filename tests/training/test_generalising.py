"""Running means, mixup, sharpness-aware steps and teachers, each against what its paper says."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from facedis.config import ModelConfig, TrainConfig, resolve
from facedis.errors import ConfigError, RunError
from facedis.model.losses import objective as losses
from facedis.model.network.disentangler import build
from facedis.model.storage.checkpoint import load_run
from facedis.training.recipes.distillation import TEMPERATURE, Teachers, distillation_loss
from facedis.training.recipes.ema import EMA
from facedis.training.recipes.mixup import Mixup, draw_mixup, mix_loss
from facedis.training.recipes.sam import sam_perturbation
from facedis.training.steps import Batch, ClassWeights, OptimizedModule, train_step
from tests.tasks.runs import make_run


def test_the_running_mean_nears_a_constant_and_forgets_the_start():
    layer = nn.BatchNorm1d(3)
    average = EMA(layer, 0.5)
    with torch.no_grad():
        layer.weight.fill_(5.0)
        layer.running_mean.fill_(2.0)
    for _ in range(40):
        average.update(layer)
    assert torch.allclose(average.module.weight, layer.weight)
    assert torch.allclose(average.module.running_mean, layer.running_mean)


def test_the_mean_of_two_steps_is_what_the_formula_says():
    layer = nn.Linear(1, 1, bias=False)
    average = EMA(layer, 0.999)
    start = layer.weight.item()
    with torch.no_grad():
        layer.weight.fill_(1.0)
    average.update(layer)  # the first step leaves a tenth of what was there
    assert average.module.weight.item() == pytest.approx(0.1 * start + 0.9)


def test_a_running_mean_goes_on_from_its_tensors():
    layer, other = nn.Linear(2, 2), nn.Linear(2, 2)
    first, second = EMA(layer, 0.9), EMA(other, 0.9)
    for _ in range(3):
        first.update(other)
    second.restore(first.tensors())
    for average in (first, second):
        average.update(layer)
    assert torch.equal(first.module.weight, second.module.weight)


def test_mixup_blends_pictures_and_losses_alike():
    mix = Mixup(torch.tensor([1, 0]), 0.75)
    pictures = torch.tensor([[0.0], [1.0]])
    assert mix_loss(mix, torch.Tensor.contiguous, pictures).tolist() == [[0.25], [0.75]]
    logits, labels = torch.randn(2, 3), torch.tensor([0, 2])
    soft = torch.tensor([[0.75, 0.0, 0.25], [0.25, 0.0, 0.75]])
    found = mix_loss(mix, lambda labels: losses.expression_loss(logits, labels), labels)
    assert found.item() == pytest.approx(nn.functional.cross_entropy(logits, soft).item(), abs=1e-6)


def test_the_same_step_draws_the_same_blend():
    one, two = (draw_mixup(8, 0.4, torch.Generator().manual_seed(7)) for _ in range(2))
    assert one.share == two.share and torch.equal(one.partner, two.partner)
    assert draw_mixup(8, 0.4, torch.Generator().manual_seed(8)).share != one.share


def test_the_worst_point_nearby_is_up_the_gradient_and_the_weights_come_back():
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    inputs = torch.randn(8, 2)
    loss = model(inputs).square().mean()
    loss.backward()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with sam_perturbation(model, 0.05):
        moved = [(value - before[name]).norm() for name, value in model.named_parameters()]
        assert torch.stack(moved).norm().item() == pytest.approx(0.05, rel=1e-4)
        assert model(inputs).square().mean() > loss
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_gradient_that_is_no_number_has_no_worst_point_and_moves_nothing():
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4))
    model(torch.randn(8, 2)).sum().backward()
    model[0].weight.grad[0, 0] = torch.inf
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with sam_perturbation(model, 0.05) as found:
        assert not found
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_running_statistics_survive_what_overflows_at_the_worst_point():
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4))
    model(torch.randn(8, 2)).square().sum().backward()
    before = model[1].running_var.clone()
    with sam_perturbation(model, 0.05) as found:
        model(torch.full((8, 2), torch.inf))
    assert found and torch.equal(model[1].running_var, before)
    model(torch.randn(8, 2))
    assert not torch.equal(model[1].running_var, before), "and afterwards they follow again"


def test_a_step_whose_gradient_overflows_is_left_as_it_is_without_sharpness():
    torch.manual_seed(0)
    settings = ModelConfig(
        trunk="resnet18_half", weights="none", image_size=32, branch="light", branch_widths=(8, 8, 8), decoder="none"
    )
    model, _ = build(settings, {"expression": 3})
    side = OptimizedModule(model.train(), model, (torch.optim.SGD(model.parameters(), 0.0),))
    backward, backward_calls = side.backward, []

    def overflowing(fabric, loss):
        backward(fabric, loss)
        backward_calls.append(loss)
        model.expression_head[1].weight.grad.fill_(torch.inf)

    side.backward, side.optimizer_step = overflowing, lambda: None
    batch = Batch(torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 0]))
    train_step(Fabric(accelerator="cpu"), side, None, batch, TrainConfig(sam_rho=0.05), ClassWeights())
    assert len(backward_calls) == 1 and all(torch.isfinite(value).all() for value in model.state_dict().values())


def test_a_sharpness_aware_step_goes_down_the_gradient_of_the_worst_point():
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    side = OptimizedModule(layer, layer, (torch.optim.SGD(layer.parameters(), 0.1),))
    fabric = Fabric(accelerator="cpu")
    side.backward(fabric, layer.weight.square().sum())
    with sam_perturbation(layer, 0.5):
        side.backward(fabric, layer.weight.square().sum())  # at 1.5: a gradient of 3
    side.optimizer_step()
    assert layer.weight.item() == pytest.approx(1 - 0.1 * 3)


@pytest.mark.parametrize("other", [{"confusion": "hsic"}, {"confusion": "reversal"}, {"feature_retention_weight": 1.0}])
def test_mixup_is_refused_beside_what_needs_one_label(other):
    with pytest.raises(ConfigError, match="two labels"):
        resolve(TrainConfig, {"mixup_alpha": 0.2, **other})


def test_a_pupil_that_answers_as_its_teachers_do_has_nothing_to_learn():
    logits = torch.randn(5, 7)
    assert distillation_loss(logits, (logits / TEMPERATURE).softmax(1)).item() == pytest.approx(0, abs=1e-6)
    assert distillation_loss(logits, torch.full((5, 7), 1 / 7)).item() > 0


def test_the_gradient_of_the_teachers_is_of_the_size_of_a_cross_entropys():
    logits = torch.zeros(1, 3, requires_grad=True)
    distillation_loss(logits, torch.tensor([[1.0, 0.0, 0.0]])).backward()
    # Hinton et al., eq. 2: (q - p) / T for each unit, times T^2.
    assert torch.allclose(logits.grad, TEMPERATURE * torch.tensor([[-2 / 3, 1 / 3, 1 / 3]]))


def test_teachers_answer_in_the_order_of_the_pupil_and_see_the_size_they_know(tmp_path):
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


def test_a_teacher_of_other_expressions_is_refused(tmp_path):
    make_run(tmp_path / "one", 1)
    with pytest.raises(RunError, match="was taught other expressions"):
        Teachers([str(tmp_path / "one")], ("joy", "grief"), torch.device("cpu"))
