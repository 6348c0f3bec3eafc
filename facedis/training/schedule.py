"""Schedules of the learning rate and of beta3 over a run, as pure functions of the step."""

import math

#: Length of the rise of a one-cycle schedule, as a fraction of the run.
WARMUP = 0.1


def lr_factor(kind: str, step: int, total: int) -> float:
    """Factor on the initial learning rate at step `step` of `total`.

    Args:
        kind: "constant", "cosine" (to zero) or "onecycle" (rises over a tenth of the run, then cosine to zero).
        step: From 0.
        total: Number of steps of the run.

    Source: SGDR, 1608.03983 (cosine); 1708.07120 (one cycle).
    """
    if kind == "constant":
        return 1.0
    done = step / total
    if kind == "onecycle":
        if done < WARMUP:
            return 0.04 + 0.96 * done / WARMUP
        done = (done - WARMUP) / (1 - WARMUP)
    return 0.5 * (1 + math.cos(math.pi * done))


def beta3_factor(step: int, total: int, warmup: float, ramp: float) -> float:
    """Factor on beta3 at step `step` of `total`: zero during the warm-up, then a linear ramp to 1.

    The warm-up avoids the gradient of untrained adversaries, which is noise.

    Args:
        step: From 0.
        total: Number of steps of the run.
        warmup: Length of the warm-up as a fraction of the run.
        ramp: Length of the ramp as a fraction of the run.
    """
    done = step / total - warmup
    if done < 0:
        return 0.0
    return min(1.0, done / ramp) if ramp else 1.0
