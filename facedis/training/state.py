"""Checkpoints: everything that a run needs to resume at the step where it stopped, in one file.

No random state is stored: the order of every epoch and the random numbers of every step follow from the seed
and the number of the step.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from facedis.model.storage.checkpoint import Modules, load_tensors, named_tensors, read_tensors, save_tensors


@dataclass
class TrainState:
    """Position and progress of a run.

    Attributes:
        epoch: Current epoch, from 0.
        step: Steps done in the current epoch.
        sums: Sums over the steps of the current epoch, for its line of the history.
        best: Best validation accuracy so far, -1 before the first.
        best_epoch: Its epoch.
        kept_epoch: The epoch of the model in the run folder.
        history_bytes: Length of the history at this state.
        seconds: Training time, over all sessions.
        scaler: State of the gradient scaler of 16-bit precision.
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


def save_train_state(path: Path, state: TrainState, modules: Modules, optimizers: Sequence[Optimizer]) -> None:
    """Write the state of a run, its modules and its optimisers to `path`."""
    tensors = named_tensors(modules)
    scalars: list[dict[str, dict[str, Any]]] = []
    for number, optimizer in enumerate(optimizers):
        scalars.append({})
        for index, slots in optimizer.state_dict()["state"].items():
            for name, value in slots.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer{number}.{index}.{name}"] = value
                else:
                    scalars[-1].setdefault(str(index), {})[name] = value
    save_tensors(path, tensors, {"state": asdict(state), "optimizers": scalars})


def load_train_state(path: Path, modules: Modules, optimizers: Sequence[Optimizer]) -> TrainState:
    """Restore modules and optimisers from `path`, and return the state of the run.

    Raises:
        RunError: The file is broken or belongs to another model.
    """
    load_tensors(path, modules)
    tensors, about = read_tensors(path)
    for number, (optimizer, scalars) in enumerate(zip(optimizers, about["optimizers"], strict=True)):
        slots: dict[int, dict[str, Any]] = {int(index): dict(values) for index, values in scalars.items()}
        prefix = f"optimizer{number}."
        for key, value in tensors.items():
            if key.startswith(prefix):
                index, name = key.removeprefix(prefix).split(".", 1)
                slots.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    return TrainState(**about["state"])


def step_generator(seed: int, epoch: int, step: int, rank: int) -> torch.Generator:
    """The random generator of one step of one process; also seeds torch's global one, which dropout uses."""
    mixed = ((seed * 1_000_003 + epoch) * 1_000_003 + step) * 1_009 + rank
    mixed %= 2**63
    torch.manual_seed(mixed)
    return torch.Generator().manual_seed(mixed + 1)
