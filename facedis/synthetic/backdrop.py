"""Backgrounds of blurred coloured shapes."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_SHAPES = 9


def backdrop(seed: int, size: int) -> np.ndarray:
    """Return the background of a seed: (size, size, 3) float32 in 0..1, sRGB."""
    rng = np.random.default_rng([seed, 9])
    first, second = (_colour(rng) for _ in range(2))
    slope = rng.uniform(0, 2 * np.pi)
    across = np.linspace(-1, 1, size)
    ramp = (np.cos(slope) * across[None] + np.sin(slope) * across[:, None]) / 2.83 + 0.5
    image = Image.fromarray((255 * (first + (second - first) * ramp[..., None])).astype(np.uint8))
    brush = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, _SHAPES))):
        x, y, wide, high = rng.uniform(-0.2, 1.1), rng.uniform(-0.2, 1.1), *rng.uniform(0.08, 0.7, 2)
        box = [size * x, size * y, size * (x + wide), size * (y + high)]
        draw = brush.ellipse if rng.random() < 0.4 else brush.rectangle
        draw(box, fill=tuple(int(v) for v in 255 * _colour(rng)))
    blurred = image.filter(ImageFilter.GaussianBlur(size * rng.uniform(0.01, 0.06)))
    return np.asarray(blurred, np.float32) / 255


def _colour(rng: np.random.Generator) -> np.ndarray:
    return np.clip(rng.uniform(0.08, 0.92) + rng.normal(0, 0.12, 3), 0, 1)
