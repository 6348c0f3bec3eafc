"""Everything that a run needs to go on exactly where it stopped, in one file written atomically.

No random state is kept: every epoch's order and every step's draws follow from the seed and the
step's number.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from facedis.model.storage.checkpoint import load_tensors, named_tensors, read_tensors, save_tensors
from facedis.training.recipes.ema import EMA


@dataclass
class TrainState:
    """Where a run stands.

    Attributes:
        epoch: The epoch it is in, from 0.
        step: Steps done in that epoch.
        sums: Sums over the steps of that epoch, for its line of the history.
        best: Best selection score so far, -1 before the first.
        best_epoch: The epoch of it.
        kept_epoch: The epoch whose model the folder holds.
        history_bytes: Length of the history that belongs to this state.
        seconds: Time spent training, over all sittings.
        scaler: State of the loss scaler of 16-bit precision.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    best: float = -1.0
    best_epoch: int = -1
    kept_epoch: int = -1
    history_bytes: int = 0
    seconds: float = 0.0
    scaler: dict[str, Any] = field(default_factory=dict)


def save_train_state(
    path: Path,
    state: TrainState,
    model: nn.Module,
    adversary: nn.Module | None,
    optimizers: Sequence[Optimizer],
    ema: EMA | None = None,
) -> None:
    """Write all of a run's state to `path`."""
    tensors, scalars = named_tensors(model, adversary) | (ema.tensors() if ema else {}), []
    for number, optimizer in enumerate(optimizers):
        saved = optimizer.state_dict()
        numbers: dict[str, dict[str, Any]] = {}
        for index, slots in saved["state"].items():
            for name, value in slots.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer{number}.{index}.{name}"] = value
                else:
                    numbers.setdefault(str(index), {})[name] = value
        scalars.append(numbers)
    save_tensors(path, tensors, {"state": asdict(state), "optimizers": scalars})


def load_train_state(
    path: Path,
    model: nn.Module,
    adversary: nn.Module | None,
    optimizers: Sequence[Optimizer],
    ema: EMA | None = None,
) -> TrainState:
    """Fill model, adversary, optimisers and running mean from `path`.

    Raises:
        RunError: The file is broken or belongs to another model.
    """
    load_tensors(path, model, adversary)
    tensors, about = read_tensors(path)
    if ema is not None:
        ema.restore(tensors)
    for number, (optimizer, numbers) in enumerate(zip(optimizers, about["optimizers"], strict=True)):
        slots: dict[int, dict[str, Any]] = {int(index): dict(values) for index, values in numbers.items()}
        prefix = f"optimizer{number}."
        for key, value in tensors.items():
            if key.startswith(prefix):
                index, name = key.removeprefix(prefix).split(".", 1)
                slots.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    return TrainState(**about["state"])


def step_generator(seed: int, epoch: int, step: int, rank: int) -> torch.Generator:
    """The source of randomness of one step of one process; also seeds torch's own (dropout)."""
    mixed = ((seed * 1_000_003 + epoch) * 1_000_003 + step) * 1_009 + rank
    mixed %= 2**63
    torch.manual_seed(mixed)
    return torch.Generator().manual_seed(mixed + 1)
