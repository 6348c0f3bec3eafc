"""Learning to draw: which term moves what, that the codes stay as they are, and who is swapped with whom."""

import json
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning_fabric.plugins.precision import Precision
from torch import nn

from facedis.config import ModelConfig, TrainConfig
from facedis.errors import ConfigError, RunError
from facedis.faces.cache.cache import FacesCache
from facedis.model.network import disentangler
from facedis.model.network.disentangler import build
from facedis.model.network.trunk import Trunk
from facedis.model.storage.checkpoint import load_run, read_tensors
from facedis.tasks.swapping.generator import SwapGenerator
from facedis.training import trainer as trainer_module
from facedis.training.decoder import decoder_losses, decoder_trainer
from facedis.training.decoder.decoder_losses import (
    TERMS,
    DecoderObjective,
    DonorAssignment,
    augment_swap,
    change_weights,
    discriminator_loss,
    map_adversary_loss,
    ssim,
)
from facedis.training.decoder.decoder_trainer import DecoderAdversaries, assign_donors, phase
from facedis.training.samplers import grouped_order, process_batches
from facedis.training.setup import Job
from facedis.training.trainer import train
from tests.conftest import change, write_cache

K, SIZE = 3, 32
MODEL = ModelConfig(
    trunk="resnet18_half", weights="none", image_size=SIZE, branch="light", branch_widths=(8, 8, 8), expression_dim=6,
    rest_dim=5, unshared_stages=2, code_norm="batch", decoder="post-hoc", decoder_kind="film", decoder_width=32, spatial_rest_channels=2,
)  # fmt: skip
ALL = change(
    TrainConfig(),
    decoder={f"{name}_weight": 1.0 for name in TERMS} | {"epochs": 2, "batch_size": 12},
    epochs=1,
    batch_size=12,
    device="cpu",
)
WITH_MAP = {"decoder", "spatial_rest"}


def _objective(config=ALL, model_config=MODEL):
    torch.manual_seed(0)
    model, _ = build(model_config, {"expression": K})
    model.requires_grad_(False)
    for part in model.decoder_modules():
        part.requires_grad_(True)
    adversaries = DecoderAdversaries(model_config, config, K)
    return DecoderObjective(model, adversaries.map_adversary, adversaries.discriminator, config).train(), adversaries


def _batch(n=6):
    labels = torch.arange(n) % K
    images = torch.rand(n, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    own = torch.arange(n)
    return images, labels, DonorAssignment(targets=(own + 2) % n, same_class_donors=own, donors=(own + 1) % n)


def _touched(model, adversaries):
    parts = dict(model.named_children()) | dict(adversaries.named_children())
    return {
        name
        for name, part in parts.items()
        if any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
    }


@pytest.mark.parametrize("term", TERMS)
def test_each_term_moves_the_decoder_and_the_map_and_nothing_that_is_finished(term):
    objective, adversaries = _objective()
    terms, *_ = objective(*_batch())
    terms[term].backward()
    assert _touched(objective.model, adversaries) == (
        {"spatial_rest"} if term in ("map_invariance", "map_confusion") else WITH_MAP
    )


def test_the_opponents_losses_move_the_opponents_alone():
    objective, adversaries = _objective()
    images, labels, parts = _batch()
    _, rest_map, swapped = objective(images, labels, parts)
    loss = map_adversary_loss(adversaries.map_adversary, rest_map, labels)
    loss = loss + discriminator_loss(adversaries.discriminator, images, labels, swapped, labels[parts.donors])
    loss.backward()
    assert _touched(objective.model, adversaries) == {"map_adversary", "discriminator"}


def test_structure_is_ssim_of_square_windows():
    x, y = torch.rand(2, 2, 3, 9, 8, dtype=torch.float64)
    wanted = []
    for a, b in zip(*(each.unfold(2, 7, 1).unfold(3, 7, 1).reshape(-1, 49) for each in (x, y)), strict=True):
        light = (2 * a.mean() * b.mean() + 1e-4) / (a.mean() ** 2 + b.mean() ** 2 + 1e-4)
        both = ((a - a.mean()) * (b - b.mean())).mean()
        wanted.append(light * (2 * both + 9e-4) / (a.var(correction=0) + b.var(correction=0) + 9e-4))
    assert ssim(x, y).mean().item() == pytest.approx(torch.stack(wanted).mean().item(), abs=1e-4)
    assert ssim(x, x).mean().item() == pytest.approx(1)


def test_pixels_count_more_where_two_faces_of_a_scene_differ():
    face = torch.full((2, 3, 32, 32), 0.5)
    other = face.clone()
    other[0, :, 20:28, 10:22] = 0.0
    weight = change_weights(face, other, 8.0)
    assert weight[0, 0, 24, 16] == pytest.approx(5) and weight[0, 0, 5, 5] == 1 and (weight[1] == 1).all()


def test_a_swap_is_compared_with_its_rest_donor_as_far_as_that_was_moved(monkeypatch):
    objective, _ = _objective()
    found = []
    for donor_too in (True, False):
        monkeypatch.setattr(
            decoder_losses,
            "augment_swap",
            lambda swapped, images, flip=donor_too: (swapped.flip(3), images.flip(3) if flip else images),
        )
        torch.manual_seed(0)
        found.append(objective(*_batch())[0])
    assert all(found[0][term] != found[1][term] for term in ("code_consistency", "cycle"))
    assert torch.allclose(found[0]["expression"], found[1]["expression"], rtol=1e-4)


def test_what_the_encoder_is_asked_about_can_be_brighter_but_not_of_another_hue():
    torch.manual_seed(0)
    swapped = torch.rand(4, 3, 32, 32, requires_grad=True)
    shown, moved = augment_swap(swapped, swapped.detach())
    assert torch.allclose(shown, moved, atol=1e-5) and not torch.allclose(shown, swapped, atol=0.1)
    shown[:, 2].sum().backward()  # ask for nothing but blue
    blue = swapped.grad / torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    assert blue.abs().sum() > 0 and torch.allclose(blue[:, 0], blue[:, 1], atol=1e-5)
    assert shown.shape == swapped.shape and shown.min() >= 0 and shown.max() <= 1


def test_terms_without_a_weight_are_not_computed():
    objective, adversaries = _objective(TrainConfig())
    assert set(objective(*_batch())[0]) == {"l1"}
    assert not list(adversaries.parameters())


def test_finished_parts_keep_their_statistics():
    objective, _ = _objective()
    before = {name: value.clone() for name, value in objective.model.state_dict().items()}
    objective(*_batch())
    moved = {
        name.split(".")[0] for name, value in objective.model.state_dict().items() if not value.equal(before[name])
    }
    assert moved == WITH_MAP


def test_every_number_of_every_code_is_heard():
    torch.manual_seed(0)
    model, _ = build(MODEL, {"expression": K})
    codes = model.eval().encode(torch.rand(2, 3, SIZE, SIZE))
    assert codes.named().keys() == {"expression", "rest", "map"} and codes.others["map"].shape == (2, 2 * 64)
    given = {name: code.detach().requires_grad_() for name, code in codes.named().items()}
    model.decode(type(codes).of(given)).square().sum().backward()
    assert all((code.grad != 0).all() for code in given.values())


def test_the_encoder_trains_without_drawing_and_the_map_waits():
    torch.manual_seed(0)
    model, _ = build(MODEL, {"expression": K})
    output = model.train()(torch.rand(4, 3, SIZE, SIZE))
    assert output.reconstruction is None and not output.codes.others
    assert model.eval()(torch.rand(4, 3, SIZE, SIZE)).reconstruction.shape == (4, 3, SIZE, SIZE)


def test_a_map_that_nothing_would_teach_is_refused():
    with pytest.raises(ConfigError, match="only a post-hoc film decoder"):
        replace(MODEL, decoder="detached")


def test_both_phases_have_a_whole_cycle():
    assert phase(0, 10, 0.0) == (False, pytest.approx(0.04))
    assert phase(5, 10, 0.6)[0] and not phase(6, 10, 0.6)[0]
    assert phase(6, 10, 0.6)[1] == pytest.approx(0.04) and phase(9, 10, 1.0)[0]


def test_donors_show_another_expression_and_stand_ins_the_same():
    torch.manual_seed(0)
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 2, 1])
    alone, own = torch.full((8,), -1), torch.arange(8)
    parts = assign_donors(labels, alone, 1.0, 1.0)
    assert (labels[parts.donors] != labels).all() and (parts.targets == own).all()
    assert (labels[parts.same_class_donors] == labels).all() and (parts.same_class_donors != own).all()
    assert (assign_donors(labels, alone, 1.0, 0.0).same_class_donors == own).all()


def test_targets_are_of_the_same_scene_with_another_expression():
    torch.manual_seed(0)
    labels, scene = torch.tensor([0, 1, 1, 0, 1, 2, 2, 2]), torch.tensor([3, 3, 3, 5, 5, 5, -1, 7])
    parts = assign_donors(labels, scene, 1.0, 0.0)
    assert (scene[parts.targets] == scene).all() and (parts.same_class_donors == parts.targets).all()
    assert (labels[parts.targets] != labels)[:6].all() and parts.targets[6:].tolist() == [6, 7]
    same_class_donors = assign_donors(labels, scene, 1.0, 1.0)
    assert (labels[same_class_donors.same_class_donors] == labels[same_class_donors.targets]).all()
    assert (same_class_donors.same_class_donors != same_class_donors.targets).all()
    assert (assign_donors(labels, scene, 0.0, 0.0).targets == torch.arange(8)).all()


@pytest.mark.parametrize("sight", ["periphery", "full"])
@pytest.mark.parametrize("side", [8, 16])
def test_a_map_of_either_side_reaches_the_picture(side, sight):
    torch.manual_seed(0)
    model, _ = build(
        replace(MODEL, spatial_rest_size=side, spatial_rest_context=sight, image_size=64), {"expression": K}
    )
    codes = model.eval().encode(torch.rand(2, 3, 64, 64))
    assert codes.others["map"].shape == (2, 2 * side**2) and model.decode(codes).shape == (2, 3, 64, 64)


def test_a_map_of_what_is_around_knows_no_more_of_the_middle_than_light_and_dark():
    torch.manual_seed(0)
    images = torch.rand(2, 3, 64, 64)
    middle, border = images.clone(), images.clone()
    middle[:, :, 32:48, 16:48] = images[:, :, 32:48, 16:48].unflatten(3, (2, 16)).flip(2, 4).flatten(3)  # in squares
    border[:, :, :8] = 0.2
    model, _ = build(replace(MODEL, image_size=64), {"expression": K})
    codes, other, else_ = (model.eval().encode(shown).others["map"] for shown in (images, middle, border))
    assert torch.allclose(codes, other, atol=1e-5) and not torch.allclose(codes, else_, atol=1e-2)
    model, _ = build(replace(MODEL, image_size=64, spatial_rest_context="full"), {"expression": K})
    assert not torch.allclose(*(model.eval().encode(shown).others["map"] for shown in (images, middle)))


def test_a_batch_has_few_people_with_all_their_expressions():
    labels, people = np.tile(np.arange(8), 20), np.repeat([f"p{n}" for n in range(10)], 16)
    order = grouped_order(labels, people, 0, 0)
    assert sorted(order) == list(range(160))
    for start in range(0, 160, 32):
        batch = order[start : start + 32]
        assert (np.bincount(labels[batch], minlength=8) == 4).all() and len(np.unique(people[batch])) <= 4


@pytest.mark.parametrize("world", [1, 2, 3])
def test_every_process_gets_two_faces_of_a_scene_together(world):
    labels, people = np.tile(np.arange(8), 40), np.repeat([f"p{n}" for n in range(40)], 8)
    order = grouped_order(labels, people, 0, 0, 2 * world)
    alone = [
        (np.unique(people[batch], return_counts=True)[1] == 1).sum()
        for rank in range(world)
        for batch in process_batches(order, 16, rank, world)
    ]
    assert np.mean(alone) <= (0 if world < 3 else 2)  # three do not divide eight: a row may end in the next batch


def test_strangers_come_with_equally_frequent_expressions():
    labels = np.repeat([0, 1], [30, 10])
    order = grouped_order(labels, np.full(40, ""), 0, 0)
    assert np.bincount(labels[order]).tolist() == [20, 20]


def _tiny_trunk(name, source):
    stages = [
        nn.Sequential(nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
        for a, b in ((3, 8), (8, 12), (12, 16))
    ]
    return Trunk(nn.Sequential(*stages), (0.5,) * 3, (0.5,) * 3, pretrained=False)


def _stop_after(monkeypatch, steps):
    class Counted(threading.Event):
        left = steps

        def is_set(self):
            self.left -= 1
            return self.left == 0

    @contextmanager
    def stopping():
        yield Counted()

    monkeypatch.setattr(trainer_module, "stop_between_steps", stopping)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(disentangler, "build_trunk", _tiny_trunk)


def _drawn(run):
    """The lines about learning to draw, without how fast it was."""
    lines = [json.loads(line) for line in (run / decoder_trainer.HISTORY).read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "images_per_second"} for line in lines]


def _job(cache, run, **keys):
    return Job(cache, run, replace(MODEL, unshared_stages=1), change(ALL, leace=True), **keys)


def test_a_rest_code_keeps_the_directions_that_it_was_told(pattern_cache, tmp_path, tiny):
    config = change(ALL, leace=True, lowres_retention_weight=1.0, rest_rank=2)
    train(replace(_job(pattern_cache, tmp_path / "run"), config=config))
    with FacesCache.open(pattern_cache) as cache:
        encoded = SwapGenerator(load_run(tmp_path / "run"), "cpu").encode(cache.faces(np.arange(30)))
    singular = np.linalg.svd(encoded.rest[:, :5] - encoded.rest[:, :5].mean(0), compute_uv=False)
    assert singular[1] > 1e-3 > singular[2]


def test_a_run_that_fails_after_the_erasure_is_not_erased_again(pattern_cache, tmp_path, tiny, monkeypatch):
    config = change(ALL, leace=True, lowres_retention_weight=1.0, rest_rank=2)
    job = replace(_job(pattern_cache, tmp_path / "run"), config=config)
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(decoder_trainer.DecoderTrainer, "save", lambda self: 1 / 0)
        train(job)
    erased = read_tensors(tmp_path / "run" / "model.safetensors")[0]
    train(replace(job, resume=True))
    finished = read_tensors(tmp_path / "run" / "model.safetensors")[0]
    branch = [name for name in erased if name.startswith("model.rest_branch")]
    assert branch and all(torch.equal(erased[name], finished[name]) for name in branch)


def test_faces_to_draw_from_must_show_the_same_expressions(pattern_cache, tmp_path, tiny):
    fewer = write_cache(tmp_path / "fewer.h5", classes=("neutral", "anger"))
    job = replace(_job(pattern_cache, tmp_path / "run"), config=change(ALL, decoder={"faces": str(fewer)}))
    with pytest.raises(ConfigError, match="shows neutral, anger"):
        train(job)


def test_a_run_draws_from_other_faces_than_its_codes_come_from(pattern_cache, tmp_path, tiny, monkeypatch):
    seen = []
    batches = decoder_trainer.DecoderTrainer.batches
    monkeypatch.setattr(
        decoder_trainer.DecoderTrainer,
        "batches",
        lambda self, epoch: seen.append(self.data.cache.path) or batches(self, epoch),
    )
    others = write_cache(tmp_path / "others.h5", people=8, version_of="ckplus", seed=4)
    train(
        replace(
            _job(pattern_cache, tmp_path / "run"),
            config=change(ALL, decoder={"faces": str(others), "paired_prob": 1.0}),
        )
    )
    assert set(seen) == {others}


def test_a_run_draws_and_its_codes_are_those_it_had_before(pattern_cache, tmp_path, tiny, monkeypatch):
    kept = {}
    monkeypatch.setattr(
        decoder_trainer.DecoderTrainer,
        "save",
        lambda self: kept.update({k: v.clone() for k, v in self.model.state_dict().items()}),
    )
    train(_job(pattern_cache, tmp_path / "run"))
    run = load_run(tmp_path / "run")
    moved = {name.split(".")[0] for name, value in run.model.state_dict().items() if not value.equal(kept[name])}
    assert moved == WITH_MAP
    with FacesCache.open(pattern_cache) as cache:
        encoded = SwapGenerator(run, "cpu").encode(cache.faces(np.arange(4)))
    assert encoded.rest.shape == (4, 5 + 2 * 64)
    np.testing.assert_array_equal(encoded.rest_code, encoded.rest[:, :5])
    assert not list(run.path.glob("*checkpoint*")) and not (run.path / decoder_trainer.CHECKPOINT).exists()


# Inside the encoder's epoch, at its end, inside the first of drawing, at its end, inside the second.
@pytest.mark.parametrize("steps", [1, 3, 5, 6, 8])
def test_a_stopped_run_goes_on_where_it_stopped_bit_for_bit(pattern_cache, tmp_path, tiny, monkeypatch, steps):
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "whole"))
    _stop_after(monkeypatch, steps)
    with pytest.raises(KeyboardInterrupt):
        train(_job(pattern_cache, tmp_path / "broken"))
    if steps > 3:  # the encoder is finished, the decoder is not: it would draw noise
        with pytest.raises(RunError, match="not learned to draw"):
            SwapGenerator(load_run(tmp_path / "broken"), "cpu")
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "broken", resume=True))
    whole, broken = (read_tensors(tmp_path / name / "model.safetensors")[0] for name in ("whole", "broken"))
    assert whole.keys() == broken.keys()
    assert [name for name in whole if not torch.equal(whole[name], broken[name])] == []
    assert _drawn(tmp_path / "whole") == _drawn(tmp_path / "broken")


def test_a_line_of_the_history_is_the_mean_over_all_processes(pattern_cache, tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(
        decoder_trainer.Fabric, "all_reduce", lambda self, sums, reduce_op: torch.arange(len(sums)) + 1.0
    )
    train(_job(pattern_cache, tmp_path / "run"))
    assert _drawn(tmp_path / "run")[0] == {"epoch": 0} | {n: (i + 1) / 10 for i, n in enumerate(TERMS)}


def test_the_scale_of_16_bit_gradients_is_kept_while_it_learns_to_draw(pattern_cache, tmp_path, tiny, monkeypatch):
    loaded = []
    monkeypatch.setattr(Precision, "state_dict", lambda self: {"scale": 8.0})  # a processor has none of its own
    monkeypatch.setattr(Precision, "load_state_dict", lambda self, state: loaded.append(state))
    _stop_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        train(_job(pattern_cache, tmp_path / "run"))
    monkeypatch.setattr(trainer_module.Trainer, "_restore", lambda self: vars(self.state).update(epoch=1))
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "run", resume=True))
    assert loaded == [{"scale": 8.0}]


def test_two_processes_learn_to_draw_with_a_critic_that_is_silent_in_the_warm_up(pattern_cache, tmp_path):
    few = {"map_confusion_weight": 1.0, "gan_weight": 1.0, "warmup_fraction": 0.5, "epochs": 2, "batch_size": 9}
    config = change(TrainConfig(), epochs=1, batch_size=9, device="cpu", devices=2, decoder=few)
    train(Job(pattern_cache, tmp_path / "run", MODEL, config))  # other processes see no tiny trunk
    assert [line["gan"] != 0 for line in _drawn(tmp_path / "run")] == [False, True]
