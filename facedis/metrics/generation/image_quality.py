"""How alike two pictures are, pixel by pixel and in structure, and two sets of pictures in their features."""

import numpy as np
from scipy.ndimage import correlate1d

from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_weights, percentile_interval
from facedis.result import Estimate

#: Of the Gaussian window of SSIM, and how far it reaches from its middle.
WINDOW_SIGMA, WINDOW_RADIUS = 1.5, 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
#: Mean squared error that rounding to 8 bits makes by itself: what two equal pictures are taken to have.
_ROUNDING = 1 / 12
_BLOCK = 32


def psnr(pictures: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """(n,) Peak signal-to-noise ratio in decibels of (n, H, W, 3) uint8 pictures; 58.9 where they are equal.

    Equal pictures would have an infinite one. They are 8-bit, so their truth is only known up to
    rounding, whose error is taken as the least there can be.
    """
    errors = np.empty(len(pictures))
    for start in range(0, len(pictures), _BLOCK):
        piece = slice(start, start + _BLOCK)
        difference = pictures[piece].astype(np.float64) - truths[piece]
        errors[piece] = (difference**2).mean(axis=(1, 2, 3))
    return 10 * np.log10(255**2 / np.maximum(errors, _ROUNDING))


def ssim(pictures: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """(n,) Mean structural similarity, at most 1, of (n, H, W, 3) uint8 pictures of 11 px or more.

    A Gaussian window of 11 pixels and sigma 1.5, only where it lies wholly inside; the mean over
    places and over the three channels.

    Source: Wang, Bovik, Sheikh & Simoncelli, Image quality assessment: from error visibility to
    structural similarity, IEEE TIP 13, 2004, eq. 13. Deviation: their pictures have one channel.
    """
    values = np.empty(len(pictures))
    for start in range(0, len(pictures), _BLOCK):
        piece = slice(start, start + _BLOCK)
        x, y = pictures[piece].astype(np.float64), truths[piece].astype(np.float64)
        mean_x, mean_y = _windowed(x), _windowed(y)
        var_x, var_y = _windowed(x * x) - mean_x**2, _windowed(y * y) - mean_y**2
        both = _windowed(x * y) - mean_x * mean_y
        top = (2 * mean_x * mean_y + _C1) * (2 * both + _C2)
        local = top / ((mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2))
        values[piece] = local.mean(axis=(1, 2, 3))
    return values


def _windowed(images: np.ndarray) -> np.ndarray:
    """The Gaussian mean around every place of (n, H, W, C) where the window lies inside."""
    steps = np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1)
    window = np.exp(-(steps**2) / (2 * WINDOW_SIGMA**2))
    window /= window.sum()
    smooth = correlate1d(correlate1d(images, window, axis=1), window, axis=2)
    return smooth[:, WINDOW_RADIUS:-WINDOW_RADIUS, WINDOW_RADIUS:-WINDOW_RADIUS]


def kid(
    own: np.ndarray, real: np.ndarray, own_people: np.ndarray, real_people: np.ndarray, plan: Bootstrap
) -> Estimate:
    """KID, the squared maximum mean discrepancy between two sets of features; unbiased, so it may be below 0.

    The kernel is (x·y / F + 1)³. The interval is that of a bootstrap over people, in which a picture
    of two people is drawn as often as the product of the two. Drawing a person twice makes a set more
    like itself, so the interval is moved to lie around the value.

    Args:
        own: (m, F) features of the pictures in question.
        real: (n, F) features of real ones.
        own_people: (m, 2) int group of each picture's two donors, the same twice for one person.
        real_people: (n,) int group of each.
        plan: Of the interval.

    Source: Binkowski, Sutherland, Arbel & Gretton, Demystifying MMD GANs, ICLR 2018.
    """
    if min(len(own), len(real)) < 2:
        return Estimate(float("nan"), chance=0.0, n=len(own))
    kernels = _kernel(own, own), _kernel(real, real), _kernel(own, real)
    value = float(_discrepancy(np.ones((1, len(own))), np.ones((1, len(real))), *kernels)[0])
    if has_single_pair(own_people):
        return Estimate(value, chance=0.0, n=len(own))
    people = int(max(own_people.max(), real_people.max())) + 1
    draws = [
        _discrepancy(pair_weights(often, own_people[:, 0], own_people[:, 1]), often[:, real_people], *kernels)
        for often in bootstrap_weights(people, plan)
    ]
    values = np.concatenate(draws)
    defined = values[np.isfinite(values)]
    low, high = percentile_interval(values - (defined.mean() - value if len(defined) else 0))
    return Estimate(value, low, high, 0.0, len(own))


def pair_weights(often: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(b, m) how often each of m pairs is drawn where its people (b, people) are; a pair of one as that one."""
    return often[:, first] * np.where(first == second, 1.0, often[:, second])


def has_single_pair(people: np.ndarray) -> bool:
    """Whether the (m, 2) people of m pairs are always the same one or two, who say nothing about others."""
    return len(np.unique(np.sort(people, axis=1), axis=0)) < 2


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x.astype(np.float64) @ y.T.astype(np.float64) / x.shape[1] + 1) ** 3


def _discrepancy(wx: np.ndarray, wy: np.ndarray, xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """(b,) of weights (b, m) and (b, n); NaN where a set has no two pictures."""
    with np.errstate(divide="ignore", invalid="ignore"):
        across = ((wx @ xy) * wy).sum(axis=1) / (wx.sum(axis=1) * wy.sum(axis=1))
        return _within(wx, xx) + _within(wy, yy) - 2 * across


def _within(w: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The mean of the kernel over pairs of different pictures."""
    own = w**2
    total = ((w @ kernel) * w).sum(axis=1) - own @ np.diagonal(kernel)
    return total / (w.sum(axis=1) ** 2 - own.sum(axis=1))
