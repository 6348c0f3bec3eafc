"""The learning rate over a run, as a factor on each optimiser's own rate: a pure function of the step."""

import math

WARM_UP = 0.1


def lr_factor(kind: str, step: int, total: int) -> float:
    """The factor for step `step` of `total`.

    Args:
        kind: "constant", "cosine" (to zero) or "onecycle" (up over a tenth of the run, then cosine to zero).
        step: From 0.
        total: Steps of the whole run.

    Source: SGDR, 1608.03983 (cosine); 1708.07120 (one cycle).
    """
    if kind == "constant":
        return 1.0
    done = step / total
    if kind == "onecycle":
        if done < WARM_UP:
            return 0.04 + 0.96 * done / WARM_UP
        done = (done - WARM_UP) / (1 - WARM_UP)
    return 0.5 * (1 + math.cos(math.pi * done))


def beta3_factor(step: int, total: int, warm_up: float, ramp: float) -> float:
    """Share of beta3 at step `step` of `total`: none in the warm-up, then rising evenly over the ramp.

    An encoder that heeds an adversary which has learned nothing yet runs from noise.
    """
    done = step / total - warm_up
    if done < 0:
        return 0.0
    return min(1.0, done / ramp) if ramp else 1.0
