import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from facedis.faces.detection.integral_images import IntegralImageGroups, IntegralImages

CPU = torch.device("cpu")


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def plainly(images, *shape):
    return interpolate(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float(), shape, mode="area")


# The last one has windows whose sums do not fit a field: 2000 / 12 squared is above 8,224.
@pytest.mark.parametrize(
    ("height", "width", "shape"), [(50, 70, (31, 43)), (27, 37, (40, 55)), (13, 13, (1, 1)), (2000, 1400, (17, 12))]
)
def test_resizing_is_torch_s_area_interpolation(height, width, shape):
    images = [noise(height, width, seed) for seed in range(2)]
    resized = IntegralImages(images, CPU).resize(range(2), shape, range(shape[0]), range(shape[1]))
    torch.testing.assert_close(resized, plainly(images, *shape), rtol=0, atol=1e-4)


@pytest.mark.parametrize("side", [400, 4])
def test_a_part_is_a_part_of_the_whole_and_repeats_beyond_its_edge(side):
    images = [noise(600, 500, seed) for seed in range(3)]
    part = IntegralImages(images, CPU).resize(range(1, 3), (side, side), range(side - 2, side + 1), range(1, side + 1))
    whole = plainly(images[1:], side, side)
    rows, columns = [side - 2, side - 1, side - 1], [*range(1, side), side - 1]
    torch.testing.assert_close(part, whole[:, :, rows][..., columns], rtol=0, atol=1e-4)


def test_white_does_not_overflow_at_the_largest_window():
    white = np.full((90, 1080, 3), 255, np.uint8)
    resized = IntegralImages([white], CPU).resize(range(1), (1, 12), range(1), range(12))
    assert (resized == 255).all()


def test_crops_of_images_of_any_sizes_are_torch_s_area_interpolation():
    rng = np.random.default_rng(3)
    images = [noise(60, 80, 1), noise(2600, 2500, 2), noise(60, 80, 3)]
    places, boxes = [], []
    for place in (2, 0, 1, 0, 2, 1, 1, 0):
        height, width = images[place].shape[:2]
        left, top = int(rng.integers(0, width - 1)), int(rng.integers(0, height - 1))
        places.append(place)
        boxes.append((left, top, int(rng.integers(left + 1, width + 1)), int(rng.integers(top + 1, height + 1))))
    boxes[2] = (0, 0, 2500, 2600)  # windows too large for a field
    crops = IntegralImageGroups(images, CPU).crops(torch.tensor(places), torch.tensor(boxes), 24)
    for crop, place, (left, top, right, bottom) in zip(crops, places, boxes, strict=True):
        expected = plainly([images[place][top:bottom, left:right]], 24, 24)[0]
        torch.testing.assert_close(crop, expected, rtol=0, atol=1e-4)
