"""Confusion losses: known values and the sign of their gradients."""

import math

import pytest
import torch

from facedis.model.losses.confusion import CONFUSION_LOSSES, entropy_loss, hsic_loss, prior_loss, reversal_loss
from facedis.model.losses.objective import adversary_loss, confusion_loss

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-3.0, 4.0, 1.0]])
LABELS = torch.tensor([0, 2, 1])


def test_prior_loss_is_the_cross_entropy_and_equals_eq_2_for_a_uniform_prior():
    prior = torch.tensor([0.5, 0.3, 0.2])
    by_hand = 0.0
    for row in LOGITS.tolist():
        total = sum(math.exp(value) for value in row)
        by_hand -= sum(
            share * math.log(math.exp(value) / total) for share, value in zip(prior.tolist(), row, strict=True)
        )
    assert prior_loss(LOGITS, prior).item() == pytest.approx(by_hand / 3, rel=1e-5)
    assert prior_loss(LOGITS, torch.full((3,), 1 / 3)).item() == pytest.approx(confusion_loss(LOGITS).item(), rel=1e-6)


def test_reversal_loss_is_the_negative_adversary_loss():
    assert reversal_loss(LOGITS, LABELS) == -adversary_loss(LOGITS, LABELS)


def test_entropy_loss_is_minimal_at_the_uniform_output():
    assert entropy_loss(torch.zeros(4, 8)).item() == pytest.approx(-math.log(8), rel=1e-6)
    assert entropy_loss(LOGITS) > -math.log(3)


@pytest.mark.parametrize("name", CONFUSION_LOSSES)
def test_every_confusion_loss_lowers_the_confidence_of_the_adversary(name):
    logits = torch.tensor([[3.0, 0.0, 0.0]], requires_grad=True)
    CONFUSION_LOSSES[name](logits, torch.tensor([0]), torch.full((3,), 1 / 3)).backward()
    assert logits.grad[0, 0] > 0 > logits.grad[0, 1], "a step along the negative gradient lowers the largest logit"


def test_hsic_is_high_for_informative_codes_and_low_for_noise():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(256) % 4
    noise = torch.randn(256, 4, generator=generator)
    informative = torch.nn.functional.one_hot(labels, 4) * 5 + 0.1 * noise
    assert hsic_loss(informative, labels) > 0.8
    assert hsic_loss(noise, labels) < 0.1
    assert hsic_loss(100 * noise, labels).item() == pytest.approx(hsic_loss(noise, labels).item(), rel=1e-3)
