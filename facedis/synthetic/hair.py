"""Hair geometry: a shell over the scalp and, for long hair, a sheet around the neck."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from facedis.synthetic.head import Head
from facedis.synthetic.identity_params import HAIR_STYLES, IdentityParams
from facedis.synthetic.paint import TexelPositions, height_above_hairline

#: Height above the eye line of the lower end of long hair, by style; metres.
_ENDS = {"medium": -0.11, "long": -0.23}
_AROUND, _DOWN, _TEXTURE_SIDE = 72, 40, 512
#: Number of subdivisions of the scalp's triangles, for a hairline finer than the mesh.
_SUBDIVISIONS = 2


@dataclass(frozen=True)
class HairSurface:
    """A surface of hair.

    Attributes:
        vertices: (V, 3) metres, in the head's frame.
        triangles: (F, 3) int.
        uv: (V, 2) texture coordinates, v upwards.
        colour: (S, S, 3) float32.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    colour: np.ndarray


def hair_surfaces(
    person: IdentityParams, head: Head, texels: TexelPositions, neutral: np.ndarray, normals: np.ndarray
) -> list[HairSurface]:
    """Return the hair surfaces; empty for the styles bald and cropped, which are part of the skin texture.

    Args:
        person: Parameters of the identity.
        head: The average head.
        texels: Positions of the texels on it.
        neutral: (V, 3) vertices of the identity.
        normals: (V, 3) normals of the vertices.
    """
    style = HAIR_STYLES[person.style]
    if style in ("bald", "cropped"):
        return []
    found = [_shell(person, head, texels, neutral, normals)]
    if style in _ENDS:
        found.append(_sheet(person, head, neutral, _ENDS[style]))
    return found


def _shell(
    person: IdentityParams, head: Head, texels: TexelPositions, neutral: np.ndarray, normals: np.ndarray
) -> HairSurface:
    """The scalp, displaced by the hair's thickness and cut along the hairline."""
    surface = head.surfaces["skin"]
    above = height_above_hairline(person, *(head.average - [0, 0, head.eye_line]).T)
    near = (above[surface.corners] > -0.015).any(1)
    corners, texture = surface.corners[near], surface.texture[near]
    pairs, index = np.unique(np.stack([corners.ravel(), texture.ravel()], 1), axis=0, return_inverse=True)
    known = [head.average[pairs[:, 0]], neutral[pairs[:, 0]], normals[pairs[:, 0]], head.uv[pairs[:, 1]]]
    triangles = index.reshape(-1, 3)
    values = np.concatenate(known, 1)
    for _ in range(_SUBDIVISIONS):
        values, triangles = _subdivide(values, triangles)
    average, place, normal, uv = values[:, :3], values[:, 3:6], values[:, 6:9], values[:, 9:]
    x, y, z = (average - [0, 0, head.eye_line]).T
    above = height_above_hairline(person, x, y, z)
    angle = np.arctan2(x, -y)
    lumps = 1 + 0.12 * np.sin(9 * angle + 40 * z + 5 * person.parting) + 0.08 * np.sin(23 * angle - 70 * z)
    parted = 1 - 0.4 * np.exp(-(((x - 0.03 * person.parting) / 0.007) ** 2)) * (z > 0.07)
    thick = person.volume * np.clip(above / 0.03 + 0.05, 0.05, 1) ** 0.6 * lumps * parted
    ragged = above + 0.0025 * np.sin(310 * x + 90 * y) * np.sin(170 * x - 220 * z)
    triangles = triangles[ragged[triangles].mean(1) > 0.001]
    colour = person.hair * (1 + 0.35 * _grain(person.marks, len(texels.x), 3)[..., None])
    return HairSurface(place + normal * thick[:, None], triangles, uv, np.clip(colour, 0, 1).astype(np.float32))


def _subdivide(values: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split each triangle into four and interpolate the (V, D) vertex `values` at the new vertices."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), 1)
    unique, index = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = (len(values) + index.reshape(3, -1)).astype(int)
    a, b, c = triangles.T
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([values, values[unique].mean(1)]), np.concatenate([np.stack(part, 1) for part in parts])


def _sheet(person: IdentityParams, head: Head, neutral: np.ndarray, end: float) -> HairSurface:
    """A sheet around the back of the head, open at the front, that begins above the ears."""
    x, y, z = neutral[np.unique(head.surfaces["skin"].corners)].T
    eyes = neutral[np.unique(head.surfaces["eyes"].corners), 2].mean()  # identities differ in height
    level = np.abs(z - eyes) < 0.05
    wide, middle = np.abs(x[level]).max(), (y[level].min() + y[level].max()) / 2
    back = y[level].max() - middle
    angle = np.linspace(-1, 1, _AROUND)  # 0 at the back, 1 at the left temple
    fall = np.linspace(0, 1, _DOWN)[:, None]
    theta = angle * (np.radians(104) - np.radians(10) * fall)
    top, bottom = eyes + 0.075, eyes + end
    height = top + (bottom - top) * fall + 0 * theta
    out = person.volume * (0.8 + 0.3 * np.sin(14 * theta + 7 * person.parting) * fall + 0.6 * np.sin(np.pi * fall))
    swell = np.clip(fall / 0.22, 0, 1)  # flat against the shell at the top, away from the head below
    tuck = (0.78 + 0.20 * swell * (2 - swell)) * (1 - 0.14 * np.clip(fall - 0.4, 0, 1))
    place = [(wide + out) * np.sin(theta) * tuck, middle + (back + out) * np.cos(theta) * tuck, height]
    corner = np.arange(_AROUND * _DOWN).reshape(_DOWN, _AROUND)[:-1, :-1].ravel()
    quads = np.stack([corner, corner + 1, corner + _AROUND + 1, corner + _AROUND], 1)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    uv = np.stack(np.broadcast_arrays((angle[None] + 1) / 2, 1 - fall), 2)
    down = np.linspace(0, 1, _TEXTURE_SIDE)[:, None, None]
    colour = person.hair * (1 + 0.35 * _grain(person.marks + 1, _TEXTURE_SIDE, 1)[..., None]) * (1 - 0.25 * down)
    colour = np.clip(colour, 0, 1).astype(np.float32)
    return HairSurface(np.stack(place, 2).reshape(-1, 3), triangles, uv.reshape(-1, 2), colour)


def _grain(seed: int, side: int, coarse: int) -> np.ndarray:
    """(side, side) vertical streaks, about -1..1."""
    rng = np.random.default_rng([seed, 4])
    fine = rng.normal(0, 0.5, (max(side // 64, 2), side // coarse)).astype(np.float32)
    return np.asarray(Image.fromarray(fine).resize((side, side), Image.Resampling.BICUBIC))
