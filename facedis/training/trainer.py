"""The training loop: epochs of adversarial steps, validation, checkpoints, history.

The same code runs on one CPU, one GPU, several, and several nodes: Fabric moves modules and data
and joins the gradients.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from facedis.config import TrainConfig
from facedis.errors import RunError
from facedis.events import Event, ignore_events
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.loader import prefetched
from facedis.model.device import pick_device
from facedis.model.network.adversaries import Adversaries
from facedis.model.network.disentangler import Disentangler
from facedis.model.preprocessing import to_images
from facedis.model.storage.checkpoint import CHECKPOINT, MODEL, load_tensors, named_tensors, read_tensors, save_tensors
from facedis.training.data import TrainingData, decoder_data, training_data
from facedis.training.decoder import decoder_trainer
from facedis.training.interrupt import stop_between_steps
from facedis.training.recipes.augmentation import augment
from facedis.training.recipes.distillation import Teachers
from facedis.training.recipes.ema import EMA
from facedis.training.recipes.erasure import erase_expression
from facedis.training.recipes.mixup import draw_mixup, mix_loss
from facedis.training.run_folder import append_history, start_run, truncate_history, write_scalars
from facedis.training.samplers import class_weights, epoch_order, process_batches
from facedis.training.schedule import beta3_factor, lr_factor
from facedis.training.setup import Job, build_networks, warn_config
from facedis.training.state import TrainState, load_train_state, save_train_state, step_generator
from facedis.training.steps import (
    Batch,
    ClassWeights,
    OptimizedModule,
    adversary_optimizers,
    encoder_optimizers,
    train_step,
)
from facedis.training.validation import accuracy

#: What is summed over the steps of an epoch; the first seven are losses.
SUMS = (
    "expression_loss",
    "adversary_loss",
    "confusion_loss",
    "reconstruction_loss",
    "factor_loss",
    "retention_loss",
    "total_loss",
    "expression_hits",
    "adversary_hits",
    "faces",
)


def train(job: Job) -> TrainState:
    """Train a run, or go on with it, and leave its folder complete.

    Returns:
        Where it ended: best epoch and score, seconds.

    Raises:
        CacheError: The faces cannot be used.
        RunError: There is nothing to resume.
        KeyboardInterrupt: It was stopped between two steps; what was done is saved.
    """
    config = job.config
    device = pick_device(config.device)
    alone = config.devices * config.nodes == 1
    # Started by torchrun, every process is there already; else Fabric starts the others itself.
    strategy = "auto" if alone else "ddp" if "TORCHELASTIC_RUN_ID" in os.environ else "ddp_spawn"
    fabric = Fabric(
        accelerator=device.type,
        devices=config.devices,
        num_nodes=config.nodes,
        strategy=strategy,
        precision={"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}[config.precision],
    )
    if alone:
        return _fit(fabric, job)
    return fabric.launch(partial(_fit, job=job))  # as an argument, Fabric would try to change the frozen job


def _fit(fabric: Fabric, job: Job) -> TrainState:
    if not fabric.is_global_zero:
        job = replace(job, handler=ignore_events)
    with FacesCache.open(job.faces) as cache:
        data = training_data(cache, tuple(name for name in job.model.owners if name != "expression"))
        torch.manual_seed(job.config.seed)
        model, adversary = build_networks(job, data.sizes)
        warn_config(job, model, data)
        named = job.config.teacher
        teachers = Teachers(named, data.classes, fabric.device) if named else None
        if fabric.is_global_zero and not job.resume:
            start_run(job.run, data, model.trunk.pretrained, job.model, job.config)
        trainer = Trainer(fabric, job, data, model, adversary, teachers)
        with stop_between_steps() as stop:
            return trainer.run(stop)


class Trainer:
    """One process's part of a run."""

    def __init__(
        self,
        fabric: Fabric,
        job: Job,
        data: TrainingData,
        model: Disentangler,
        adversary: Adversaries | None,
        teachers: Teachers | None = None,
    ) -> None:
        self.fabric, self.job, self.config, self.data = fabric, job, job.config, data
        norm = self.config.trunk_norm
        model.freeze_trunk_bn = norm == "eval" or (norm == "auto" and model.trunk.pretrained)
        model.to(memory_format=torch.channels_last)
        self.encoder = _optimized_module(fabric, model, encoder_optimizers(model, self.config), self.config.compile)
        self.ema = EMA(model, self.config.average) if self.config.average else None
        self.adversary = None
        if adversary is not None:
            self.adversary = _optimized_module(fabric, adversary, adversary_optimizers(adversary, self.config))
        self.teachers = teachers
        self.weights = _weights(self.config, data, fabric.device)
        self.state = TrainState()
        self.sums = torch.zeros(len(SUMS), dtype=torch.float32 if fabric.device.type == "mps" else torch.float64)
        self.sums = self.sums.to(fabric.device)
        self.keep_best = data.keeps_best(self.config.select)
        self.steps = len(self.batches(0))

    def run(self, stop: Any) -> TrainState:
        """All epochs that are left; then the folder holds the chosen model."""
        if self.job.resume:
            self._restore()
        self.clock = self.saved = time.monotonic()
        total = self.config.epochs * self.steps
        self.job.handler(Event("start", "training", total=total, done=self.state.epoch * self.steps))
        while self.state.epoch < self.config.epochs:
            self._epoch(stop)
        self.job.handler(Event("end", "training"))
        begun = (
            self.job.run / decoder_trainer.CHECKPOINT
        ).exists()  # then the encoder was finished in an earlier sitting
        if self.fabric.is_global_zero and not begun and self.config.erase and self.adversary is not None:
            self._erase()
        self.fabric.barrier()
        if self.encoder.module.draws == "later":
            self._train_decoder(stop, begun)
        if self.fabric.is_global_zero:
            for name in (CHECKPOINT, decoder_trainer.CHECKPOINT):
                (self.job.run / name).unlink(missing_ok=True)
        self.fabric.barrier()
        return self.state

    def _epoch(self, stop: Any) -> None:
        state, begun = self.state, time.monotonic()
        for side in (self.encoder, self.adversary):
            if side is not None:
                side.wrapped.train()
        batches = self.batches(state.epoch)[state.step :]
        first = self.sums[-1].item()
        for batch in self.prepared(batches):
            self.step(batch)
            if self.should_stop(stop):
                self._save()
                raise KeyboardInterrupt
            if time.monotonic() - self.saved > 60 * self.config.checkpoint_minutes:
                self._save()
            self._report(begun, first)
        self._check_finite()
        self._close_epoch(begun, first)

    def step(self, batch: Batch) -> None:
        """One iteration, at the rate that the schedule says."""
        state, config, labels = self.state, self.config, batch.labels
        done, total = state.epoch * self.steps + state.step, config.epochs * self.steps
        factor = lr_factor(config.schedule, done, total)
        for optimizer in self._scheduled():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor
        share = beta3_factor(done, total, config.warm_up, config.ramp)
        losses, output = train_step(self.fabric, self.encoder, self.adversary, batch, config, self.weights, share)
        if self.ema is not None:
            self.ema.update(self.encoder.module)
        hits = [(output.logits.argmax(1) == labels).sum(), torch.zeros_like(labels[0])]
        if self.adversary is not None:
            with torch.no_grad(), self.fabric.autocast():
                hits[1] = (self.adversary.module.expression_in_rest(output.codes.rest).argmax(1) == labels).sum()
        n = torch.tensor(float(len(labels)), device=labels.device)
        terms = [*(term.float() * n for term in losses), *(hit.float() for hit in hits), n]
        self.sums += torch.stack(terms).to(self.sums.dtype)
        state.step += 1

    def prepared(self, batches: list[np.ndarray]) -> Iterator[Batch]:
        """Each batch on the device, its images resized and augmented."""
        rows = self.data.train_rows
        for number, (picked, faces) in enumerate(
            prefetched(self.data.cache, [rows[batch] for batch in batches]), self.state.step
        ):
            position = np.searchsorted(rows, picked)
            labels, factors = self._targets(position)
            generator = step_generator(self.config.seed, self.state.epoch, number, self.fabric.global_rank)
            images = to_images(torch.from_numpy(faces).to(self.fabric.device), self.job.model.size)
            images = augment(images, self.config.augment, generator)
            mix = draw_mixup(len(images), self.config.mixup, generator) if self.config.mixup else None
            images = mix_loss(mix, torch.Tensor.contiguous, images).contiguous(memory_format=torch.channels_last)
            yield Batch(images, labels, factors, mix, self._teacher_probs(images))

    def _teacher_probs(self, images: Tensor) -> Tensor | None:
        """What the teachers say of a batch; None where there are none."""
        if self.teachers is None:
            return None
        with self.fabric.autocast():
            return self.teachers(images)

    def _targets(self, position: np.ndarray) -> tuple[Tensor, dict[str, Tensor]]:
        """Labels of the train rows at `position`: of the expression, and of each further factor."""
        on = partial(torch.Tensor.to, device=self.fabric.device)
        further = {name: on(torch.from_numpy(target.labels[position])) for name, target in self.data.targets.items()}
        return on(torch.from_numpy(self.data.train_labels[position])), further

    def _close_epoch(self, begun: float, first: float) -> None:
        state = self.state
        state.seconds += time.monotonic() - self.clock
        self.clock = time.monotonic()
        line = {"epoch": state.epoch, "steps": self.steps, "train": self._means()}
        val = {}
        if self.fabric.is_global_zero and len(self.data.val_rows):
            val = accuracy(self.fabric, self._eval_module(), self._adversary_module(), self.data, self.job.model.size)
        line |= {"val": val} if val else {}
        line["images_per_second"] = (self.sums[-1].item() - first) * self.fabric.world_size / (self.clock - begun)
        line["seconds"] = state.seconds
        if self.fabric.is_global_zero:
            state.history_bytes = append_history(self.job.run, line)
            if self.config.tensorboard:
                write_scalars(self.job.run, line)
            better = val.get("expression_accuracy", 0.0) > state.best
            if better:
                state.best, state.best_epoch = val.get("expression_accuracy", 0.0), state.epoch
            if better or not self.keep_best:
                state.kept_epoch = state.epoch
                save_tensors(self.job.run / MODEL, named_tensors(self._eval_module(), self._adversary_module()))
        state.epoch, state.step = state.epoch + 1, 0
        self._reset_adversaries()
        self.sums.zero_()
        self._save()

    def _reset_adversaries(self) -> None:
        """Let the adversaries begin anew where it is time: one that knows a code by heart misses its new leaks."""
        every, adversary = self.config.adversary_restart, self.adversary
        if adversary is None or not every or self.state.epoch % every or self.state.epoch == self.config.epochs:
            return
        step_generator(self.config.seed, self.state.epoch, -1, 0)  # the same weights in every process
        adversary.module.reset_parameters()
        for optimizer in adversary.optimizers:
            optimizer.state.clear()

    def _means(self) -> dict[str, float]:
        """Means over the faces of the epoch so far; hits become accuracies."""
        sums = self.fabric.all_reduce(self.sums.clone(), reduce_op="sum").tolist()
        means = {name.replace("_hits", "_accuracy"): value / sums[-1] for name, value in zip(SUMS, sums, strict=True)}
        del means["faces"]
        if self.adversary is None:
            means = {name: value for name, value in means.items() if not name.startswith(("adversary", "confusion"))}
        return means

    def _report(self, begun: float, first: float) -> None:
        if not self.fabric.is_global_zero or time.monotonic() - getattr(self, "reported", 0.0) < 0.5:
            return
        self.reported = time.monotonic()
        self._check_finite()
        sums = dict(zip(SUMS, self.sums.tolist(), strict=True))
        faces, chance = sums["faces"], 1 / len(self.data.classes)
        facts = {
            "images/s": (faces - first) * self.fabric.world_size / (self.reported - begun),
            "loss": sums["total_loss"] / faces,
            "C_exp": sums["expression_hits"] / faces,
        }
        if self.adversary is not None:
            facts |= {"C_adv": sums["adversary_hits"] / faces}
        done = self.state.epoch * self.steps + self.state.step
        self.job.handler(Event("advance", "training", done=done, facts=facts | {"chance": chance}))

    def _check_finite(self) -> None:
        if not torch.isfinite(self.sums).all():
            step = self.state.epoch * self.steps + self.state.step
            raise RunError(f"the loss is no longer a number at step {step}", "train again with a lower --lr")

    def _erase(self) -> None:
        """Fold the erasure of the expression into the rest branch of the model that the folder holds, once."""
        path, model, adversary = self.job.run / MODEL, self.encoder.module, self._adversary_module()
        if read_tensors(path)[1].get("erased"):  # in an earlier sitting that ended before the run was complete
            return
        load_tensors(path, model, adversary)
        settings = self.job.model.size, self.job.handler, self.config.keep_directions
        erase_expression(self.fabric, model, self.data, *settings)
        save_tensors(path, named_tensors(model, adversary), {"erased": True})

    def _train_decoder(self, stop: Any, begun: bool) -> None:
        """Teach the decoder of the model that the folder holds, whose codes stay as they are."""
        path, model, adversary = self.job.run / MODEL, self.encoder.module, self._adversary_module()
        load_tensors(path, model, adversary)
        with decoder_data(self.data, self.config.draw_faces) as data:
            decoder = decoder_trainer.DecoderTrainer(
                self.fabric, self.job.run, data, model, (self.job.model, self.config)
            )
            decoder.restore() if begun else decoder.save()
            decoder.run(partial(self.should_stop, stop), self.job.handler)
        self.state.seconds += time.monotonic() - self.clock
        if self.fabric.is_global_zero:
            save_tensors(path, named_tensors(model, adversary))

    def should_stop(self, stop: Any) -> bool:
        """Whether any process was told to stop: all of them must leave at the same step."""
        if self.fabric.world_size == 1:
            return stop.is_set()
        flag = torch.tensor(float(stop.is_set()), device=self.fabric.device)
        return bool(self.fabric.all_reduce(flag, reduce_op="sum") > 0)

    def _save(self) -> None:
        state = self.state
        state.seconds += time.monotonic() - self.clock
        self.clock = self.saved = time.monotonic()
        state.sums = dict(zip(SUMS, self.sums.tolist(), strict=True))
        state.scaler = self.fabric.strategy.precision.state_dict()
        if self.fabric.is_global_zero:
            path = self.job.run / CHECKPOINT
            modules = self.encoder.module, self._adversary_module()
            save_train_state(path, state, *modules, self._optimizers(), self.ema)

    def _restore(self) -> None:
        path = self.job.run / CHECKPOINT
        if not path.exists():
            if (self.job.run / MODEL).exists():
                raise RunError(f"{self.job.run} is finished: there is nothing to resume", "train a new one")
            return  # killed before its first checkpoint: from the start, which gives the same run
        modules = self.encoder.module, self._adversary_module()
        self.state = load_train_state(path, *modules, self._optimizers(), self.ema)
        self.fabric.strategy.precision.load_state_dict(self.state.scaler)
        sums = [self.state.sums[name] for name in SUMS]
        self.sums += torch.tensor(sums, dtype=self.sums.dtype).to(self.sums.device)
        if self.fabric.is_global_zero:
            truncate_history(self.job.run, self.state.history_bytes)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Positions into the train rows of each of this process's batches."""
        balanced = self.config.balance == "sampler"
        order = epoch_order(self.data.train_labels, balanced, self.config.seed, epoch)
        return process_batches(order, self.config.batch, self.fabric.global_rank, self.fabric.world_size)

    def _eval_module(self) -> Disentangler:
        """What is validated and kept: the model, or its running mean."""
        return self.encoder.module if self.ema is None else self.ema.module

    def _adversary_module(self) -> Adversaries | None:
        return None if self.adversary is None else self.adversary.module

    def _scheduled(self) -> list[Optimizer]:
        """The adversary keeps its rate: it must be able to follow the code to the end."""
        return list(self.encoder.optimizers)

    def _optimizers(self) -> list[Optimizer]:
        return [*self.encoder.optimizers, *(self.adversary.optimizers if self.adversary else ())]


def _optimized_module(
    fabric: Fabric, module: nn.Module, optimizers: tuple[Optimizer, ...], compiled: bool = False
) -> OptimizedModule:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    wrapped, *ready = fabric.setup(torch.compile(module) if compiled else module, *optimizers)
    return OptimizedModule(wrapped, module, tuple(ready))


def _weights(config: TrainConfig, data: TrainingData, device: torch.device) -> ClassWeights:
    weights = torch.from_numpy(class_weights(data.train_labels, len(data.classes))).float().to(device)
    both = {"loss": (weights, weights), "adversary": (None, weights)}.get(config.balance, (None, None))
    seen = np.bincount(data.train_labels, minlength=len(data.classes)) / len(data.train_labels)
    prior = torch.from_numpy(seen).float().to(device) if config.balance == "none" else None
    return ClassWeights(*both, prior)
