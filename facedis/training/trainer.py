"""Training of a run: epochs of adversarial steps, validation, erasure, and the post-hoc decoder.

The same code runs on one CPU, one GPU, several GPUs and several nodes: Fabric moves modules and data
and averages the gradients.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim import Optimizer

from facedis.config import TrainConfig
from facedis.errors import RunError
from facedis.events import ignore_events
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.loader import prefetch_batches
from facedis.model.device import pick_device
from facedis.model.network.adversaries import Adversaries
from facedis.model.network.disentangler import Disentangler
from facedis.model.preprocessing import to_images
from facedis.model.storage.checkpoint import (
    CHECKPOINT,
    HISTORY,
    MODEL,
    Modules,
    load_tensors,
    named_tensors,
    read_tensors,
    save_tensors,
)
from facedis.training.data import TrainingData, decoder_data, training_data
from facedis.training.decoder import decoder_trainer
from facedis.training.encoder_objective import Batch, ClassWeights
from facedis.training.interrupt import stop_between_steps
from facedis.training.loop import EpochLoop
from facedis.training.optimizers import OptimizedModule, adversary_optimizers, encoder_optimizers
from facedis.training.recipes.augmentation import augment
from facedis.training.recipes.distillation import Teachers
from facedis.training.recipes.ema import EMA
from facedis.training.recipes.erasure import erase_expression
from facedis.training.recipes.mixup import draw_mixup
from facedis.training.run_folder import start_run, write_scalars
from facedis.training.samplers import class_weights, epoch_order, process_batches
from facedis.training.schedule import beta3_factor, lr_factor
from facedis.training.setup import Job, build_networks, warn_config
from facedis.training.state import TrainState, step_generator
from facedis.training.steps import train_step
from facedis.training.validation import accuracy

_PRECISIONS: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "16": "16-mixed",
}


def train(job: Job) -> TrainState:
    """Train a run, or resume it.

    Returns:
        The final state: best epoch and accuracy, seconds.

    Raises:
        CacheError: The faces cannot be used.
        RunError: There is nothing to resume.
        KeyboardInterrupt: The run was stopped between two steps; its state is saved.
    """
    runtime = job.config.runtime
    single = runtime.devices * runtime.num_nodes == 1
    # With torchrun, all processes exist already; otherwise Fabric starts them.
    strategy = "auto" if single else "ddp" if "TORCHELASTIC_RUN_ID" in os.environ else "ddp_spawn"
    fabric = Fabric(
        accelerator=pick_device(runtime.device).type,
        devices=runtime.devices,
        num_nodes=runtime.num_nodes,
        strategy=strategy,
        precision=_PRECISIONS[runtime.precision],
    )
    if single:
        return _fit(fabric, job)
    return fabric.launch(partial(_fit, job=job))  # as an argument, Fabric would try to change the frozen job


def _fit(fabric: Fabric, job: Job) -> TrainState:
    if not fabric.is_global_zero:
        job = replace(job, handler=ignore_events)
    with FacesCache.open(job.faces) as cache:
        data = training_data(cache, tuple(name for name in job.model.factor_branches if name != "expression"))
        torch.manual_seed(job.config.seed)
        model, adversary = build_networks(job, data.sizes)
        warn_config(job, model, data)
        folders = job.config.teachers
        teachers = Teachers(folders, data.classes, fabric.device) if folders else None
        if fabric.is_global_zero and not job.resume:
            start_run(job.run, data, model.trunk.pretrained, job.model, job.config)
        trainer = Trainer(fabric, job, data, model, adversary, teachers)
        with stop_between_steps() as stop:
            return trainer.run(stop)


class Trainer(EpochLoop[Batch]):
    """The training of one process.

    Args:
        fabric: Devices and precision.
        job: The run folder and the settings.
        data: The faces.
        model: The disentangler.
        adversary: Its adversaries; None for a baseline.
        teachers: For distillation; None for none.
    """

    TASK, HINT = "training", "train again with a lower --lr"
    CHECKPOINT, HISTORY = CHECKPOINT, HISTORY
    SUMS = (
        "expression_loss",
        "adversary_loss",
        "confusion_loss",
        "reconstruction_loss",
        "factor_loss",
        "retention_loss",
        "total_loss",
        "expression_accuracy",
        "adversary_accuracy",
        "faces",
    )

    def __init__(
        self,
        fabric: Fabric,
        job: Job,
        data: TrainingData,
        model: Disentangler,
        adversary: Adversaries | None,
        teachers: Teachers | None = None,
    ) -> None:
        config = job.config
        super().__init__(fabric, job.run, config.epochs, config.runtime.checkpoint_minutes, job.handler)
        self.job, self.config, self.data, self.teachers = job, config, data, teachers
        model.freeze_trunk_bn = config.trunk_bn == "eval" or (config.trunk_bn == "auto" and model.trunk.pretrained)
        model.to(memory_format=torch.channels_last)
        optimizers = encoder_optimizers(model, config)
        self.encoder = OptimizedModule.setup(fabric, model, optimizers, config.runtime.compile)
        self.ema = EMA(model, config.ema_decay) if config.ema_decay else None
        self.adversary: OptimizedModule[Adversaries] | None = None
        if adversary is not None:
            self.adversary = OptimizedModule.setup(fabric, adversary, adversary_optimizers(adversary, config))
        self.weights = _class_weights(config, data, fabric.device)
        self.keeps_best = data.keeps_best(config.checkpoint_selection)

    def run(self, stop: threading.Event) -> TrainState:
        """Run the remaining epochs, then erase the expression and train the decoder if the settings require it."""
        if self.job.resume:
            self._resume()
        self.run_epochs(stop)
        encoder_finished = (self.folder / decoder_trainer.CHECKPOINT).exists()  # in an earlier session
        erase = self.config.retention.leace and self.adversary is not None and not encoder_finished
        if self.fabric.is_global_zero and erase:
            self._erase()
        self.fabric.barrier()
        self._add_time()
        if self.encoder.module.decoder_mode == "post-hoc":
            self._train_decoder(stop, encoder_finished)
        if self.fabric.is_global_zero:
            for name in (CHECKPOINT, decoder_trainer.CHECKPOINT):
                (self.folder / name).unlink(missing_ok=True)
        self.fabric.barrier()
        return self.state

    def modules(self) -> Modules:
        """The disentangler, the adversaries and the average of the weights."""
        return {"model": self.encoder.module, "adversary": self._adversary_module(), "ema": self.ema}

    def optimizers(self) -> list[Optimizer]:
        """Those of the encoder and the adversaries."""
        return [*self.encoder.optimizers, *(self.adversary.optimizers if self.adversary else ())]

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Indices into the train rows of each of this process's batches."""
        balanced = self.config.class_balance == "sampler"
        order = epoch_order(self.data.train_labels, balanced, self.config.seed, epoch)
        return process_batches(order, self.config.batch_size, self.fabric.global_rank, self.fabric.world_size)

    def prepared(self, batches: list[np.ndarray]) -> Iterator[Batch]:
        """The batches on the device, resized and augmented."""
        rows, config = self.data.train_rows, self.config
        loaded = prefetch_batches(self.data.cache, [rows[batch] for batch in batches])
        for number, (picked, faces) in enumerate(loaded, self.state.step):
            labels, factors = self._labels(np.searchsorted(rows, picked))
            generator = step_generator(config.seed, self.state.epoch, number, self.fabric.global_rank)
            images = to_images(torch.from_numpy(faces).to(self.fabric.device), self.job.model.image_size)
            images = augment(images, config.augmentation, generator)
            mixup = draw_mixup(len(images), config.mixup_alpha, generator) if config.mixup_alpha else None
            images = images if mixup is None else mixup.mix(images)
            images = images.contiguous(memory_format=torch.channels_last)
            yield Batch(images, labels, factors, mixup, self._teacher_probs(images))

    def start_epoch(self) -> None:
        """Set encoder and adversaries to training mode."""
        self.encoder.train()
        if self.adversary is not None:
            self.adversary.train()

    def step(self, batch: Batch) -> Tensor:
        """One iteration of both adversarial steps; the sums of losses and correct predictions."""
        config, labels, total = self.config, batch.labels, self.epochs * self.steps
        # The learning rate of the adversaries stays constant, because the code changes until the end of the run.
        self.encoder.scale_lr(lr_factor(config.lr_schedule, self.done, total))
        factor = beta3_factor(self.done, total, config.adversary.beta3_warmup, config.adversary.beta3_ramp)
        losses, output = train_step(self.fabric, self.encoder, self.adversary, batch, config, self.weights, factor)
        if self.ema is not None:
            self.ema.update_parameters(self.encoder.module)
        correct = [(output.logits.argmax(1) == labels).sum(), torch.zeros_like(labels[0])]
        if self.adversary is not None and output.codes.rest is not None:
            with torch.no_grad(), self.fabric.autocast():
                logits = self.adversary.module.expression_in_rest(output.codes.rest)
                correct[1] = (logits.argmax(1) == labels).sum()
        n = torch.tensor(float(len(labels)), device=labels.device)
        return torch.stack([*(loss.float() * n for loss in losses), *(count.float() for count in correct), n])

    def end_epoch(self, means: dict[str, float], images_per_second: float) -> Mapping[str, Any]:
        """Validate, save the model if it is the selected one, and reset the adversaries if due."""
        state = self.state
        line: dict[str, Any] = {"epoch": state.epoch, "steps": self.steps, "train": self._without_adversary(means)}
        val: dict[str, float] = {}
        if self.fabric.is_global_zero and len(self.data.val_rows):
            modules = self._kept_module(), self._adversary_module()
            val = accuracy(self.fabric, *modules, self.data, self.job.model.image_size)
            line["val"] = val
        line |= {"images_per_second": images_per_second, "seconds": state.seconds}
        if self.fabric.is_global_zero:
            if self.config.runtime.tensorboard:
                write_scalars(self.folder, line)
            score = val.get("expression_accuracy", 0.0)
            better = score > state.best
            if better:
                state.best, state.best_epoch = score, state.epoch
            if better or not self.keeps_best:
                state.kept_epoch = state.epoch
                self._save_model(self._kept_module())
        self._reset_adversaries(state.epoch + 1)
        return line

    def metrics(self, means: dict[str, float]) -> dict[str, float]:
        """Total loss and accuracies, with the chance level."""
        labels = {"total_loss": "loss", "expression_accuracy": "C_exp", "adversary_accuracy": "C_adv"}
        means = self._without_adversary(means)
        chance = {"chance": 1 / len(self.data.classes)}
        return {label: means[name] for name, label in labels.items() if name in means} | chance

    def _resume(self) -> None:
        if (self.folder / CHECKPOINT).exists():
            self.restore()
        elif (self.folder / MODEL).exists():
            raise RunError(f"{self.folder} is finished: there is nothing to resume", "train a new run")
        # Otherwise the run was killed before its first checkpoint. Starting again gives the same run.

    def _labels(self, index: np.ndarray) -> tuple[Tensor, dict[str, Tensor]]:
        """Labels of the train rows at `index`: of the expression, and of each further factor."""
        factors = {name: target.labels for name, target in self.data.targets.items()}
        on_device = {
            name: torch.from_numpy(labels[index]).to(self.fabric.device)
            for name, labels in {"expression": self.data.train_labels, **factors}.items()
        }
        return on_device.pop("expression"), on_device

    def _teacher_probs(self, images: Tensor) -> Tensor | None:
        if self.teachers is None:
            return None
        with self.fabric.autocast():
            return self.teachers(images)

    def _without_adversary(self, means: dict[str, float]) -> dict[str, float]:
        """`means` without the values of adversaries that a baseline does not have."""
        if self.adversary is not None:
            return means
        return {name: value for name, value in means.items() if not name.startswith(("adversary", "confusion"))}

    def _reset_adversaries(self, epoch: int) -> None:
        """Reinitialise the adversaries before an epoch: an overfitted adversary misses new leakage."""
        every, adversary = self.config.adversary.adversary_reset_every, self.adversary
        if adversary is None or not every or epoch % every or epoch == self.epochs:
            return
        step_generator(self.config.seed, epoch, -1, 0)  # the same weights in every process
        adversary.module.reset_parameters()
        for optimizer in adversary.optimizers:
            optimizer.state.clear()

    def _erase(self) -> None:
        """Erase the expression from the rest code of the model in the run folder, unless this is already done."""
        path, model = self.folder / MODEL, self.encoder.module
        if read_tensors(path)[1].get("erased"):  # in an earlier session that stopped before the end of the run
            return
        load_tensors(path, {"model": model, "adversary": self._adversary_module()})
        settings = self.job.model.image_size, self.handler, self.config.retention.rest_rank
        erase_expression(self.fabric, model, self.data, *settings)
        self._save_model(model, {"erased": True})

    def _train_decoder(self, stop: threading.Event, resume: bool) -> None:
        """Train the decoder of the model in the run folder; the codes stay the same."""
        model = self.encoder.module
        load_tensors(self.folder / MODEL, {"model": model, "adversary": self._adversary_module()})
        with decoder_data(self.data, self.config.decoder.faces) as data:
            decoder = decoder_trainer.DecoderTrainer(self.fabric, self.job, data, model)
            decoder.restore() if resume else decoder.save()
            decoder.run_epochs(stop)
        self.state.seconds += decoder.state.seconds
        if self.fabric.is_global_zero:
            self._save_model(model)

    def _save_model(self, model: Disentangler, about: dict[str, Any] | None = None) -> None:
        save_tensors(self.folder / MODEL, named_tensors({"model": model, "adversary": self._adversary_module()}), about)

    def _kept_module(self) -> Disentangler:
        """The model that is validated and kept: the current weights or their average."""
        return self.encoder.module if self.ema is None else self.ema.module

    def _adversary_module(self) -> Adversaries | None:
        return None if self.adversary is None else self.adversary.module


def _class_weights(config: TrainConfig, data: TrainingData, device: torch.device) -> ClassWeights:
    classes = len(data.classes)
    weights = torch.from_numpy(class_weights(data.train_labels, classes)).float().to(device)
    if config.class_balance == "loss":
        return ClassWeights(weights, weights)
    if config.class_balance == "adversary":
        return ClassWeights(adversary=weights)
    if config.class_balance == "none":
        frequencies = np.bincount(data.train_labels, minlength=classes) / len(data.train_labels)
        return ClassWeights(prior=torch.from_numpy(frequencies).float().to(device))
    return ClassWeights()
