"""Training of a post-hoc decoder: the encoder is finished and its codes stay the same, bit for bit."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from facedis.faces.cache.loader import prefetch_batches
from facedis.faces.cache.scenes import scene_ids
from facedis.model.network.disentangler import Disentangler
from facedis.model.preprocessing import to_images
from facedis.model.storage.checkpoint import Modules
from facedis.training.data import TrainingData
from facedis.training.decoder.decoder_adversaries import ADVERSARY_LOSSES, AdversaryWrapper, DecoderAdversaries
from facedis.training.decoder.decoder_losses import TERMS, DecoderObjective, DecoderOutput
from facedis.training.decoder.donors import assign_donors
from facedis.training.loop import EpochLoop
from facedis.training.optimizers import OptimizedModule, store_initial_lr
from facedis.training.recipes.augmentation import augment
from facedis.training.samplers import grouped_order, process_batches
from facedis.training.schedule import lr_factor
from facedis.training.setup import Job
from facedis.training.state import step_generator

#: In the run folder during the training of the decoder; the history stays.
CHECKPOINT, HISTORY = "decoder_checkpoint.safetensors", "decoder_history.jsonl"
#: Learning rate and betas of Adam for the decoder.
LR, BETAS = 2e-3, (0.9, 0.99)
#: Learning rate and betas of Adam for its adversaries.
ADVERSARY_LR, ADVERSARY_BETAS = 5e-4, (0.5, 0.99)


class DecoderBatch(NamedTuple):
    """The input of one iteration.

    Attributes:
        images: (B, 3, S, S) in [0, 1].
        labels: (B,) expressions.
        scene: (B,) scenes, -1 for none.
    """

    images: Tensor
    labels: Tensor
    scene: Tensor


class DecoderTrainer(EpochLoop[DecoderBatch]):
    """The training of the decoder of one process.

    Args:
        fabric: Devices and precision.
        job: The run folder, which has the finished encoder, and the settings.
        data: The faces.
        model: The finished encoder with its untrained decoder.
    """

    TASK, HINT = "training the decoder", "train again with smaller weights in [decoder]"
    CHECKPOINT, HISTORY = CHECKPOINT, HISTORY
    SUMS = (*TERMS, "faces")

    def __init__(self, fabric: Fabric, job: Job, data: TrainingData, model: Disentangler) -> None:
        config = job.config.decoder
        super().__init__(fabric, job.run, config.epochs, job.config.runtime.checkpoint_minutes, job.handler)
        self.config, self.data, self.model, self.seed = config, data, model, job.config.seed
        self.image_size = job.model.image_size
        self.first_epoch = job.config.epochs  # epochs continue those of the encoder, for other random numbers
        self.scenes = scene_ids(data.cache)[data.train_rows]
        torch.manual_seed(self.seed)
        adversaries = DecoderAdversaries(job.model, config, len(data.classes))
        model.requires_grad_(False)
        trained = [weight for part in model.decoder_modules() for weight in part.requires_grad_(True).parameters()]
        objective = DecoderObjective(model, adversaries, config)
        self.objective = OptimizedModule.setup(fabric, objective, (torch.optim.Adam(trained, LR, BETAS),))
        self.adversaries: OptimizedModule[DecoderAdversaries] | None = None
        self.wrapped_adversaries: dict[str, nn.Module] = {}
        if list(adversaries.parameters()):
            self.adversaries = self._wrap(adversaries)

    def modules(self) -> Modules:
        """The model and the decoder's adversaries."""
        return {"model": self.model, "adversary": self.adversaries.module if self.adversaries else None}

    def optimizers(self) -> list[Optimizer]:
        """Those of the decoder and its adversaries."""
        return [*self.objective.optimizers, *(self.adversaries.optimizers if self.adversaries else ())]

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Indices into the train rows of each of this process's batches."""
        config, data = self.config, self.data
        groups = data.cache.identities[data.train_rows]
        groups = np.where(self.scenes < 0, groups, np.char.add("scene ", self.scenes.astype(str)))
        # Two faces per scene are enough, the face and its target: with few scenes per batch, the statistics of
        # BatchNorm are biased. Processes take turns along the order, so that each one gets two faces of a run.
        paired = config.paired_prob and (self.scenes >= 0).all()
        run_length = 2 * self.fabric.world_size if paired else 0
        order = grouped_order(data.train_labels, groups, self.seed, self.first_epoch + epoch, run_length)
        return process_batches(order, config.batch_size, self.fabric.global_rank, self.fabric.world_size)

    def prepared(self, batches: list[np.ndarray]) -> Iterator[DecoderBatch]:
        """The batches on the device, resized and augmented; faces of one scene get the same augmentation."""
        rows, device = self.data.train_rows, self.fabric.device
        loaded = prefetch_batches(self.data.cache, [rows[batch] for batch in batches])
        for number, (picked, faces) in enumerate(loaded, self.state.step):
            index = np.searchsorted(rows, picked)
            labels, scene = (torch.from_numpy(values[index]) for values in (self.data.train_labels, self.scenes))
            epoch = self.first_epoch + self.state.epoch
            generator = step_generator(self.seed, epoch, number, self.fabric.global_rank)
            images = to_images(torch.from_numpy(faces).to(device), self.image_size)
            without_scene = scene.max() + 1 + torch.arange(len(scene))  # each in a group of its own
            groups = torch.where(scene < 0, without_scene, scene).unique(return_inverse=True)[1]
            images = augment(images, self.config.augmentation, generator, groups)
            images = images.contiguous(memory_format=torch.channels_last)
            yield DecoderBatch(images, labels.to(device), scene.to(device))

    def start_epoch(self) -> None:
        """Set the trained parts to training mode."""
        self.objective.train()

    def step(self, batch: DecoderBatch) -> Tensor:
        """One iteration of the decoder, then of its adversaries; the sums of the weighted terms."""
        warmup, factor = phase(self.done, self.epochs * self.steps, self.config.warmup_fraction)
        for optimized in (self.objective, self.adversaries):
            if optimized is not None:
                optimized.scale_lr(factor)
        assignment = assign_donors(batch.labels, batch.scene, self.config.paired_prob, self.config.same_class_prob)
        output: DecoderOutput = self.objective.wrapped(batch.images, batch.labels, assignment, warmup)
        zero = batch.images.new_zeros(())
        self.objective.update(self.fabric, sum(output.terms.values(), zero))
        if self.adversaries is not None:
            losses = self._adversary_losses(batch, output, batch.labels[assignment.donors])
            if losses:
                self.adversaries.update(self.fabric, sum(losses, zero))
        n = len(batch.labels)
        terms = [n * output.terms.get(name, zero).detach().float() for name in TERMS]
        return torch.stack([*terms, zero.float() + n])

    def end_epoch(self, means: dict[str, float], images_per_second: float) -> Mapping[str, Any]:
        """The line of the history: the means of the weighted terms."""
        return {"epoch": self.state.epoch, "images_per_second": images_per_second} | means

    def metrics(self, means: dict[str, float]) -> dict[str, float]:
        """The sum of the weighted terms."""
        return {"loss": sum(means.values())}

    def _adversary_losses(self, batch: DecoderBatch, output: DecoderOutput, donor_labels: Tensor) -> list[Tensor]:
        """Losses of the adversaries that have an input: during the warm-up, the discriminator has none."""
        losses, wrapped = [], self.wrapped_adversaries
        if "map_adversary" in wrapped and output.spatial_rest is not None:
            losses.append(wrapped["map_adversary"](output.spatial_rest, batch.labels))
        if "discriminator" in wrapped and output.swapped is not None:
            losses.append(wrapped["discriminator"](batch.images, batch.labels, output.swapped, donor_labels))
        return losses

    def _wrap(self, adversaries: DecoderAdversaries) -> OptimizedModule[DecoderAdversaries]:
        self.wrapped_adversaries = {
            name: self.fabric.setup(AdversaryWrapper(adversary, ADVERSARY_LOSSES[name]))
            for name, adversary in adversaries.named_children()
        }
        optimizer = torch.optim.Adam(adversaries.parameters(), ADVERSARY_LR, ADVERSARY_BETAS)
        store_initial_lr(optimizer)
        ready: Any = self.fabric.setup_optimizers(optimizer)
        return OptimizedModule(adversaries, adversaries, (ready,))


def phase(done: int, total: int, warmup_fraction: float) -> tuple[bool, float]:
    """Whether a step belongs to the warm-up, and its learning rate factor; each phase has its own cycle."""
    first = round(warmup_fraction * total)
    if done < first:
        return True, lr_factor("onecycle", done, first)
    return False, lr_factor("onecycle", done - first, total - first)
