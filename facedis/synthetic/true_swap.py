"""The truth for a swap: one picture with the expression of another."""

from pathlib import Path

import numpy as np

from facedis.errors import InputError
from facedis.synthetic.render_plan import Shot
from facedis.synthetic.synthesis import plan_of, staged


def true_swap(rest_from: Path, expression_from: Path) -> np.ndarray:
    """`rest_from` as it would look with the facial actions of `expression_from`.

    Args:
        rest_from: A picture of a rendered set: gives person, pose, light, camera, background.
        expression_from: Another of any rendered set: gives the 52 actions.

    Returns:
        (size, size, 3) uint8.

    Raises:
        InputError: One of them is no picture of a rendered set.
        MissingExtra: anny or mitsuba is not installed.
    """
    kept, given = _shot(rest_from), _shot(expression_from)
    return staged([kept]).swapped(kept, given.actions[0])


def _shot(path: Path) -> Shot:
    plan = plan_of(path.parent)
    found = [shot for shot in plan.shots if shot.name == path.name]
    if not found:
        raise InputError(f"{path} is no picture of the set in its folder", "name one that is in labels.csv")
    return found[0]
