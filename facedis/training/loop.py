"""The epoch loop of both trainers: progress, interruption, checkpoints, history."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim import Optimizer

from facedis.errors import RunError
from facedis.events import EventHandler, Tracker, track
from facedis.model.storage.checkpoint import Modules
from facedis.training.run_folder import append_history, truncate_history
from facedis.training.state import TrainState, load_train_state, save_train_state

B = TypeVar("B")
#: Minimum number of seconds between two progress events.
_REPORT_SECONDS = 0.5


class EpochLoop(ABC, Generic[B]):
    """Epochs of steps over batches of type B, which can be interrupted and resumed at any step.

    A resumed run gives the same tensors, bit for bit, as an uninterrupted one.

    Args:
        fabric: Devices and precision.
        folder: The run folder.
        epochs: Number of epochs.
        checkpoint_minutes: Minutes between two checkpoints within an epoch.
        handler: Receives the progress.

    Attributes:
        TASK: Text of the progress events.
        SUMS: Names of the values that `step` returns; the last one is the number of faces.
        CHECKPOINT: File name of the checkpoint.
        HISTORY: File name of the history.
        HINT: What to try if the loss is not finite.
        state: Position of the run.
        sums: Sums of the values of `step` over the current epoch.
    """

    TASK: str
    SUMS: tuple[str, ...]
    CHECKPOINT: str
    HISTORY: str
    HINT: str

    def __init__(
        self, fabric: Fabric, folder: Path, epochs: int, checkpoint_minutes: float, handler: EventHandler
    ) -> None:
        self.fabric, self.folder, self.epochs, self.handler = fabric, folder, epochs, handler
        self.checkpoint_seconds = 60 * checkpoint_minutes
        self.state = TrainState()
        dtype = torch.float32 if fabric.device.type == "mps" else torch.float64
        self.sums = torch.zeros(len(self.SUMS), dtype=dtype).to(fabric.device)
        self.clock = self.saved = self.reported = time.monotonic()

    @abstractmethod
    def modules(self) -> Modules:
        """The modules to save, by prefix."""

    @abstractmethod
    def optimizers(self) -> list[Optimizer]:
        """The optimisers to save."""

    @abstractmethod
    def batches(self, epoch: int) -> list[np.ndarray]:
        """Indices into the train rows of each of this process's batches."""

    @abstractmethod
    def prepared(self, batches: list[np.ndarray]) -> Iterator[B]:
        """The batches on the device, resized and augmented; the first one is that of step `state.step`."""

    @abstractmethod
    def start_epoch(self) -> None:
        """Set the modules to training mode."""

    @abstractmethod
    def step(self, batch: B) -> Tensor:
        """One iteration; its contributions to the sums of `SUMS`, multiplied by the number of faces."""

    @abstractmethod
    def end_epoch(self, means: dict[str, float], images_per_second: float) -> Mapping[str, Any]:
        """Finish an epoch before its checkpoint; its line of the history.

        Args:
            means: Of `SUMS` over the faces of all processes, without the last.
            images_per_second: Of all processes.
        """

    @abstractmethod
    def metrics(self, means: dict[str, float]) -> dict[str, float]:
        """The values to show beside the progress."""

    @cached_property
    def steps(self) -> int:
        """Number of steps per epoch."""
        return len(self.batches(0))

    @property
    def done(self) -> int:
        """Number of steps since the start of the run."""
        return self.state.epoch * self.steps + self.state.step

    def run_epochs(self, stop: threading.Event) -> None:
        """Run the remaining epochs.

        Args:
            stop: Checked after every step.

        Raises:
            KeyboardInterrupt: `stop` was set; the state is saved.
            RunError: The loss is not finite.
        """
        self.clock = self.saved = time.monotonic()
        with track(self.handler, self.TASK, self.epochs * self.steps, self.done) as progress:
            while self.state.epoch < self.epochs:
                self._run_epoch(stop, progress)

    def _run_epoch(self, stop: threading.Event, progress: Tracker) -> None:
        state, begun, first = self.state, time.monotonic(), self.sums[-1].item()
        self.start_epoch()
        for batch in self.prepared(self.batches(state.epoch)[state.step :]):
            self.sums += self.step(batch).to(self.sums)
            state.step += 1
            if self._should_stop(stop):
                self.save()
                raise KeyboardInterrupt
            if time.monotonic() - self.saved > self.checkpoint_seconds:
                self.save()
            self._report(progress, begun, first)
        self._check_finite()
        self._add_time()
        speed = self._speed(begun, first)
        line = self.end_epoch(self._means(self._reduce(self.sums.clone())), speed)
        if self.fabric.is_global_zero:
            state.history_bytes = append_history(self.folder, line, self.HISTORY)
        state.epoch, state.step = state.epoch + 1, 0
        self.sums.zero_()
        self.save()

    def save(self) -> None:
        """Write a checkpoint."""
        self._add_time()
        self.saved = self.clock
        self.state.sums = dict(zip(self.SUMS, self.sums.tolist(), strict=True))
        self.state.scaler = self.fabric.strategy.precision.state_dict()
        if self.fabric.is_global_zero:
            save_train_state(self.folder / self.CHECKPOINT, self.state, self.modules(), self.optimizers())

    def restore(self) -> None:
        """Load the checkpoint."""
        self.state = load_train_state(self.folder / self.CHECKPOINT, self.modules(), self.optimizers())
        self.sums.copy_(torch.tensor([self.state.sums[name] for name in self.SUMS], dtype=self.sums.dtype))
        if self.state.scaler:
            self.fabric.strategy.precision.load_state_dict(self.state.scaler)
        if self.fabric.is_global_zero:
            truncate_history(self.folder, self.state.history_bytes, self.HISTORY)

    def _should_stop(self, stop: threading.Event) -> bool:
        """Whether `stop` is set in any process: all of them must stop at the same step."""
        if self.fabric.world_size == 1:
            return stop.is_set()
        return bool(self._reduce(torch.tensor(float(stop.is_set()), device=self.fabric.device)) > 0)

    def _reduce(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        total = self.fabric.all_reduce(values, reduce_op="sum")
        assert isinstance(total, Tensor)
        return total

    def _means(self, sums: Tensor) -> dict[str, float]:
        *values, faces = sums.tolist()
        return {name: value / max(faces, 1) for name, value in zip(self.SUMS[:-1], values, strict=True)}

    def _speed(self, begun: float, first: float) -> float:
        return (self.sums[-1].item() - first) * self.fabric.world_size / (time.monotonic() - begun)

    def _report(self, progress: Tracker, begun: float, first: float) -> None:
        if not self.fabric.is_global_zero or time.monotonic() - self.reported < _REPORT_SECONDS:
            return
        self.reported = time.monotonic()
        self._check_finite()
        facts = {"images/s": self._speed(begun, first)} | self.metrics(self._means(self.sums))
        progress.advance(self.done - progress.done, facts)

    def _check_finite(self) -> None:
        if not torch.isfinite(self.sums).all():
            raise RunError(f"{self.TASK}: the loss is not finite at step {self.done}", self.HINT)

    def _add_time(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self.clock
        self.clock = now
