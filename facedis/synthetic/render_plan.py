"""Plan of a rendered set: its images and all factors of each.

All factors are a function of the set's seed, the identity's index, the expression and the repeat, so an
image is independent of the number and the order of the others.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facedis.synthetic.actions import prototype_actions, sample_actions
from facedis.synthetic.capture import Capture
from facedis.synthetic.identity_params import IdentityParams
from facedis.taxonomy import EIGHT

#: Fractions of the identities in the validation and test splits.
VAL_FRACTION, TEST_FRACTION = 0.12, 0.20
#: Intensity of the expressions in a grid.
GRID_INTENSITY = 0.85


@dataclass(frozen=True, kw_only=True)
class RenderPlan:
    """Parameters of a set of rendered faces.

    Attributes:
        identities: Number of identities.
        per_expression: Images per identity and expression.
        size: Side of an image in pixels.
        seed: Seed of all factors.
        grid: Render one image per test identity and expression instead, with the same actions for all
            identities and one capture, as ground truth for swaps.
        scenes: Whether the images of an identity with the same repeat share their capture, so that each
            is the ground truth for a swap of the others.
    """

    identities: int
    per_expression: int
    size: int
    seed: int
    grid: bool = False
    scenes: bool = False

    @cached_property
    def specs(self) -> list["ImageSpec"]:
        """All images, identity by identity."""
        people = [n for n in range(self.identities) if not self.grid or self.split(n) == "test"]
        repeats = 1 if self.grid else self.per_expression
        return [ImageSpec(self, n, name, k) for n in people for name in EIGHT for k in range(repeats)]

    def split(self, index: int) -> str:
        """Return the split of an identity: the last indices are "test", those before them "val"."""
        test = self.identities - round(self.identities * TEST_FRACTION)
        val = test - round(self.identities * VAL_FRACTION)
        return "test" if index >= test else "val" if index >= val else "train"

    def person(self, index: int) -> IdentityParams:
        """Return the parameters of the identity with this index."""
        return IdentityParams.sample(np.random.default_rng([self.seed, 1, index]))


@dataclass(frozen=True)
class ImageSpec:
    """One image of a set.

    Attributes:
        plan: The plan of the set.
        person_index: Index of the identity, from 0.
        expression: A name in `taxonomy.EIGHT`.
        repeat: Index among the images with the same identity and expression, from 0.
    """

    plan: RenderPlan
    person_index: int
    expression: str
    repeat: int

    @property
    def name(self) -> str:
        """File name of the image."""
        last = "grid" if self.plan.grid else str(self.repeat)
        return f"{self.identity}_{self.expression}_{last}.webp"

    @property
    def identity(self) -> str:
        """Name of the identity."""
        return f"person{self.person_index:04}"

    @cached_property
    def actions(self) -> tuple[np.ndarray, float]:
        """(52,) weights of the facial actions, and the intensity."""
        if self.plan.grid:
            strength = 0.0 if self.expression == "neutral" else GRID_INTENSITY
            return prototype_actions(self.expression, strength), strength
        return sample_actions(self.expression, self._rng(2))

    @cached_property
    def capture(self) -> Capture:
        """Pose, camera, light, background."""
        return Capture.standard() if self.plan.grid else Capture.sample(self._rng(3, self.plan.scenes))

    def _rng(self, what: int, shared: bool = False) -> np.random.Generator:
        # From 1, because the seeds [a, b] and [a, b, 0] are equal. 0 for the expression means shared by all of them.
        key = (self.person_index, 0 if shared else 1 + EIGHT.index(self.expression), 1 + self.repeat)
        return np.random.default_rng([self.plan.seed, what, *key])
