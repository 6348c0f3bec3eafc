"""The three things that make a drawn face, each sampled without looking at the others."""

from dataclasses import dataclass

import numpy as np

#: Low and high end of every facial action of an expression, as shares of what a face can do.
#: They follow the usual prototypes (happiness raises the corners, fear stretches them, ...), which
#: are conventions for labelling pictures and no claim about felt emotion.
ACTIONS: dict[str, dict[str, tuple[float, float]]] = {
    "neutral": {"smile": (0.0, 0.08), "brow_in": (0.0, 0.08)},
    "happiness": {"smile": (0.5, 1.0), "cheek": (0.4, 0.9), "squint": (0.1, 0.4), "jaw": (0.0, 0.3)},
    "sadness": {"brow_in": (0.6, 1.0), "brow_down": (0.1, 0.4), "frown": (0.5, 1.0), "squint": (0.1, 0.3)},
    "surprise": {"brow_in": (0.6, 1.0), "brow_out": (0.6, 1.0), "wide": (0.4, 0.9), "jaw": (0.4, 1.0)},
    "fear": {
        "brow_in": (0.6, 1.0),
        "brow_out": (0.2, 0.5),
        "brow_down": (0.3, 0.6),
        "wide": (0.5, 1.0),
        "stretch": (0.5, 1.0),
        "jaw": (0.15, 0.4),
    },
    "disgust": {"wrinkle": (0.6, 1.0), "lip_up": (0.4, 1.0), "brow_down": (0.2, 0.5), "squint": (0.2, 0.5)},
    "anger": {"brow_down": (0.7, 1.0), "squint": (0.2, 0.5), "press": (0.5, 1.0), "frown": (0.1, 0.35)},
    "contempt": {"smirk": (0.6, 1.0), "press": (0.1, 0.3)},
}


def sample_actions(expression: str, rng: np.random.Generator) -> dict[str, float]:
    """The facial actions, 0 to 1, of one face that shows `expression` with a random strength."""
    names = ("brow_in", "brow_out", "brow_down", "wide", "squint", "cheek", "wrinkle", "lip_up")
    names += ("stretch", "press", "frown", "jaw", "smile_left", "smile_right")
    actions = dict.fromkeys(names, 0.0)
    strength = rng.uniform(0.3, 1.0)
    for name, (low, high) in ACTIONS[expression].items():
        value = (low + strength * (high - low)) * rng.uniform(0.85, 1.15)
        if name == "smile":
            actions["smile_left"], actions["smile_right"] = value * rng.normal(1.0, 0.08, 2)
        elif name == "smirk":
            actions[str(rng.choice(["smile_left", "smile_right"]))] = value
        else:
            actions[name] = value
    for name in ("squint", "jaw", "brow_out"):  # what faces do anyway, in every class
        actions[name] += rng.uniform(0.0, 0.1)
    return {name: float(np.clip(value, 0.0, 1.0)) for name, value in actions.items()}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One person: colours in 0..1, lengths in units of the distance from eye line to chin."""

    skin: np.ndarray  # (3,)
    hair: np.ndarray  # (3,)
    iris: np.ndarray  # (3,)
    lips: np.ndarray  # (3,)
    width: float
    jaw: float  # exponent of the lower outline: 2 round, 3 square
    hair_line: float
    hair_length: float
    parting: float
    eye_gap: float
    eye_size: float
    eye_tilt: float
    brow_height: float
    brow_weight: float
    brow_arch: float
    nose_width: float
    nose_length: float
    mouth_width: float
    lip_height: float
    age: float
    beard: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Identity":
        """A random person."""
        tone = rng.uniform(0.0, 1.0)
        skin = (1 - tone) * np.array([0.93, 0.76, 0.66]) + tone * np.array([0.45, 0.29, 0.21])
        hairs = np.array([[0.09, 0.07, 0.06], [0.22, 0.14, 0.09], [0.40, 0.26, 0.14], [0.72, 0.56, 0.34]])
        hairs = np.concatenate([hairs, [[0.50, 0.22, 0.12], [0.55, 0.54, 0.53]]])
        irises = np.array([[0.20, 0.12, 0.07], [0.32, 0.22, 0.12], [0.28, 0.36, 0.26], [0.30, 0.42, 0.55]])
        return cls(
            skin=np.clip(skin + rng.normal(0, 0.02, 3), 0.1, 1),
            hair=np.clip(rng.choice(hairs) + rng.normal(0, 0.02, 3), 0.03, 1),
            iris=rng.choice(irises),
            lips=np.clip(skin * [0.86, 0.62, 0.64] + rng.normal(0, 0.03, 3), 0.1, 1),
            width=rng.uniform(0.66, 0.80),
            jaw=rng.uniform(2.0, 2.8),
            hair_line=rng.uniform(-0.78, -0.52),
            hair_length=float(rng.choice([-0.1, 0.1, 0.9, 1.5])) + rng.uniform(-0.1, 0.1),
            parting=rng.uniform(-0.5, 0.5),
            eye_gap=rng.uniform(0.28, 0.35),
            eye_size=rng.uniform(0.12, 0.155),
            eye_tilt=rng.uniform(-0.12, 0.14),
            brow_height=rng.uniform(0.17, 0.25),
            brow_weight=rng.uniform(0.022, 0.048),
            brow_arch=rng.uniform(0.0, 0.06),
            nose_width=rng.uniform(0.10, 0.165),
            nose_length=rng.uniform(0.40, 0.50),
            mouth_width=rng.uniform(0.20, 0.28),
            lip_height=rng.uniform(0.03, 0.07),
            age=rng.uniform(0.0, 1.0),
            beard=float(rng.random() < 0.25) * rng.uniform(0.3, 0.8),
        )


@dataclass(frozen=True, kw_only=True)
class Scene:
    """How the picture was taken: where the head is, the light, the background."""

    shift: np.ndarray  # (2,) of the half image
    turn: float  # radians in the image plane
    scale: float  # of the eye-to-chin distance, in half images
    light: np.ndarray  # (3,) direction to the light: right, down, towards the camera
    tint: np.ndarray  # (3,) colour of the light
    ambient: float
    background: np.ndarray  # (2, 3) colours of the gradient's ends
    slope: float  # radians, direction of the gradient
    cloth: np.ndarray  # (3,)
    grain: int  # seed of skin texture and noise

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Scene":
        """A random setting."""
        return cls(
            shift=rng.uniform(-0.08, 0.08, 2) + np.array([0.0, -0.02]),
            turn=rng.normal(0.0, 0.08),
            scale=rng.uniform(0.56, 0.66),
            light=np.array([rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.1), 1.0]),
            tint=np.clip(1 + rng.uniform(-0.08, 0.08, 3), 0.8, 1.1) * rng.uniform(0.85, 1.1),
            ambient=rng.uniform(0.4, 0.6),
            background=rng.uniform(0.15, 0.9, (2, 1)) + rng.uniform(-0.12, 0.12, (2, 3)),
            slope=rng.uniform(0.0, 2 * np.pi),
            cloth=rng.uniform(0.08, 0.8, 3),
            grain=int(rng.integers(2**31)),
        )
