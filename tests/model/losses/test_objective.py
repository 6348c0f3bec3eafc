"""Eq. 1-3 against slow implementations and closed forms."""

import math

import pytest
import torch

from facedis.model.losses import objective as losses


def _softmax(row):
    top = max(row)
    exps = [math.exp(value - top) for value in row]
    return [value / sum(exps) for value in exps]


LOGITS = [[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-3.0, 4.0, 1.0], [0.0, 0.0, 9.0]]
LABELS = [0, 2, 1, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cross_entropies_match_eq_1_and_2(dtype):
    logits, labels = torch.tensor(LOGITS, dtype=dtype), torch.tensor(LABELS)
    by_hand = -sum(math.log(_softmax(row)[label]) for row, label in zip(LOGITS, LABELS, strict=True)) / 4
    assert losses.expression_loss(logits, labels).item() == pytest.approx(by_hand, rel=1e-5)
    assert losses.adversary_loss(logits, labels).item() == pytest.approx(by_hand, rel=1e-5)


def test_confusion_loss_is_the_cross_entropy_to_uniform():
    by_hand = -sum(sum(math.log(p) for p in _softmax(row)) / 3 for row in LOGITS) / 4
    assert losses.confusion_loss(torch.tensor(LOGITS)).item() == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("k", [2, 7, 8])
def test_confusion_loss_has_its_minimum_ln_k_at_the_uniform_output(k):
    uniform = torch.zeros(5, k)
    assert losses.confusion_loss(uniform).item() == pytest.approx(math.log(k), rel=1e-6)
    assert losses.confusion_loss(uniform + torch.randn(5, k)) > math.log(k)


def test_gradient_of_the_confusion_loss_is_p_minus_uniform():
    logits = torch.tensor(LOGITS, requires_grad=True)
    losses.confusion_loss(logits).backward()
    expected = (torch.softmax(logits.detach(), 1) - 1 / 3) / 4
    torch.testing.assert_close(logits.grad, expected)


def test_reconstruction_loss_is_a_sum_over_pixels_and_a_mean_over_images():
    images, generated = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    by_hand = 0.0
    for a, b in zip(images.flatten().tolist(), generated.flatten().tolist(), strict=True):
        by_hand += (a - b) ** 2
    assert losses.reconstruction_loss(images, generated).item() == pytest.approx(by_hand / 2, rel=1e-5)
    assert losses.reconstruction_loss(images, generated, "mean").item() == pytest.approx(by_hand / 96, rel=1e-5)


def test_class_weights_balance_a_rare_and_a_frequent_class():
    logits, labels = torch.tensor([[1.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1])
    weighted = losses.adversary_loss(logits, labels, torch.tensor([1.0, 3.0]))
    balanced = losses.adversary_loss(logits[2:], labels[2:])
    assert weighted.item() == pytest.approx(balanced.item(), rel=1e-6)
