"""Retention head, variance and covariance losses."""

import torch

from facedis.model.losses.retention_losses import (
    LOWRES_SIDE,
    RetentionHead,
    covariance_loss,
    lowres_target,
    variance_loss,
)


def test_retention_target_has_no_class_means_and_no_gradient():
    torch.manual_seed(0)
    labels = torch.arange(120) % 3
    features = (torch.randn(120, 6) + 4.0 * labels[:, None]).requires_grad_()
    head = RetentionHead(2, 6, 3).train()
    rest = torch.zeros(120, 2, requires_grad=True)
    for _ in range(200):
        loss = head(rest, features, labels)
    loss.backward()
    assert features.grad is None and head.predict.bias.grad is not None
    torch.testing.assert_close(head.means[1] - head.means[0], torch.full((6,), 4.0), atol=0.6, rtol=0)
    before = head.means.clone()
    head.eval()(rest, features, labels)
    assert torch.equal(head.means, before)


def test_lowres_target_is_the_mean_brightness_of_tiles():
    images = torch.rand(2, 3, 32, 32)
    tile = images[1, :, 4:8, 28:32].mean()
    torch.testing.assert_close(lowres_target(images).view(2, LOWRES_SIDE, LOWRES_SIDE)[1, 1, 7], tile)


def test_variance_loss_is_zero_for_varying_codes_and_one_for_a_constant():
    generator = torch.Generator().manual_seed(0)
    assert variance_loss(3 * torch.randn(500, 4, generator=generator)) == 0
    assert variance_loss(torch.ones(50, 4)) > 0.98


def test_covariance_loss_is_zero_for_independent_dimensions_and_maximal_for_copies():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(4000, 8, generator=generator)
    assert covariance_loss(codes) < 0.01
    torch.testing.assert_close(covariance_loss(codes[:, :1].repeat(1, 8)), torch.tensor(7.0), atol=0.01, rtol=0)
    torch.testing.assert_close(covariance_loss(100 * codes), covariance_loss(codes), atol=1e-5, rtol=0)
