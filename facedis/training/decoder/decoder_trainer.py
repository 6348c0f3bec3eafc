"""Learning to draw once the encoder is finished: its codes stay as they are, to the bit."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from facedis.config import ModelConfig, TrainConfig
from facedis.errors import RunError
from facedis.events import Event, EventHandler
from facedis.faces.cache.loader import prefetched
from facedis.faces.cache.scenes import scenes
from facedis.model.network.adversaries import AdversaryEnsemble
from facedis.model.network.discriminator import PatchDiscriminator
from facedis.model.network.disentangler import Disentangler
from facedis.model.preprocessing import to_images
from facedis.training.data import TrainingData
from facedis.training.decoder.decoder_losses import (
    TERMS,
    DecoderObjective,
    DonorAssignment,
    discriminator_loss,
    map_adversary_loss,
)
from facedis.training.recipes.augmentation import augment
from facedis.training.run_folder import append_history, truncate_history
from facedis.training.samplers import grouped_order, process_batches
from facedis.training.schedule import lr_factor
from facedis.training.state import TrainState, load_train_state, save_train_state, step_generator
from facedis.training.steps import OptimizedModule

#: In the run folder while and after it learns to draw.
CHECKPOINT, HISTORY = "drawing.safetensors", "drawing.jsonl"
#: Adam's of the decoder.
LR = 2e-3
#: Of those who play against the decoder.
ADVERSARY_LR = 5e-4
#: Adam's, of the decoder and of those who play against it.
BETAS, ADVERSARY_BETAS = (0.9, 0.99), (0.5, 0.99)
#: What is summed over the steps of an epoch.
SUMS = (*TERMS, "faces")
#: What each of `DecoderAdversaries` learns from.
_LOSSES = {"map_adversary": map_adversary_loss, "discriminator": discriminator_loss}


class DecoderAdversaries(nn.Module):
    """Who plays against the decoder: adversaries that read the rest map, and a discriminator of its pictures."""

    def __init__(self, model: ModelConfig, config: TrainConfig, classes: int) -> None:
        super().__init__()
        size = model.rest_map * model.rest_map_side**2
        self.map_adversary = AdversaryEnsemble(size, classes, model) if size and config.draw_clean else None
        self.discriminator = PatchDiscriminator(classes) if config.draw_real else None


class AdversaryWrapper(nn.Module):
    """One of the adversaries with its own loss as the forward pass, so that Fabric can wrap it.

    Each is wrapped by itself: several processes join the gradients of all that one wrapper holds, and
    would wait in vain for those of a discriminator that has nothing to say yet.

    Args:
        adversary: The map's adversaries, or the discriminator.
        loss: Called with it and whatever the player is called with.
    """

    def __init__(self, adversary: nn.Module, loss: Callable[..., Tensor]) -> None:
        super().__init__()
        self.adversary, self.loss = adversary, loss

    def forward(self, *seen: Tensor) -> Tensor:
        """Its loss, a scalar."""
        return self.loss(self.adversary, *seen)


class DecoderTrainer:
    """One process's part of learning to draw.

    Args:
        fabric: Devices and precision.
        run: The run folder; it holds the finished encoder.
        data: The faces.
        model: As the folder holds it.
        settings: Of the model and of the training.
    """

    def __init__(
        self,
        fabric: Fabric,
        run: Path,
        data: TrainingData,
        model: Disentangler,
        settings: tuple[ModelConfig, TrainConfig],
    ) -> None:
        self.fabric, self.folder, self.data, self.model = fabric, run, data, model
        self.size, self.config = settings[0].size, settings[1]
        self.scenes = scenes(data.cache)[data.train_rows]
        torch.manual_seed(self.config.seed)
        adversaries = DecoderAdversaries(*settings, len(data.classes))
        model.requires_grad_(False)
        weights = [weight for module in model.decoder_modules() for weight in module.requires_grad_(True).parameters()]
        objective = DecoderObjective(model, adversaries.map_adversary, adversaries.discriminator, self.config)
        self.objective = _optimized_module(fabric, objective, torch.optim.Adam(weights, LR, BETAS))
        self.adversaries, self.wrapped_adversaries = None, {}
        if list(adversaries.parameters()):
            self.wrapped_adversaries = {
                name: fabric.setup(AdversaryWrapper(adversary, _LOSSES[name]))
                for name, adversary in adversaries.named_children()
            }
            optimizer = torch.optim.Adam(adversaries.parameters(), ADVERSARY_LR, ADVERSARY_BETAS)
            self.adversaries = OptimizedModule(
                adversaries, adversaries, (fabric.setup_optimizers(_with_initial_lr(optimizer)),)
            )
        self.state, self.steps = TrainState(), len(self.batches(0))
        self.sums = torch.zeros(len(SUMS))

    def run(self, should_stop: Callable[[], bool], handler: EventHandler) -> None:
        """All epochs that are left.

        Args:
            should_stop: Whether to stop; asked after every step.
            handler: Told of the progress.

        Raises:
            KeyboardInterrupt: It was told to stop; what was done is saved.
            RunError: A loss is no longer a number.
        """
        total, saved = self.config.draw_epochs * self.steps, time.monotonic()
        handler(Event("start", "learning to draw", total=total, done=self.state.epoch * self.steps + self.state.step))
        while self.state.epoch < self.config.draw_epochs:
            begun, first, speed = time.monotonic(), self.sums[-1].item(), 0.0
            for images, labels, scene in self.prepared(self.batches(self.state.epoch)[self.state.step :]):
                terms = self.step(images, labels, scene).cpu()
                self.sums += len(labels) * torch.cat([terms, torch.ones(1)])
                faces, done = self.sums[-1].item(), self.state.epoch * self.steps + self.state.step
                speed = (faces - first) * self.fabric.world_size / (time.monotonic() - begun)
                facts = {"images/s": speed, "loss": float(self.sums[:-1].sum() / faces)}
                handler(Event("advance", "learning to draw", done=done, facts=facts))
                if should_stop():
                    self.save()
                    raise KeyboardInterrupt
                if time.monotonic() - saved > 60 * self.config.checkpoint_minutes:
                    self.save()
                    saved = time.monotonic()
            self._close_epoch(speed)
        handler(Event("end", "learning to draw"))

    def step(self, images: Tensor, labels: Tensor, scene: Tensor) -> Tensor:
        """One iteration; the weighted terms in the order of `TERMS`."""
        total, done = self.config.draw_epochs * self.steps, self.state.epoch * self.steps + self.state.step
        warm_up, factor = phase(done, total, self.config.draw_warm_up)
        for side in (self.objective, self.adversaries):
            for optimizer in side.optimizers if side else ():
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * factor
        parts = assign_donors(labels, scene, self.config.draw_truth, self.config.draw_stand_in)
        terms, rest_map, swapped = self.objective.wrapped(images, labels, parts, warm_up)
        self.objective.update(self.fabric, sum(terms.values()))
        if self.adversaries is not None:
            losses = self._adversary_losses(images, labels, rest_map, swapped, labels[parts.donors])
            if losses:
                self.adversaries.update(self.fabric, sum(losses))
        self.state.step += 1
        zero = torch.zeros((), device=images.device)
        return torch.stack([terms.get(name, zero).detach().float() for name in TERMS])

    def _adversary_losses(
        self, images: Tensor, labels: Tensor, rest_map: Tensor | None, swapped: Tensor | None, wanted: Tensor
    ) -> list[Tensor]:
        """Of those that have something to say: in the warm-up a discriminator has not."""
        losses = []
        if "map_adversary" in self.wrapped_adversaries and rest_map is not None:
            losses.append(self.wrapped_adversaries["map_adversary"](rest_map, labels))
        if "discriminator" in self.wrapped_adversaries and swapped is not None:
            losses.append(self.wrapped_adversaries["discriminator"](images, labels, swapped, wanted))
        return losses

    def prepared(self, batches: list[np.ndarray]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Images (B, 3, S, S), labels (B,) and scenes (B,) of each batch, on the device, augmented scene by scene."""
        rows, device = self.data.train_rows, self.fabric.device
        wanted = prefetched(self.data.cache, [rows[batch] for batch in batches])
        for number, (picked, faces) in enumerate(wanted, self.state.step):
            places = np.searchsorted(rows, picked)
            labels, scene = (torch.from_numpy(values[places]) for values in (self.data.train_labels, self.scenes))
            epoch = self.config.epochs + self.state.epoch  # other draws than those that the encoder saw
            generator = step_generator(self.config.seed, epoch, number, self.fabric.global_rank)
            images = to_images(torch.from_numpy(faces).to(device), self.size)
            alone = scene.max() + 1 + torch.arange(len(scene))  # a group of its own for who has no scene
            groups = torch.where(scene < 0, alone, scene).unique(return_inverse=True)[1]
            images = augment(images, self.config.draw_augment, generator, groups)
            yield images.contiguous(memory_format=torch.channels_last), labels.to(device), scene.to(device)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Positions into the train rows of each of this process's batches."""
        config, data = self.config, self.data
        people = data.cache.identities[data.train_rows]
        people = np.where(self.scenes < 0, people, np.char.add("scene ", self.scenes.astype(str)))
        # Two of a scene are enough, the face and its target: with few scenes in a batch its norm is not that of all.
        # Processes take turns along the order, so each gets two of a row.
        row = 2 * self.fabric.world_size if config.draw_truth and (self.scenes >= 0).all() else 0
        order = grouped_order(data.train_labels, people, config.seed, config.epochs + epoch, row)
        return process_batches(order, config.draw_batch, self.fabric.global_rank, self.fabric.world_size)

    def save(self) -> None:
        """Write everything that is needed to go on here."""
        self.state.sums = dict(zip(SUMS, self.sums.tolist(), strict=True))
        self.state.scaler = self.fabric.strategy.precision.state_dict()
        if self.fabric.is_global_zero:
            path, adversaries = self.folder / CHECKPOINT, self.adversaries and self.adversaries.module
            save_train_state(path, self.state, self.model, adversaries, self._optimizers())

    def restore(self) -> None:
        """Go on where `save` was last called."""
        path, adversaries = self.folder / CHECKPOINT, self.adversaries and self.adversaries.module
        self.state = load_train_state(path, self.model, adversaries, self._optimizers())
        self.sums = torch.tensor([self.state.sums.get(name, 0.0) for name in SUMS])  # older files have none
        if self.state.scaler:
            self.fabric.strategy.precision.load_state_dict(self.state.scaler)
        if self.fabric.is_global_zero:
            truncate_history(self.folder, self.state.history_bytes, HISTORY)

    def _optimizers(self) -> list[Optimizer]:
        return [*self.objective.optimizers, *(self.adversaries.optimizers if self.adversaries else ())]

    def _close_epoch(self, speed: float) -> None:
        state = self.state
        line = {"epoch": state.epoch, "images_per_second": speed} | self._means()
        if self.fabric.is_global_zero:
            state.history_bytes = append_history(self.folder, line, HISTORY)
        state.epoch, state.step = state.epoch + 1, 0
        self.sums.zero_()

    def _means(self) -> dict[str, float]:
        """Of each term over the faces that all processes had in this epoch.

        Raises:
            RunError: One is no longer a number.
        """
        *sums, faces = self.fabric.all_reduce(self.sums.clone(), reduce_op="sum").tolist()
        if not np.isfinite(sums).all():
            raise RunError(
                f"the loss is no longer a number in epoch {self.state.epoch} of learning to draw",
                "train again with lower --draw weights",
            )
        return {name: total / max(faces, 1) for name, total in zip(TERMS, sums, strict=True)}


def phase(done: int, total: int, share: float) -> tuple[bool, float]:
    """Whether a step is of the warm-up, and the factor on the rates: each phase has a cycle of its own."""
    first = round(share * total)
    if done < first:
        return True, lr_factor("onecycle", done, first)
    return False, lr_factor("onecycle", done - first, total - first)


def assign_donors(labels: Tensor, scene: Tensor, truth: float, stand_in: float) -> DonorAssignment:
    """Who takes which part in a batch. Draws from torch's own generator.

    A donor shows another expression wherever the batch has one. A share `truth` of the faces is drawn as another of
    its scene, a share `stand_in` with the code of another face of the wanted expression, wherever there is one.

    Args:
        labels: (B,) expressions.
        scene: (B,) scenes, -1 for none.
        truth: Share.
        stand_in: Share.
    """
    n, device = len(labels), labels.device
    chance, own = torch.rand(n, n, device=device), torch.arange(n, device=device)
    same, alone = labels[:, None] == labels[None], 9 * torch.eye(n, device=device)
    together = (scene[:, None] == scene[None]) & (scene >= 0)
    donors = (chance + 2 * ~same).argmax(1)
    other = (chance + 2 * (together & ~same)).argmax(1)
    shown = together[own, other] & ~same[own, other] & (torch.rand(n, device=device) < truth)
    targets = torch.where(shown, other, own)
    other = (torch.rand(n, n, device=device) + 2 * same[targets] - alone[targets]).argmax(1)
    stands = (labels[other] == labels[targets]) & (torch.rand(n, device=device) < stand_in)
    return DonorAssignment(targets, torch.where(stands, other, targets), donors)


def _optimized_module(fabric: Fabric, module: nn.Module, optimizer: Optimizer) -> OptimizedModule:
    wrapped, ready = fabric.setup(module, _with_initial_lr(optimizer))
    return OptimizedModule(wrapped.train(), module, (ready,))


def _with_initial_lr(optimizer: Optimizer) -> Optimizer:
    """`optimizer`, with the rates that the schedule starts from."""
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    return optimizer
