"""Data augmentation."""

import pytest
import torch

from facedis.training.recipes.augmentation import augment


@pytest.mark.parametrize("kind", ["flip", "mild", "strong"])
def test_augmentation_is_repeatable_and_stays_in_the_unit_range(kind):
    images = torch.rand(16, 3, 24, 24)
    one, two = (augment(images, kind, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, images)
    assert one.shape == images.shape and one.min() >= 0 and one.max() <= 1
    assert torch.equal(augment(images, "none", torch.Generator()), images)


@pytest.mark.parametrize("kind", ["flip", "mild", "strong"])
def test_images_of_one_group_get_the_same_augmentation(kind):
    images = torch.rand(4, 3, 24, 24)
    images[2] = images[0]
    found = augment(images, kind, torch.Generator().manual_seed(1), torch.tensor([0, 1, 0, 2]))
    assert torch.equal(found[0], found[2])


def test_flip_mirrors_left_and_right():
    image = torch.zeros(64, 3, 4, 4)
    image[..., 0] = 1  # bright on the left
    flipped = augment(image, "flip", torch.Generator().manual_seed(0))
    assert {tuple(row.tolist()) for row in flipped[:, 0, 0]} == {(1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)}
