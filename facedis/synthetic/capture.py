"""Capture conditions of an image: pose, camera, light, background, clothes."""

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Capture:
    """All factors of an image except identity and expression.

    Attributes:
        yaw: Radians, head turned to its left.
        pitch: Radians, head raised.
        roll: Radians, head tilted to its left.
        distance: Metres from camera to head.
        field: Width of the view relative to the standard one.
        shift: (2,) metres, offset of the head from the image's centre: right, up.
        key: (2,) radians, azimuth and elevation of the main light; azimuth 0 is the camera.
        key_size: Radius in metres of the main light, two metres away; a large light is soft.
        key_power: Relative power of the main light.
        fill: Relative power of the uniform ambient light.
        tint: (3,) colour of the light.
        cloth: (3,) colour of the clothes.
        collar: Metres, height of the collar above its standard height.
        background: Seed of the backdrop.
        grain: Standard deviation of the sensor noise, on the scale 0..255.
    """

    yaw: float
    pitch: float
    roll: float
    distance: float
    field: float
    shift: np.ndarray
    key: np.ndarray
    key_size: float
    key_power: float
    fill: float
    tint: np.ndarray
    cloth: np.ndarray
    collar: float
    background: int
    grain: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Capture":
        """Sample random capture conditions."""
        warmth = rng.normal(0, 0.06)
        return cls(
            yaw=float(np.clip(rng.normal(0, 0.22), -0.6, 0.6)),
            pitch=float(np.clip(rng.normal(0, 0.10), -0.3, 0.3)),
            roll=float(np.clip(rng.normal(0, 0.06), -0.2, 0.2)),
            distance=rng.uniform(1.0, 1.6),
            field=rng.uniform(0.92, 1.08),
            shift=rng.normal(0, 0.006, 2),
            key=np.array([rng.uniform(-1.1, 1.1), rng.uniform(0.1, 0.9)]),
            key_size=rng.uniform(0.15, 0.7),
            key_power=rng.uniform(0.8, 1.25),
            fill=rng.uniform(0.2, 0.55),
            tint=np.array([1 + warmth, 1.0, 1 - warmth]) + rng.normal(0, 0.015, 3),
            cloth=np.exp(rng.uniform(-3.5, -0.4)) * np.exp(rng.normal(0, 0.5, 3)).clip(0.3, 2.0),
            collar=rng.normal(0, 0.012),
            background=int(rng.integers(2**31)),
            grain=rng.uniform(0.0, 2.0),
        )

    @classmethod
    def standard(cls) -> "Capture":
        """Return fixed conditions, for images that differ in identity and expression only."""
        return cls(
            yaw=0.0,
            pitch=0.0,
            roll=0.0,
            distance=1.3,
            field=1.0,
            shift=np.zeros(2),
            key=np.array([0.5, 0.5]),
            key_size=0.5,
            key_power=1.0,
            fill=0.4,
            tint=np.ones(3),
            cloth=np.full(3, 0.12),
            collar=0.0,
            background=0,
            grain=0.0,
        )

    def to_vector(self) -> tuple[list[str], np.ndarray]:
        """Return the names and the values of all parameters except the backdrop's seed."""
        names, values = [], []
        for field in fields(self):
            if field.name == "background":
                continue
            value = np.atleast_1d(getattr(self, field.name))
            names += [field.name] if len(value) == 1 else [f"{field.name}.{i}" for i in range(len(value))]
            values += [float(number) for number in value]
        return names, np.array(values, np.float32)
