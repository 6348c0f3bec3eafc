"""Pixel weights."""

import pytest
import torch

from facedis.model.losses.image_losses import change_weights


def test_pixels_that_differ_between_two_faces_of_a_scene_have_larger_weights():
    face = torch.full((2, 3, 32, 32), 0.5)
    other = face.clone()
    other[0, :, 20:28, 10:22] = 0.0
    weight = change_weights(face, other, 8.0)
    assert weight[0, 0, 24, 16] == pytest.approx(5) and weight[0, 0, 5, 5] == 1 and (weight[1] == 1).all()
