import threading
import time

import numpy as np
import pytest
from PIL import Image

from facedis.faces.io import prefetch_decode as ahead
from facedis.faces.io.prefetch_decode import prefetch_decoded


@pytest.fixture
def shades(tmp_path):
    """300 small images whose shade tells their place."""
    paths = [tmp_path / f"{number}.png" for number in range(300)]
    for number, path in enumerate(paths):
        Image.fromarray(np.full((20, 20, 3), number % 256, np.uint8)).save(path)
    return paths


def test_images_come_in_order_and_bad_ones_in_their_place(shades):
    paths = [*shades[:10], shades[0].with_name("absent.png"), *shades[10:]]
    found = [
        image.status if image.pixels is None else int(image.pixels[0, 0, 0]) for image in prefetch_decoded(paths, 3)
    ]
    assert found == [*range(10), "missing", *(number % 256 for number in range(10, 300))]


@pytest.mark.parametrize(("pixels", "most"), [(10**9, ahead.MAX_QUEUED_IMAGES), (20 * 20 * 5, 5), (1, 3)])
def test_only_so_many_wait(shades, monkeypatch, pixels, most):
    monkeypatch.setattr(ahead, "MAX_QUEUED_PIXELS", pixels)
    begun = []
    real = ahead.decode_image
    monkeypatch.setattr(ahead, "decode_image", lambda path: (begun.append(path), real(path))[1])
    images = prefetch_decoded(shades, 2)
    for _ in range(200):  # the first ones tell how large they are
        next(images)
    time.sleep(0.2)
    assert len(begun) <= 200 + max(most, 1)
    images.close()


def test_stopping_early_leaves_no_thread_behind(shades):
    images = prefetch_decoded(shades, 2)
    next(images)
    images.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("facedis-decode")]
