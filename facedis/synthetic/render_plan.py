"""Which pictures a rendered set has, and every factor of each, before the first one is rendered.

All of it is a function of the seed: of the set's, of the person's number, the expression and the
repeat. A picture is the same whatever else is rendered, in whatever order.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facedis.synthetic.actions import prototype_actions, sample_actions
from facedis.synthetic.capture import Capture
from facedis.synthetic.identity_params import IdentityParams
from facedis.taxonomy import EIGHT

#: Of the identities; the rest trains.
VAL_FRACTION, TEST_FRACTION = 0.12, 0.20
#: How strong the expressions of a grid are.
GRID_INTENSITY = 0.85


@dataclass(frozen=True, kw_only=True)
class RenderPlan:
    """A set of rendered faces.

    Attributes:
        identities: Number of people.
        per_expression: Pictures of each expression of each of them.
        size: Side of a picture in pixels.
        seed: Decides everything.
        grid: Instead, one picture of each expression of the people of the test split, with the same
            action vector for all of them and one capture: the truth for swaps.
        scenes: Whether a person's pictures of one repeat share their capture: each is what a swap of
            another should look like.
    """

    identities: int
    per_expression: int
    size: int
    seed: int
    grid: bool = False
    scenes: bool = False

    @cached_property
    def specs(self) -> list["ImageSpec"]:
        """All pictures, person by person."""
        people = [n for n in range(self.identities) if not self.grid or self.split(n) == "test"]
        repeats = 1 if self.grid else self.per_expression
        return [ImageSpec(self, n, name, k) for n in people for name in EIGHT for k in range(repeats)]

    def split(self, number: int) -> str:
        """The split of a person: the last numbers test, those before them validate."""
        test = self.identities - round(self.identities * TEST_FRACTION)
        val = test - round(self.identities * VAL_FRACTION)
        return "test" if number >= test else "val" if number >= val else "train"

    def person(self, number: int) -> IdentityParams:
        """The person of that number."""
        return IdentityParams.sample(np.random.default_rng([self.seed, 1, number]))


@dataclass(frozen=True)
class ImageSpec:
    """One picture of a set.

    Attributes:
        plan: The set.
        person_index: Of the person, from 0.
        expression: A name of `taxonomy.EIGHT`.
        repeat: From 0.
    """

    plan: RenderPlan
    person_index: int
    expression: str
    repeat: int

    @property
    def name(self) -> str:
        """File name of the picture."""
        last = "grid" if self.plan.grid else str(self.repeat)
        return f"{self.identity}_{self.expression}_{last}.webp"

    @property
    def identity(self) -> str:
        """Name of the person."""
        return f"person{self.person_index:04}"

    @cached_property
    def actions(self) -> tuple[np.ndarray, float]:
        """(52,) weights and the intensity."""
        if self.plan.grid:
            strength = 0.0 if self.expression == "neutral" else GRID_INTENSITY
            return prototype_actions(self.expression, strength), strength
        return sample_actions(self.expression, self._rng(2))

    @cached_property
    def capture(self) -> Capture:
        """Pose, camera, light, background."""
        return Capture.standard() if self.plan.grid else Capture.sample(self._rng(3, self.plan.scenes))

    def _rng(self, what: int, shared: bool = False) -> np.random.Generator:
        # From 1: a seed of [a, b] is the same as [a, b, 0]. A 0 in the middle is of no expression, but of all.
        key = (self.person_index, 0 if shared else 1 + EIGHT.index(self.expression), 1 + self.repeat)
        return np.random.default_rng([self.plan.seed, what, *key])
