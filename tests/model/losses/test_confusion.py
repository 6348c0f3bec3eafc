"""The objectives of confusion on known answers, and which way each pushes."""

import math

import pytest
import torch

from facedis.model.losses.confusion import OBJECTIVES, entropy_loss, hsic_loss, prior_loss, reversal_loss
from facedis.model.losses.objective import adversary_loss, confusion_loss

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-3.0, 4.0, 1.0]])
LABELS = torch.tensor([0, 2, 1])


def test_the_prior_is_the_cross_entropy_by_hand_and_uniform_is_eq_2():
    prior = torch.tensor([0.5, 0.3, 0.2])
    by_hand = 0.0
    for row in LOGITS.tolist():
        total = sum(math.exp(value) for value in row)
        by_hand -= sum(
            share * math.log(math.exp(value) / total) for share, value in zip(prior.tolist(), row, strict=True)
        )
    assert prior_loss(LOGITS, prior).item() == pytest.approx(by_hand / 3, rel=1e-5)
    assert prior_loss(LOGITS, torch.full((3,), 1 / 3)).item() == pytest.approx(confusion_loss(LOGITS).item(), rel=1e-6)


def test_reversal_is_minus_what_the_adversary_minimises():
    assert reversal_loss(LOGITS, LABELS) == -adversary_loss(LOGITS, LABELS)


def test_entropy_is_least_at_uniform():
    assert entropy_loss(torch.zeros(4, 8)).item() == pytest.approx(-math.log(8), rel=1e-6)
    assert entropy_loss(LOGITS) > -math.log(3)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_moves_a_sure_adversary_towards_doubt(name):
    logits = torch.tensor([[3.0, 0.0, 0.0]], requires_grad=True)
    OBJECTIVES[name](logits, torch.tensor([0]), torch.full((3,), 1 / 3)).backward()
    assert logits.grad[0, 0] > 0 > logits.grad[0, 1], "going down the gradient takes from the sure answer"


def test_hsic_is_high_where_the_code_tells_the_class_and_low_where_it_does_not():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(256) % 4
    noise = torch.randn(256, 4, generator=generator)
    telling = torch.nn.functional.one_hot(labels, 4) * 5 + 0.1 * noise
    assert hsic_loss(telling, labels) > 0.8
    assert hsic_loss(noise, labels) < 0.1
    assert hsic_loss(100 * noise, labels).item() == pytest.approx(hsic_loss(noise, labels).item(), rel=1e-3)
