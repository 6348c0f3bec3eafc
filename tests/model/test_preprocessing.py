"""Faces to network input."""

import numpy as np
import torch

from facedis.model.preprocessing import to_images


def test_faces_are_scaled_to_the_unit_range_resized_and_converted_to_grey():
    faces = torch.randint(0, 256, (2, 40, 40, 3), dtype=torch.uint8)
    same = to_images(faces, 40)
    torch.testing.assert_close(same, faces.permute(0, 3, 1, 2) / 255)
    assert to_images(faces, 20).shape == (2, 3, 20, 20)
    grey = to_images(faces, 40, grey=True)
    assert torch.equal(grey[:, 0], grey[:, 1]) and not torch.equal(same[:, 0], same[:, 1])


def test_grey_is_the_luma_of_pillow():
    from PIL import Image

    face = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    expected = np.asarray(Image.fromarray(face).convert("L"))
    found = to_images(torch.from_numpy(face[None]), 8, grey=True)[0, 0] * 255
    assert np.abs(found.numpy() - expected).max() <= 1
