"""SSIM and pixel weights."""

import pytest
import torch

from facedis.model.losses.image_losses import change_weights, ssim


def test_ssim_of_square_windows():
    x, y = torch.rand(2, 2, 3, 9, 8, dtype=torch.float64)
    expected = []
    for a, b in zip(*(each.unfold(2, 7, 1).unfold(3, 7, 1).reshape(-1, 49) for each in (x, y)), strict=True):
        luminance = (2 * a.mean() * b.mean() + 1e-4) / (a.mean() ** 2 + b.mean() ** 2 + 1e-4)
        covariance = ((a - a.mean()) * (b - b.mean())).mean()
        expected.append(luminance * (2 * covariance + 9e-4) / (a.var(correction=0) + b.var(correction=0) + 9e-4))
    assert ssim(x, y).mean().item() == pytest.approx(torch.stack(expected).mean().item(), abs=1e-4)
    assert ssim(x, x).mean().item() == pytest.approx(1)


def test_pixels_that_differ_between_two_faces_of_a_scene_have_larger_weights():
    face = torch.full((2, 3, 32, 32), 0.5)
    other = face.clone()
    other[0, :, 20:28, 10:22] = 0.0
    weight = change_weights(face, other, 8.0)
    assert weight[0, 0, 24, 16] == pytest.approx(5) and weight[0, 0, 5, 5] == 1 and (weight[1] == 1).all()
