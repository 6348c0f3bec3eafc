"""The truth for a swap: one picture with the expression of another."""

from pathlib import Path

import numpy as np

from facedis.errors import InputError
from facedis.synthetic.render_plan import ImageSpec
from facedis.synthetic.synthesis import build_context, read_plan


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
    return build_context([kept]).render_with_actions(kept, given.actions[0])


def _shot(path: Path) -> ImageSpec:
    plan = read_plan(path.parent)
    found = [spec for spec in plan.specs if spec.name == path.name]
    if not found:
        raise InputError(f"{path} is no picture of the set in its folder", "name one that is in labels.csv")
    return found[0]
