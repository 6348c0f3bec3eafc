"""Image quality: PSNR and SSIM of pairs of images, and KID of two sets of images."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from scipy.ndimage import correlate1d

from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_weights, percentile_interval
from facedis.metrics.statistics.pair_groups import PairGroups
from facedis.result import Estimate

#: Standard deviation and radius in pixels of the Gaussian window of SSIM.
WINDOW_SIGMA, WINDOW_RADIUS = 1.5, 5
#: Mean squared error of rounding to 8 bits, which is the smallest error that `psnr` assumes.
_ROUNDING = 1 / 12
_BLOCK = 32

#: Anything with arithmetic: a numpy array or a torch tensor.
_Array = TypeVar("_Array", bound=Any)


def psnr(images: np.ndarray, references: np.ndarray) -> np.ndarray:
    """(n,) peak signal-to-noise ratio in decibels of (n, H, W, 3) uint8 images; 58.9 for equal images.

    The ratio of equal images would be infinite. The images are rounded to 8 bits, so the error of that rounding
    is taken as the smallest possible error.
    """

    def errors(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return ((x - y) ** 2).mean(axis=(1, 2, 3))

    return 10 * np.log10(255**2 / np.maximum(_by_blocks(errors, images, references), _ROUNDING))


def ssim(images: np.ndarray, references: np.ndarray) -> np.ndarray:
    """(n,) mean structural similarity, at most 1, of (n, H, W, 3) uint8 images of at least 11 x 11 pixels.

    The mean of `ssim_map` over positions and channels, with a Gaussian window of 11 x 11 pixels and standard
    deviation 1.5 at the positions where it is inside the image.

    Source: Wang, Bovik, Sheikh & Simoncelli, Image quality assessment: from error visibility to
    structural similarity, IEEE TIP 13, 2004. Deviation: the mean over three channels; theirs is of grey images.
    """

    def values(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        means = (_gaussian_mean(part) for part in (x, y, x * x, y * y, x * y))
        return ssim_map(255, *means).mean(axis=(1, 2, 3))

    return _by_blocks(values, images, references)


def ssim_map(
    data_range: float, mean_x: _Array, mean_y: _Array, mean_xx: _Array, mean_yy: _Array, mean_xy: _Array
) -> _Array:
    """Structural similarity of each window, from the window's means of x, y, x * x, y * y and x * y.

    Args:
        data_range: Difference of the largest and the smallest possible value.
        mean_x, mean_y, mean_xx, mean_yy, mean_xy: Arrays or tensors of one shape.

    Source: Wang, Bovik, Sheikh & Simoncelli, IEEE TIP 13, 2004, eq. 13.
    """
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    var_x, var_y, covariance = mean_xx - mean_x * mean_x, mean_yy - mean_y * mean_y, mean_xy - mean_x * mean_y
    return ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x * mean_x + mean_y * mean_y + c1) * (var_x + var_y + c2)
    )


def _by_blocks(
    metric: Callable[[np.ndarray, np.ndarray], np.ndarray], images: np.ndarray, references: np.ndarray
) -> np.ndarray:
    """(n,) `metric` of the images in float64, computed in blocks to bound the memory."""
    values = np.empty(len(images))
    for start in range(0, len(images), _BLOCK):
        block = slice(start, start + _BLOCK)
        values[block] = metric(images[block].astype(np.float64), references[block].astype(np.float64))
    return values


def _gaussian_mean(images: np.ndarray) -> np.ndarray:
    """Gaussian-weighted mean around each position of (n, H, W, C) where the window is inside the image."""
    offsets = np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1)
    window = np.exp(-(offsets**2) / (2 * WINDOW_SIGMA**2))
    window /= window.sum()
    smooth = correlate1d(correlate1d(images, window, axis=1), window, axis=2)
    return smooth[:, WINDOW_RADIUS:-WINDOW_RADIUS, WINDOW_RADIUS:-WINDOW_RADIUS]


def kid(
    features: np.ndarray, real: np.ndarray, groups: PairGroups, real_groups: np.ndarray, bootstrap: Bootstrap
) -> Estimate:
    """KID: squared maximum mean discrepancy of two sets of features; unbiased, so it may be negative.

    The kernel is (x·y / F + 1)³. The interval is that of a bootstrap over people. Repetitions in a resample
    make a set more similar to itself, so the interval is shifted to lie around the value.

    Args:
        features: (m, F) features of the evaluated images.
        real: (n, F) features of real images.
        groups: Groups of the two donors of each evaluated image; for an image of one person, twice the same.
        real_groups: (n,) int group of each real image.
        bootstrap: Number of resamples and seed.

    Source: Binkowski, Sutherland, Arbel & Gretton, Demystifying MMD GANs, ICLR 2018.
    """
    if min(len(features), len(real)) < 2:
        return Estimate(float("nan"), chance=0.0, n=len(features))
    kernels = _kernel(features, features), _kernel(real, real), _kernel(features, real)
    value = float(_discrepancy(np.ones((1, len(features))), np.ones((1, len(real))), *kernels)[0])
    if groups.has_one_pair:
        return Estimate(value, chance=0.0, n=len(features))
    n_groups = int(max(groups.stacked.max(), real_groups.max())) + 1
    blocks = bootstrap_weights(n_groups, bootstrap)
    values = np.concatenate([_discrepancy(groups.weights(w), w[:, real_groups], *kernels) for w in blocks])
    defined = values[np.isfinite(values)]
    low, high = percentile_interval(values - (defined.mean() - value if len(defined) else 0))
    return Estimate(value, low, high, 0.0, len(features))


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x.astype(np.float64) @ y.T.astype(np.float64) / x.shape[1] + 1) ** 3


def _discrepancy(wx: np.ndarray, wy: np.ndarray, xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """(b,) discrepancies for weights (b, m) and (b, n); NaN where a set has fewer than two images."""
    with np.errstate(divide="ignore", invalid="ignore"):
        across = ((wx @ xy) * wy).sum(axis=1) / (wx.sum(axis=1) * wy.sum(axis=1))
        return _mean_within(wx, xx) + _mean_within(wy, yy) - 2 * across


def _mean_within(w: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Mean of the kernel over pairs of different images of one set."""
    squares = w**2
    total = ((w @ kernel) * w).sum(axis=1) - squares @ np.diagonal(kernel)
    return total / (w.sum(axis=1) ** 2 - squares.sum(axis=1))
