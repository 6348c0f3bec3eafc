"""A frontal face, painted as soft-edged shapes on a shaded relief.

Coordinates: u to the right, v down, origin between the eyes, chin at v = 1.
"""

from collections.abc import Mapping
from copy import copy

import numpy as np
from PIL import Image, ImageFilter

from facedis.drawn.factors import Identity, Scene


def draw(who: Identity, actions: Mapping[str, float], scene: Scene, size: int = 160) -> np.ndarray:
    """Paint one face.

    Args:
        who: The person.
        actions: The facial actions of `factors.sample_actions`, 0 to 1.
        scene: Pose, light and background.
        size: Side of the picture in pixels.

    Returns:
        (size, size, 3) uint8.
    """
    sheet = _Sheet(scene, size)
    _backdrop(sheet, who, scene)
    face = sheet.window(0, 0.05, 1.0, 1.3)
    head = _outline(face, who, 1.0 + 0.16 * actions["jaw"])
    face.paint(head, who.skin)
    _complexion(face, who, scene, head)
    _folds(face.window(0, 0.1, 0.8, 0.75), who, actions)
    _nose(face.window(0, who.nose_length, 0.45, 0.3), who, actions)
    for side in (-1, 1):
        _eye(face.window(side * who.eye_gap, 0, 0.42, 0.3), who, actions, side)
        _brow(face.window(side * 0.3, -0.3, 0.42, 0.32), who, actions, side)
    _mouth(face.window(0, 0.75, 0.65, 0.5), who, actions)
    face.shade(_relief(face, who, actions, head), scene, head)
    _fringe(face, who, scene)
    return _photograph(sheet.colour, scene)


class _Sheet:
    """The picture in the making: (S, S, 3) colours and the face coordinates of every pixel."""

    def __init__(self, scene: Scene, size: int) -> None:
        line = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
        self.x, self.y = np.meshgrid(line, line)
        x, y = self.x - np.float32(scene.shift[0]), self.y - np.float32(scene.shift[1])
        cos, sin = np.float32(np.cos(scene.turn)), np.float32(np.sin(scene.turn))
        self.u = (cos * x + sin * y) / np.float32(scene.scale)
        self.v = (cos * y - sin * x) / np.float32(scene.scale) + np.float32(0.1)
        self.pixel = 2 / size / scene.scale
        self.colour = np.zeros((size, size, 3), np.float32)

    def window(self, u: float, v: float, wide: float, high: float) -> "_Sheet":
        """The part around (u, v), as a sheet whose colours are those of this one: small parts are quick."""
        part = copy(self)
        place = _where((np.abs(self.u - u) < wide) & (np.abs(self.v - v) < high))
        part.u, part.v, part.colour = self.u[place], self.v[place], self.colour[place]
        return part

    def paint(self, distance: np.ndarray, colour: np.ndarray, opacity: float = 1.0, soft: float = 0.0) -> None:
        """Lay `colour` where `distance` (S, S) is negative, fading over `soft` or one and a half pixels."""
        self.blend(opacity * self.cover(distance, soft), colour)

    def blend(self, mask: np.ndarray, colour: np.ndarray) -> None:
        """Mix `colour` in with weight `mask` (S, S)."""
        place = _where(mask)
        colour = np.asarray(colour, np.float32)
        below = self.colour[place]
        below += mask[place][..., None] * ((colour if colour.ndim == 1 else colour[place]) - below)

    def darken(self, mask: np.ndarray) -> None:
        """Take the share `mask` (S, S) of the light away, least of the red, as skin does."""
        place = _where(mask)
        self.colour[place] *= 1 - mask[place][..., None] * np.array([0.75, 0.95, 1.0], np.float32)

    def cover(self, distance: np.ndarray, soft: float = 0.0) -> np.ndarray:
        """(S, S) 1 inside, 0 outside."""
        return np.clip(0.5 - distance / max(soft, 1.5 * self.pixel), 0, 1)

    def ellipse(self, u: float, v: float, wide: float, high: float) -> np.ndarray:
        """(S, S) signed distance to an ellipse around (u, v)."""
        return (np.hypot((self.u - u) / wide, (self.v - v) / high) - 1) * min(wide, high)

    def bump(self, u: float, v: float, wide: float, high: float) -> np.ndarray:
        """(S, S) a Gaussian hill of height 1 at (u, v)."""
        return np.exp(-(((self.u - u) / wide) ** 2) - ((self.v - v) / high) ** 2)

    def shade(self, relief: np.ndarray, scene: Scene, head: np.ndarray) -> None:
        """Light the head by the slope of `relief` (S, S)."""
        down, right = np.gradient(relief, self.pixel)
        facing = (scene.light[2] - right * scene.light[0] - down * scene.light[1]) / np.sqrt(right**2 + down**2 + 1)
        facing /= np.linalg.norm(scene.light)
        light = scene.ambient + (1.08 - scene.ambient) * np.clip(facing, 0, 1)
        shine = 0.10 * np.clip(facing, 0, 1) ** 24
        lit = self.colour * light[..., None] + shine[..., None]
        self.blend(self.cover(head), lit)


def _where(mask: np.ndarray) -> tuple[slice, slice]:
    """The rectangle outside which `mask` (S, S) does nothing that could be seen."""
    seen = mask > 0.004
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    if not len(rows):
        return slice(0), slice(0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _outline(sheet: _Sheet, who: Identity, chin: float) -> np.ndarray:
    """(S, S) signed distance to the head: an ellipse above the eyes, a squarer one below."""
    high = np.where(sheet.v < 0, 1.0, chin)
    power = np.where(sheet.v < 0, 2.1, who.jaw)
    wide = who.width * (1 - 0.10 * np.clip(sheet.v / chin, 0, 1) ** 2)
    radius = (np.abs(sheet.u / wide) ** power + np.abs(sheet.v / high) ** power) ** (1 / power)
    return (radius - 1) * who.width


def _backdrop(sheet: _Sheet, who: Identity, scene: Scene) -> None:
    ramp = np.clip(0.5 + 0.5 * (np.cos(scene.slope) * sheet.x + np.sin(scene.slope) * sheet.y), 0, 1)[..., None]
    sheet.colour[:] = scene.background[0] * (1 - ramp) + scene.background[1] * ramp
    behind = np.maximum(sheet.ellipse(0, -0.15, who.width * 1.22, 1.06), sheet.v - who.hair_length)
    curtain = np.maximum(np.abs(sheet.u) - who.width * 1.2, np.abs(sheet.v - who.hair_length / 2) - who.hair_length / 2)
    sheet.paint(np.minimum(behind, curtain), who.hair * 0.7, soft=0.1)
    sheet.paint(sheet.ellipse(0, 2.1, 1.6, 0.95), scene.cloth, soft=0.05)
    neck = np.maximum(np.abs(sheet.u) - 0.38, 0.6 - sheet.v) + np.maximum(sheet.v - 1.2, 0)
    sheet.paint(neck, who.skin * 0.7, soft=0.1)
    for side in (-1, 1):
        sheet.paint(sheet.ellipse(side * who.width * 1.0, 0.12, 0.09, 0.2), who.skin * 0.8, soft=0.04)


def _complexion(sheet: _Sheet, who: Identity, scene: Scene, head: np.ndarray) -> None:
    """Blotches, rosy cheeks, a beard's shadow."""
    coarse = np.random.default_rng(scene.grain).normal(0, 1, (12, 12)).astype(np.float32)
    blotch = np.asarray(Image.fromarray(coarse).resize(sheet.u.shape[::-1], Image.Resampling.BICUBIC))
    sheet.colour *= 1 + 0.015 * (blotch * sheet.cover(head))[..., None]
    for side in (-1, 1):
        sheet.blend(0.18 * sheet.bump(side * 0.4, 0.42, 0.2, 0.16), who.lips)
    chin = sheet.cover(0.5 - sheet.v, 0.3) * sheet.cover(head, 0.1)
    sheet.blend(who.beard * 0.6 * chin, who.hair)


def _folds(sheet: _Sheet, who: Identity, actions: Mapping[str, float]) -> None:
    """Creases: beside nose and mouth, between and above the brows, below the eyes."""
    for side, smile in ((-1, actions["smile_left"]), (1, actions["smile_right"])):
        depth = 0.12 * who.age + 0.35 * max(smile, 0.8 * actions["wrinkle"], 0.6 * actions["lip_up"])
        along = np.clip((sheet.v - 0.38) / 0.34, 0, 1)
        path = side * (who.nose_width + 0.03 + (who.mouth_width - 0.06 + 0.10 * smile) * along**1.2)
        inside = sheet.cover(np.abs(sheet.v - 0.55) - 0.15, 0.1)
        sheet.darken(depth * inside * np.exp(-(((sheet.u - path) / 0.028) ** 2)))
        sheet.darken((0.10 + 0.12 * who.age) * sheet.bump(side * who.eye_gap, 0.12, 0.12, 0.025))
        sheet.darken(0.35 * actions["brow_down"] * sheet.bump(side * 0.055, -0.2, 0.014, 0.075))
    for row in (-0.40, -0.47):
        raised = max(actions["brow_in"], actions["brow_out"]) * (0.5 + 0.5 * who.age)
        sheet.darken(0.18 * raised * sheet.bump(0, row, 0.34, 0.012))
    for row in (-0.03, 0.04, 0.11):
        sheet.darken(0.38 * actions["wrinkle"] * sheet.bump(0, row, 0.10, 0.014))


def _nose(sheet: _Sheet, who: Identity, actions: Mapping[str, float]) -> None:
    base = who.nose_length - 0.03 * actions["wrinkle"]
    wide = who.nose_width * (1 + 0.12 * actions["wrinkle"])
    sheet.darken(0.28 * sheet.bump(0, base + 0.05, wide, 0.03))
    for side in (-1, 1):
        sheet.darken(0.6 * sheet.cover(sheet.ellipse(side * wide * 0.48, base + 0.025, wide * 0.30, 0.02), 0.03))
        wing = np.abs(np.hypot((sheet.u - side * wide * 0.62) / 0.9, sheet.v - base + 0.01) - wide * 0.4) - 0.006
        outer = sheet.cover(wide * 0.75 - side * sheet.u, 0.06)
        sheet.darken(0.22 * sheet.cover(wing, 0.03) * outer)


def _eye(sheet: _Sheet, who: Identity, actions: Mapping[str, float], side: int) -> None:
    across = (sheet.u - side * who.eye_gap) / who.eye_size
    level = -who.eye_tilt * side * (sheet.u - side * who.eye_gap)
    bow = np.sqrt(np.clip(1 - across**2, 0, 1))
    opening = who.eye_size * (0.46 + 0.30 * actions["wide"] - 0.26 * actions["squint"])
    upper = level - opening * bow
    lower = (
        level + who.eye_size * (0.34 + 0.10 * actions["wide"] - 0.22 * actions["squint"] - 0.1 * actions["cheek"]) * bow
    )
    inside = np.maximum(np.maximum(upper - sheet.v, sheet.v - lower), (np.abs(across) - 1) * who.eye_size)
    mask = sheet.cover(inside)
    sheet.darken(0.25 * sheet.bump(side * who.eye_gap, -0.03, who.eye_size * 1.2, 0.07))
    sheet.blend(mask, (0.90, 0.88, 0.86))
    centre = side * who.eye_gap, -0.005
    radius = who.eye_size * 0.43
    iris = sheet.ellipse(*centre, radius, radius)
    sheet.blend(mask * sheet.cover(iris), who.iris * 0.55)
    sheet.blend(mask * sheet.cover(iris + 0.016, 0.02), who.iris * 1.15)
    sheet.blend(mask * sheet.cover(iris + radius * 0.55), (0.03, 0.03, 0.03))
    sheet.blend(mask * 0.35 * sheet.cover(sheet.v - upper - 0.025, 0.03), (0.1, 0.08, 0.08))
    sheet.blend(mask * sheet.cover(sheet.ellipse(centre[0] - 0.02, centre[1] - 0.022, 0.011, 0.011)), (1, 1, 1))
    lid = sheet.cover((np.abs(across) - 1.02) * who.eye_size)
    sheet.blend(0.9 * lid * sheet.cover(np.abs(sheet.v - upper) - 0.011, 0.02), who.hair * 0.35)
    sheet.darken(0.35 * lid * sheet.cover(np.abs(sheet.v - lower) - 0.006, 0.02))
    crease = upper - 0.035 + 0.01 * actions["wide"]
    sheet.darken(0.3 * lid * sheet.cover(np.abs(sheet.v - crease) - 0.006, 0.02))


def _brow(sheet: _Sheet, who: Identity, actions: Mapping[str, float], side: int) -> None:
    inner = 0.10 - 0.035 * actions["brow_down"]
    share = (side * sheet.u - inner) / (who.eye_gap + who.eye_size * 1.15 - inner)  # 0 at the nose, 1 at the temple
    along = np.clip(share, 0, 1)
    height = -who.brow_height - who.brow_arch * np.sin(np.pi * along**1.3)
    height -= 0.12 * actions["brow_in"] * (1 - along) ** 1.5 + 0.12 * actions["brow_out"] * along**0.7
    height += actions["brow_down"] * (0.05 + 0.08 * (1 - along)) + 0.03 * along
    half = who.brow_weight * (0.45 + 0.55 * np.sin(np.pi * (0.2 + 0.75 * along)))
    ends = (np.abs(share - 0.5) - 0.5) * 0.35
    hairs = 0.75 + 0.25 * np.sin(sheet.u * 95 + side * sheet.v * 60)
    mask = sheet.cover(np.abs(sheet.v - height) - half, 0.03) * sheet.cover(ends, 0.05)
    sheet.blend(0.9 * mask * hairs, np.minimum(who.hair * 0.7, who.skin * 0.6))


def _mouth(sheet: _Sheet, who: Identity, actions: Mapping[str, float]) -> None:
    left, right = actions["smile_left"], actions["smile_right"]
    smile = np.where(sheet.u < 0, left, right)
    wide = who.mouth_width * (1 + 0.28 * smile + 0.28 * actions["stretch"] - 0.10 * actions["jaw"])
    across = np.clip(sheet.u / wide, -1, 1)
    bow = 1 - across**2
    rest = 0.68 + 0.05 * actions["jaw"]
    line = rest + (0.11 * actions["frown"] - 0.12 * smile + 0.03 * actions["stretch"]) * (across**2 - 0.25)
    gape = 0.26 * actions["jaw"] + 0.06 * min(left, right) + 0.06 * actions["lip_up"] + 0.03 * actions["stretch"]
    top = line - bow * (0.25 * gape + 0.05 * actions["lip_up"])
    bottom = line + bow * 0.75 * gape
    lips = who.lip_height * (1 - 0.65 * actions["press"])
    cupid = 1 - 0.35 * np.exp(-((across / 0.13) ** 2))
    above = top - lips * np.sqrt(bow) * cupid
    below = bottom + 1.25 * lips * np.sqrt(bow)
    ends = (np.abs(sheet.u) - wide) * 0.7
    sheet.paint(np.maximum(np.maximum(above - sheet.v, sheet.v - below), ends), who.lips, soft=0.03)
    sheet.darken(0.18 * sheet.cover(np.maximum(np.maximum(above - sheet.v, sheet.v - top), ends), 0.02))
    hole = sheet.cover(np.maximum(np.maximum(top - sheet.v, sheet.v - bottom), ends)) * (gape > 0.03)
    sheet.blend(hole, (0.22, 0.06, 0.06))
    teeth = sheet.cover(sheet.v - top - 0.055 * bow, 0.02) * sheet.cover(np.abs(across) - 0.86, 0.1)
    sheet.blend(0.95 * hole * teeth, (0.88, 0.86, 0.82))
    seam = np.abs(sheet.v - (top if gape < 0.06 else line)) - 0.008
    sheet.darken(0.6 * (1 - hole) * sheet.cover(np.maximum(seam, ends), 0.025))
    sheet.darken(
        0.22 * sheet.bump(0, below.max(where=np.abs(across) < 0.2, initial=0) + 0.05, who.mouth_width * 0.7, 0.03)
    )


def _relief(sheet: _Sheet, who: Identity, actions: Mapping[str, float], head: np.ndarray) -> np.ndarray:
    """(S, S) height of the face towards the camera."""
    radius = np.clip(head / who.width + 1, 0, 0.995)
    height = 0.62 * np.sqrt(1 - radius**2)
    ridge = np.clip((sheet.v + 0.12) / (who.nose_length + 0.1), 0, 1) * np.clip(
        (who.nose_length + 0.06 - sheet.v) / 0.1, 0, 1
    )
    height += 0.20 * ridge * np.exp(-((sheet.u / (who.nose_width * (0.5 + 0.35 * ridge))) ** 2))
    height += 0.04 * sheet.bump(0, 0.93, 0.2, 0.12) + 0.03 * sheet.bump(0, 0.68, 0.2, 0.1)
    for side in (-1, 1):
        height -= 0.07 * sheet.bump(side * who.eye_gap, 0.0, 0.17, 0.11)
        height += (0.03 + 0.05 * actions["cheek"]) * sheet.bump(side * 0.42, 0.32, 0.17, 0.14)
        height += 0.03 * sheet.bump(side * 0.3, -0.22, 0.25, 0.07)
    return height


def _fringe(sheet: _Sheet, who: Identity, scene: Scene) -> None:
    """Hair on the front of the head, lighter where it catches the light."""
    line = who.hair_line + 0.55 * (sheet.u / who.width) ** 4 + 0.10 * np.exp(-(((sheet.u - who.parting) / 0.3) ** 2))
    top = sheet.ellipse(0, -0.12, who.width * 1.12, 1.04)
    strands = 0.85 + 0.12 * np.sin(40 * sheet.u + 9 * sheet.v) + 0.08 * np.sin(83 * sheet.u - 17 * sheet.v)
    glow = 0.75 + 0.5 * np.exp(-(((sheet.v + 0.75) / 0.15) ** 2)) - 0.15 * sheet.u * np.sign(-scene.light[0])
    sheet.blend(sheet.cover(np.maximum(top, sheet.v - line), 0.06), who.hair * (strands * glow)[..., None])


def _photograph(colour: np.ndarray, scene: Scene) -> np.ndarray:
    """(S, S, 3) uint8: tinted, slightly out of focus, with the noise of a sensor."""
    pixels = np.clip(colour * scene.tint * 255, 0, 255).astype(np.uint8)
    soft = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.6)), np.float32)
    noise = np.random.default_rng(scene.grain).normal(0, 2.0, colour.shape)
    return np.clip(soft + noise, 0, 255).astype(np.uint8)
