"""Ground truth for a swap: one rendered image with the expression of another."""

from pathlib import Path

import numpy as np

from facedis.errors import InputError
from facedis.synthetic.render_plan import ImageSpec
from facedis.synthetic.synthesis import build_context, read_plan


def true_swap(rest_from: Path, expression_from: Path) -> np.ndarray:
    """Render `rest_from` with the facial actions of `expression_from`.

    Args:
        rest_from: Image of a rendered set, for identity, pose, light, camera and background.
        expression_from: Image of the same or another rendered set, for the 52 actions.

    Returns:
        (size, size, 3) uint8.

    Raises:
        InputError: One of them is not an image of a rendered set.
        MissingExtra: anny or mitsuba is not installed.
    """
    rest, expression = _find_spec(rest_from), _find_spec(expression_from)
    return build_context([rest]).render_with_actions(rest, expression.actions[0])


def _find_spec(path: Path) -> ImageSpec:
    plan = read_plan(path.parent)
    found = [spec for spec in plan.specs if spec.name == path.name]
    if not found:
        raise InputError(f"{path} is not an image of the set in its folder", "name one that is in labels.csv")
    return found[0]
