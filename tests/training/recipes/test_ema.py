"""Exponential moving average of the weights."""

import pytest
import torch
from torch import nn

from facedis.training.recipes.ema import EMA


def test_the_average_approaches_constant_weights():
    layer = nn.BatchNorm1d(3)
    average = EMA(layer, 0.5)
    with torch.no_grad():
        layer.weight.fill_(5.0)
        layer.running_mean.fill_(2.0)
    for _ in range(40):
        average.update_parameters(layer)
    assert torch.allclose(average.module.weight, layer.weight)
    assert torch.allclose(average.module.running_mean, layer.running_mean)


def test_the_first_step_has_weight_0_9():
    layer = nn.Linear(1, 1, bias=False)
    average = EMA(layer, 0.999)
    start = layer.weight.item()
    with torch.no_grad():
        layer.weight.fill_(1.0)
    average.update_parameters(layer)
    assert average.module.weight.item() == pytest.approx(0.1 * start + 0.9)


def test_an_average_continues_from_its_state_dict():
    layer, other = nn.Linear(2, 2), nn.Linear(2, 2)
    first, second = EMA(layer, 0.9), EMA(other, 0.9)
    for _ in range(3):
        first.update_parameters(other)
    second.load_state_dict(first.state_dict())
    for average in (first, second):
        average.update_parameters(layer)
    assert torch.equal(first.module.weight, second.module.weight)
