"""Mixup."""

import pytest
import torch
from torch import nn

from facedis.config import TrainConfig, resolve
from facedis.errors import ConfigError
from facedis.model.losses import objective as losses
from facedis.training.recipes.mixup import Mixup, draw_mixup, mix_loss


def test_images_and_losses_are_mixed_with_the_same_weights():
    mixup = Mixup(torch.tensor([1, 0]), 0.75)
    images = torch.tensor([[0.0], [1.0]])
    assert mixup.mix(images).tolist() == [[0.25], [0.75]]
    logits, labels = torch.randn(2, 3), torch.tensor([0, 2])
    soft = torch.tensor([[0.75, 0.0, 0.25], [0.25, 0.0, 0.75]])
    found = mix_loss(mixup, lambda labels: losses.expression_loss(logits, labels), labels)
    assert found.item() == pytest.approx(nn.functional.cross_entropy(logits, soft).item(), abs=1e-6)


def test_the_same_generator_draws_the_same_mixup():
    one, two = (draw_mixup(8, 0.4, torch.Generator().manual_seed(7)) for _ in range(2))
    assert one.weight == two.weight and torch.equal(one.partner, two.partner)
    assert draw_mixup(8, 0.4, torch.Generator().manual_seed(8)).weight != one.weight


@pytest.mark.parametrize("other", [{"confusion": "hsic"}, {"confusion": "reversal"}, {"feature_retention_weight": 1.0}])
def test_mixup_is_rejected_with_losses_that_need_one_label(other):
    with pytest.raises(ConfigError, match="two labels"):
        resolve(TrainConfig, {"mixup_alpha": 0.2, **other})
