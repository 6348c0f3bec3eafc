"""Sharpness-aware minimisation."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from facedis.config import ModelConfig, TrainConfig
from facedis.model.network.disentangler import build
from facedis.training.encoder_objective import Batch, ClassWeights
from facedis.training.optimizers import OptimizedModule
from facedis.training.recipes.sam import sam_perturbation
from facedis.training.steps import train_step


def test_weights_move_along_the_gradient_and_are_restored():
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


def test_a_non_finite_gradient_moves_nothing():
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4))
    model(torch.randn(8, 2)).sum().backward()
    model[0].weight.grad[0, 0] = torch.inf
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with sam_perturbation(model, 0.05) as found:
        assert not found
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_running_statistics_are_not_updated_at_the_perturbed_weights():
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4))
    model(torch.randn(8, 2)).square().sum().backward()
    before = model[1].running_var.clone()
    with sam_perturbation(model, 0.05) as found:
        model(torch.full((8, 2), torch.inf))
    assert found and torch.equal(model[1].running_var, before)
    model(torch.randn(8, 2))
    assert not torch.equal(model[1].running_var, before)


def test_a_step_with_a_non_finite_gradient_has_no_second_gradient():
    torch.manual_seed(0)
    settings = ModelConfig(
        trunk="resnet18_half", weights="none", image_size=32, branch="light", branch_widths=(8, 8, 8), decoder="none"
    )
    model, _ = build(settings, {"expression": 3})
    optimized = OptimizedModule(model.train(), model, (torch.optim.SGD(model.parameters(), 0.0),))
    backward, backward_calls = optimized.backward, []

    def overflowing(fabric, loss):
        backward(fabric, loss)
        backward_calls.append(loss)
        model.expression_head[1].weight.grad.fill_(torch.inf)

    optimized.backward, optimized.optimizer_step = overflowing, lambda: None
    batch = Batch(torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 0]))
    train_step(Fabric(accelerator="cpu"), optimized, None, batch, TrainConfig(sam_rho=0.05), ClassWeights())
    assert len(backward_calls) == 1 and all(torch.isfinite(value).all() for value in model.state_dict().values())


def test_a_step_uses_the_gradient_at_the_perturbed_weights():
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    optimized = OptimizedModule(layer, layer, (torch.optim.SGD(layer.parameters(), 0.1),))
    fabric = Fabric(accelerator="cpu")
    optimized.backward(fabric, layer.weight.square().sum())
    with sam_perturbation(layer, 0.5):
        optimized.backward(fabric, layer.weight.square().sum())  # at 1.5: a gradient of 3
    optimized.optimizer_step()
    assert layer.weight.item() == pytest.approx(1 - 0.1 * 3)
