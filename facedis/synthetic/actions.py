"""Weights of the 52 facial actions of ARKit for each expression.

The weights follow the usual prototypes (raised lip corners for happiness, lowered brows for anger,
...). Prototypes are conventions for labelling images, not a claim about feelings.

Source: AU prototypes of EMFACS, Cohn, Ambadar & Ekman 2007, and Du, Tao & Martinez, PNAS 2014;
docs/rendered.md describes the conversion to weights.
"""

from dataclasses import dataclass

import numpy as np

#: All actions, in ARKit's order.
ACTIONS = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff"),
    *("cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight"),
    *("eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight"),
    *("eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen"),
    *("jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight"),
    *("mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft"),
    *("mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
)


@dataclass(frozen=True)
class ActionRange:
    """Range of one action, or of its left and right half, in an expression.

    Attributes:
        low: Weight at intensity 0.
        high: Weight at intensity 1.
        probability: Probability that the action occurs, 1 for the defining actions.
    """

    low: float
    high: float
    probability: float = 1.0


#: Action ranges by expression; a name without Left or Right stands for both halves.
EXPRESSIONS: dict[str, dict[str, ActionRange]] = {
    "neutral": {
        "mouthSmile": ActionRange(0, 0.05),
        "browInnerUp": ActionRange(0, 0.05),
        "jawOpen": ActionRange(0, 0.05),
    },
    "happiness": {
        "mouthSmile": ActionRange(0.45, 0.90),
        "cheekSquint": ActionRange(0.25, 0.60),
        "eyeSquint": ActionRange(0.10, 0.35, 0.6),
        "mouthUpperUp": ActionRange(0.0, 0.30, 0.7),
        "mouthDimple": ActionRange(0.0, 0.20, 0.5),
        "jawOpen": ActionRange(0.0, 0.20, 0.7),
    },
    "sadness": {
        "browInnerUp": ActionRange(0.50, 1.0),
        "browDown": ActionRange(0.15, 0.40),
        "mouthFrown": ActionRange(0.45, 0.90),
        "mouthShrugLower": ActionRange(0.10, 0.50, 0.67),
        "eyeSquint": ActionRange(0.0, 0.25, 0.5),
        "eyeLookDown": ActionRange(0.0, 0.30, 0.5),
    },
    "surprise": {
        "browInnerUp": ActionRange(0.50, 1.0),
        "browOuterUp": ActionRange(0.50, 1.0),
        "eyeWide": ActionRange(0.30, 0.80),
        "jawOpen": ActionRange(0.20, 0.65),
    },
    "fear": {
        "browInnerUp": ActionRange(0.50, 1.0),
        "browOuterUp": ActionRange(0.20, 0.50),
        "browDown": ActionRange(0.20, 0.50),
        "eyeWide": ActionRange(0.50, 1.0),
        "mouthStretch": ActionRange(0.40, 0.90),
        "eyeSquint": ActionRange(0.10, 0.30, 0.5),
        "mouthLowerDown": ActionRange(0.10, 0.40, 0.7),
        "jawOpen": ActionRange(0.05, 0.30, 0.7),
    },
    "disgust": {
        "noseSneer": ActionRange(0.55, 1.0),
        "mouthUpperUp": ActionRange(0.30, 0.70),
        "browDown": ActionRange(0.10, 0.40, 0.6),
        "mouthFrown": ActionRange(0.15, 0.50, 0.6),
        "mouthShrugLower": ActionRange(0.10, 0.50, 0.7),
        "cheekSquint": ActionRange(0.0, 0.25, 0.5),
        "eyeSquint": ActionRange(0.10, 0.35, 0.6),
    },
    "anger": {
        "browDown": ActionRange(0.60, 1.0),
        "eyeSquint": ActionRange(0.40, 0.80),
        "eyeWide": ActionRange(0.10, 0.40),
        "mouthPress": ActionRange(0.15, 0.40),  # above 0.5 it raises the lip corners
        "mouthRollUpper": ActionRange(0.15, 0.40),
        "mouthRollLower": ActionRange(0.20, 0.50),
        "mouthShrugLower": ActionRange(0.0, 0.40, 0.52),
        "mouthFrown": ActionRange(0.10, 0.30, 0.7),
        "noseSneer": ActionRange(0.0, 0.30, 0.5),
    },
    "contempt": {  # on one side only
        "mouthDimple": ActionRange(0.50, 1.0),
        "mouthSmile": ActionRange(0.20, 0.45),
        "mouthPress": ActionRange(0.10, 0.40, 0.6),
        "mouthUpperUp": ActionRange(0.0, 0.15, 0.6),
    },
}
#: Maximum weights of actions that occur in every expression, so that no single action identifies a class.
_NUISANCE = {"eyeBlink": 0.15, "mouthFunnel": 0.1, "jawOpen": 0.1}
_WEAKEST = 0.25
_GAZE = 0.3


def sample_actions(expression: str, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Sample the actions of a face with `expression`.

    Args:
        expression: A name in `taxonomy.EIGHT`.
        rng: Random generator; the number of draws depends on the expression only.

    Returns:
        (52,) float64 weights in [0, 1] in the order of `ACTIONS`, and the intensity in [0.25, 1],
        which is 0 for neutral.
    """
    weights = dict.fromkeys(ACTIONS, 0.0)
    intensity = rng.uniform(_WEAKEST, 1.0)
    only = ("Left", "Right")[int(rng.integers(2))] if expression == "contempt" else ""
    for name, weight_range in EXPRESSIONS[expression].items():
        takes_part = rng.random() < weight_range.probability
        value = (
            (weight_range.low + intensity * (weight_range.high - weight_range.low))
            * rng.uniform(0.85, 1.15)
            * takes_part
        )
        for half, factor in zip(_halves(name, only), rng.normal(1.0, 0.08, 2), strict=False):
            weights[half] += value * (factor if half != name else 1.0)
    for name, most in _NUISANCE.items():
        value = rng.uniform(0.0, most)
        for half in _halves(name):
            weights[half] += value
    _add_gaze(weights, rng.uniform(-_GAZE, _GAZE, 2))
    vector = np.clip([weights[name] for name in ACTIONS], 0.0, 1.0)
    return vector, 0.0 if expression == "neutral" else float(intensity)


def prototype_actions(expression: str, intensity: float) -> np.ndarray:
    """Return the (52,) deterministic weights of `expression` at `intensity`; contempt is on the left side."""
    weights = dict.fromkeys(ACTIONS, 0.0)
    for name, weight_range in EXPRESSIONS[expression].items():
        for half in _halves(name, "Left" if expression == "contempt" else ""):
            weights[half] = (weight_range.low + intensity * (weight_range.high - weight_range.low)) * (
                weight_range.probability > 0.5
            )
    return np.array([weights[name] for name in ACTIONS])


def _halves(name: str, only: str = "") -> tuple[str, ...]:
    if name in ACTIONS:
        return (name,)
    return (name + only,) if only else (name + "Left", name + "Right")


def _add_gaze(weights: dict[str, float], gaze: np.ndarray) -> None:
    """Add a gaze direction (to the subject's left, up) to both eyes."""
    aside, up = gaze
    outer, inner = ("Left", "Right") if aside > 0 else ("Right", "Left")
    weights["eyeLookOut" + outer] += abs(aside)
    weights["eyeLookIn" + inner] += abs(aside)
    for side in ("Left", "Right"):
        weights[("eyeLookUp" if up > 0 else "eyeLookDown") + side] += abs(up)
