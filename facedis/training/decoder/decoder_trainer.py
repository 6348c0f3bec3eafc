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
from facedis.model.network.adversaries import Pool
from facedis.model.network.discriminator import Critic
from facedis.model.network.disentangler import Disentangler
from facedis.training.data import TrainingData
from facedis.training.decoder.decoder_losses import TERMS, Lesson, Parts, critic_loss, map_adversary_loss
from facedis.training.recipes.augmentation import augment, to_images
from facedis.training.run_folder import append_history, cut_history
from facedis.training.samplers import mixed_order, share_of
from facedis.training.schedule import rate
from facedis.training.state import Place, load_place, save_place, step_generator
from facedis.training.steps import Side

#: In the run folder while and after it learns to draw.
CHECKPOINT, HISTORY = "drawing.safetensors", "drawing.jsonl"
#: Adam's of the decoder.
LR = 2e-3
#: Of those who play against the decoder.
OPPONENT_LR = 5e-4
#: Adam's, of the decoder and of those who play against it.
BETAS, OPPONENT_BETAS = (0.9, 0.99), (0.5, 0.99)
#: What is summed over the steps of an epoch.
SUMS = (*TERMS, "faces")
#: What each of `Opponents` learns from.
_LOSSES = {"map_adversary": map_adversary_loss, "critic": critic_loss}


class Opponents(nn.Module):
    """Who plays against the decoder: adversaries that read the rest map, and a critic of its pictures."""

    def __init__(self, model: ModelConfig, config: TrainConfig, classes: int) -> None:
        super().__init__()
        size = model.rest_map * model.rest_map_side**2
        self.map_adversary = Pool(size, classes, model) if size and config.draw_clean else None
        self.critic = Critic(classes) if config.draw_real else None


class Player(nn.Module):
    """One of the opponents with its own loss as the forward pass, so that Fabric can wrap it.

    Each is wrapped by itself: several processes join the gradients of all that one wrapper holds, and
    would wait in vain for those of a critic that has nothing to say yet.

    Args:
        opponent: The map's adversaries, or the critic.
        loss: Called with it and whatever the player is called with.
    """

    def __init__(self, opponent: nn.Module, loss: Callable[..., Tensor]) -> None:
        super().__init__()
        self.opponent, self.loss = opponent, loss

    def forward(self, *seen: Tensor) -> Tensor:
        """Its loss, a scalar."""
        return self.loss(self.opponent, *seen)


class Drawing:
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
        opponents = Opponents(*settings, len(data.classes))
        model.requires_grad_(False)
        weights = [weight for module in model.learners() for weight in module.requires_grad_(True).parameters()]
        lesson = Lesson(model, opponents.map_adversary, opponents.critic, self.config)
        self.pupil = _side(fabric, lesson, torch.optim.Adam(weights, LR, BETAS))
        self.opponents, self.players = None, {}
        if list(opponents.parameters()):
            self.players = {
                name: fabric.setup(Player(opponent, _LOSSES[name])) for name, opponent in opponents.named_children()
            }
            optimizer = torch.optim.Adam(opponents.parameters(), OPPONENT_LR, OPPONENT_BETAS)
            self.opponents = Side(opponents, opponents, (fabric.setup_optimizers(_with_rates(optimizer)),))
        self.place, self.steps = Place(), len(self.batches(0))
        self.sums = torch.zeros(len(SUMS))

    def run(self, told: Callable[[], bool], handler: EventHandler) -> None:
        """All epochs that are left.

        Args:
            told: Whether to stop; asked after every step.
            handler: Told of the progress.

        Raises:
            KeyboardInterrupt: It was told to stop; what was done is saved.
            RunError: A loss is no longer a number.
        """
        total, saved = self.config.draw_epochs * self.steps, time.monotonic()
        handler(Event("start", "learning to draw", total=total, done=self.place.epoch * self.steps + self.place.step))
        while self.place.epoch < self.config.draw_epochs:
            begun, first, speed = time.monotonic(), self.sums[-1].item(), 0.0
            for images, labels, scene in self.prepared(self.batches(self.place.epoch)[self.place.step :]):
                terms = self.step(images, labels, scene).cpu()
                self.sums += len(labels) * torch.cat([terms, torch.ones(1)])
                faces, done = self.sums[-1].item(), self.place.epoch * self.steps + self.place.step
                speed = (faces - first) * self.fabric.world_size / (time.monotonic() - begun)
                facts = {"images/s": speed, "loss": float(self.sums[:-1].sum() / faces)}
                handler(Event("advance", "learning to draw", done=done, facts=facts))
                if told():
                    self.save()
                    raise KeyboardInterrupt
                if time.monotonic() - saved > 60 * self.config.checkpoint_minutes:
                    self.save()
                    saved = time.monotonic()
            self._close_epoch(speed)
        handler(Event("end", "learning to draw"))

    def step(self, images: Tensor, labels: Tensor, scene: Tensor) -> Tensor:
        """One iteration; the weighted terms in the order of `TERMS`."""
        total, done = self.config.draw_epochs * self.steps, self.place.epoch * self.steps + self.place.step
        warm_up, factor = phase(done, total, self.config.draw_warm_up)
        for side in (self.pupil, self.opponents):
            for optimizer in side.optimizers if side else ():
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * factor
        parts = roles(labels, scene, self.config.draw_truth, self.config.draw_stand_in)
        terms, rest_map, swapped = self.pupil.wrapped(images, labels, parts, warm_up)
        self.pupil.update(self.fabric, sum(terms.values()))
        if self.opponents is not None:
            losses = self._opponents_losses(images, labels, rest_map, swapped, labels[parts.donors])
            if losses:
                self.opponents.update(self.fabric, sum(losses))
        self.place.step += 1
        zero = torch.zeros((), device=images.device)
        return torch.stack([terms.get(name, zero).detach().float() for name in TERMS])

    def _opponents_losses(
        self, images: Tensor, labels: Tensor, rest_map: Tensor | None, swapped: Tensor | None, wanted: Tensor
    ) -> list[Tensor]:
        """Of those that have something to say: in the warm-up a critic has not."""
        losses = []
        if "map_adversary" in self.players and rest_map is not None:
            losses.append(self.players["map_adversary"](rest_map, labels))
        if "critic" in self.players and swapped is not None:
            losses.append(self.players["critic"](images, labels, swapped, wanted))
        return losses

    def prepared(self, batches: list[np.ndarray]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Images (B, 3, S, S), labels (B,) and scenes (B,) of each batch, on the device, augmented scene by scene."""
        rows, device = self.data.train_rows, self.fabric.device
        wanted = prefetched(self.data.cache, [rows[batch] for batch in batches])
        for number, (picked, faces) in enumerate(wanted, self.place.step):
            places = np.searchsorted(rows, picked)
            labels, scene = (torch.from_numpy(values[places]) for values in (self.data.train_labels, self.scenes))
            epoch = self.config.epochs + self.place.epoch  # other draws than those that the encoder saw
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
        order = mixed_order(data.train_labels, people, config.seed, config.epochs + epoch, row)
        return share_of(order, config.draw_batch, self.fabric.global_rank, self.fabric.world_size)

    def save(self) -> None:
        """Write everything that is needed to go on here."""
        self.place.sums = dict(zip(SUMS, self.sums.tolist(), strict=True))
        self.place.scaler = self.fabric.strategy.precision.state_dict()
        if self.fabric.is_global_zero:
            path, opponents = self.folder / CHECKPOINT, self.opponents and self.opponents.module
            save_place(path, self.place, self.model, opponents, self._optimizers())

    def go_on(self) -> None:
        """Go on where `save` was last called."""
        path, opponents = self.folder / CHECKPOINT, self.opponents and self.opponents.module
        self.place = load_place(path, self.model, opponents, self._optimizers())
        self.sums = torch.tensor([self.place.sums.get(name, 0.0) for name in SUMS])  # older files have none
        if self.place.scaler:
            self.fabric.strategy.precision.load_state_dict(self.place.scaler)
        if self.fabric.is_global_zero:
            cut_history(self.folder, self.place.history_bytes, HISTORY)

    def _optimizers(self) -> list[Optimizer]:
        return [*self.pupil.optimizers, *(self.opponents.optimizers if self.opponents else ())]

    def _close_epoch(self, speed: float) -> None:
        place = self.place
        line = {"epoch": place.epoch, "images_per_second": speed} | self._means()
        if self.fabric.is_global_zero:
            place.history_bytes = append_history(self.folder, line, HISTORY)
        place.epoch, place.step = place.epoch + 1, 0
        self.sums.zero_()

    def _means(self) -> dict[str, float]:
        """Of each term over the faces that all processes had in this epoch.

        Raises:
            RunError: One is no longer a number.
        """
        *sums, faces = self.fabric.all_reduce(self.sums.clone(), reduce_op="sum").tolist()
        if not np.isfinite(sums).all():
            raise RunError(
                f"the loss is no longer a number in epoch {self.place.epoch} of learning to draw",
                "train again with lower --draw weights",
            )
        return {name: total / max(faces, 1) for name, total in zip(TERMS, sums, strict=True)}


def phase(done: int, total: int, share: float) -> tuple[bool, float]:
    """Whether a step is of the warm-up, and the factor on the rates: each phase has a cycle of its own."""
    first = round(share * total)
    if done < first:
        return True, rate("onecycle", done, first)
    return False, rate("onecycle", done - first, total - first)


def roles(labels: Tensor, scene: Tensor, truth: float, stand_in: float) -> Parts:
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
    return Parts(targets, torch.where(stands, other, targets), donors)


def _side(fabric: Fabric, module: nn.Module, optimizer: Optimizer) -> Side:
    wrapped, ready = fabric.setup(module, _with_rates(optimizer))
    return Side(wrapped.train(), module, (ready,))


def _with_rates(optimizer: Optimizer) -> Optimizer:
    """`optimizer`, with the rates that the schedule starts from."""
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    return optimizer
