"""Whole runs on a small cache: training, bit-exact resuming, two processes."""

import json
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from torch import nn

from facedis.config import ModelConfig, TrainConfig
from facedis.errors import CacheError, OutputError, RunError
from facedis.faces.cache.cache import FacesCache
from facedis.model.network import disentangler
from facedis.model.network.trunk import Trunk
from facedis.model.preprocessing import to_images
from facedis.model.storage.checkpoint import CHECKPOINT, load_run, read_tensors
from facedis.training import trainer as trainer_module
from facedis.training.run_folder import read_history
from facedis.training.setup import Job
from facedis.training.trainer import train
from tests.conftest import change, write_cache

MODEL = ModelConfig(
    trunk="mobilenet_v3_large",
    weights="none",
    image_size=32,
    branch="light",
    branch_widths=(16, 16, 16),
    expression_dim=8,
    rest_dim=8,
    decoder="detached",
    decoder_width=32,
)
CONFIG = change(TrainConfig(), epochs=2, batch_size=12, lr=1e-3, device="cpu", checkpoint_minutes=60)


def _job(cache, run, **changes):
    values = {name: changes.pop(name) for name in list(changes) if name in Job.__dataclass_fields__}
    return Job(cache, run, values.pop("model", MODEL), change(CONFIG, **changes), **values)


def _tiny_trunk(name, source):
    first = nn.Conv2d(3, 12, 3, stride=4, padding=1, bias=False)
    body = nn.Sequential(first, nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 16, 3, stride=4))
    return Trunk(body, (0.5,) * 3, (0.5,) * 3, pretrained=False)


@pytest.fixture(autouse=True)
def tiny(request, monkeypatch):
    """A trunk of a thousand weights. Other processes do not have it."""
    if "two_processes" not in request.node.name:
        monkeypatch.setattr(disentangler, "build_trunk", _tiny_trunk)


class StopAfter:
    """An event that is set after a number of checks: a Ctrl-C at a chosen step."""

    def __init__(self, steps):
        self.left = steps

    def is_set(self):
        self.left -= 1
        return self.left <= 0


def _stop_after(monkeypatch, steps):
    @contextmanager
    def stopping():
        yield StopAfter(steps) if steps else threading.Event()

    monkeypatch.setattr(trainer_module, "stop_between_steps", stopping)


def test_with_rest_grad_scale_0_the_expression_branch_equals_that_of_a_baseline_bit_for_bit(pattern_cache, tmp_path):
    common = {"rest_grad_scale": 0.0, "optimizer": "adamw", "expression_noise_std": 0.1, "checkpoint_selection": "last"}
    played = replace(MODEL, decoder="none", unshared_stages=1, adversary_ensemble=("linear", "mlp"))
    alone = replace(MODEL, decoder="none", baseline=True)
    train(
        _job(pattern_cache, tmp_path / "played", model=played, lowres_retention_weight=1.0, adversary_steps=2, **common)
    )
    train(_job(pattern_cache, tmp_path / "alone", model=alone, **common))
    both, baseline = (read_tensors(tmp_path / name / "model.safetensors")[0] for name in ("played", "alone"))
    assert len(both) > len(baseline) > 10
    assert all(torch.equal(both[name], baseline[name]) for name in baseline)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("steps", [2, 3, 4])  # inside an epoch, at its end, in the next
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(pattern_cache, tmp_path, monkeypatch, steps, optimizer):
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "whole", optimizer=optimizer))
    _stop_after(monkeypatch, steps)
    with pytest.raises(KeyboardInterrupt):
        train(_job(pattern_cache, tmp_path / "broken", optimizer=optimizer))
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "broken", optimizer=optimizer, resume=True))
    whole, broken = (read_tensors(tmp_path / name / "model.safetensors")[0] for name in ("whole", "broken"))
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    lines = [[line["train"] for line in read_history(tmp_path / name)] for name in ("whole", "broken")]
    assert lines[0] == lines[1]


def test_a_run_learns_and_its_model_can_be_loaded(pattern_cache, tmp_path):
    place = train(_job(pattern_cache, tmp_path / "run", epochs=12, lr=3e-3))
    run = load_run(tmp_path / "run")
    history = read_history(run.path)
    assert history[-1]["train"]["expression_loss"] < 0.5 * history[0]["train"]["expression_loss"]
    assert history[place.kept_epoch]["val"]["expression_accuracy"] > 0.6
    assert run.classes == ("neutral", "happiness", "anger")
    assert run.config == MODEL
    assert not run.model.training
    assert not (run.path / CHECKPOINT).exists(), "a finished run has no checkpoint"
    assert (tmp_path / "latest").resolve() == run.path.resolve()


def test_runs_of_one_seed_are_equal_and_of_two_seeds_different(pattern_cache, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(_job(pattern_cache, tmp_path / name, epochs=1, seed=seed))
    a, b, c = (read_tensors(tmp_path / name / "model.safetensors")[0] for name in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def test_two_processes_train_one_model(pattern_cache, tmp_path):
    train(_job(pattern_cache, tmp_path / "run", devices=2, epochs=1, batch_size=6))
    history = read_history(tmp_path / "run")
    assert len(history) == 1 and history[0]["steps"] == 3
    load_run(tmp_path / "run")


def test_a_frozen_trunk_does_not_change_and_causes_a_warning(pattern_cache, tmp_path):
    events = []
    train(_job(pattern_cache, tmp_path / "run", epochs=1, finetune="none", trunk_bn="eval", handler=events.append))
    torch.manual_seed(CONFIG.seed)
    fresh, _ = disentangler.build(MODEL, {"expression": 3})
    trained = load_run(tmp_path / "run").model
    assert all(torch.equal(a, b) for a, b in zip(fresh.trunk.parameters(), trained.trunk.parameters(), strict=True))
    assert any("frozen" in event.text for event in events if event.kind == "warning")


def test_a_joint_decoder_with_beta1_0_causes_a_warning(pattern_cache, tmp_path):
    events = []
    train(_job(pattern_cache, tmp_path / "run", epochs=1, model=replace(MODEL, decoder="joint"), handler=events.append))
    assert any("joint decoder is not trained" in event.text for event in events if event.kind == "warning")


def test_bf16_runs_on_the_cpu(pattern_cache, tmp_path):
    train(_job(pattern_cache, tmp_path / "run", epochs=1, precision="bf16"))
    assert read_history(tmp_path / "run")[0]["train"]["total_loss"] > 0


def test_an_existing_run_is_not_overwritten(pattern_cache, tmp_path):
    train(_job(pattern_cache, tmp_path / "run", epochs=1))
    with pytest.raises(OutputError, match="--resume"):
        train(_job(pattern_cache, tmp_path / "run", epochs=1))
    with pytest.raises(RunError, match="is finished"):
        train(_job(pattern_cache, tmp_path / "run", epochs=1, resume=True))


def test_faces_of_one_expression_cannot_be_trained_on(tmp_path):
    cache = write_cache(tmp_path / "one.h5", classes=("anger",))
    with pytest.raises(CacheError, match="only 'anger'"):
        train(_job(cache, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_run_json_has_the_settings_and_versions(pattern_cache, tmp_path):
    train(_job(pattern_cache, tmp_path / "run", epochs=1))
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert info["train"]["beta1"] == 0 and info["train"]["beta2"] == info["train"]["beta3"] == 1
    assert info["faces"]["fingerprint"].startswith("patterns")
    assert {"torch", "numpy", "python"} <= info["versions"].keys()


def test_an_erased_rest_code_has_equal_class_means_in_the_train_split(pattern_cache, tmp_path):
    for name, erase in (("kept", False), ("erased", True)):
        train(_job(pattern_cache, tmp_path / name, epochs=1, beta3=0.0, leace=erase))
    gaps = {}
    with FacesCache.open(pattern_cache) as cache:
        rows = cache.rows("train")
        images = to_images(torch.from_numpy(cache.faces(rows)), MODEL.image_size)
        labels = torch.from_numpy(cache.labels[rows].astype("int64"))
        for name in ("kept", "erased"):
            with torch.no_grad():
                rest = load_run(tmp_path / name).model(images).codes.rest
            means = torch.stack([rest[labels == label].mean(0) for label in labels.unique()])
            gaps[name] = (means - means.mean(0)).norm() / (rest - rest.mean(0)).norm(dim=1).mean()
    assert gaps["kept"] > 0.05 > 1e-3 > gaps["erased"]


@pytest.mark.parametrize(
    "extensions",
    [
        {"ema_decay": 0.9},
        {"mixup_alpha": 0.4},
        {"sam_rho": 0.05, "optimizer": "adamw"},
        {"teachers": ("teacher",), "distillation_weight": 0.5},
    ],
)
def test_recipes_with_their_own_state_resume_bit_for_bit(pattern_cache, tmp_path, monkeypatch, extensions):
    monkeypatch.chdir(tmp_path)
    train(_job(pattern_cache, tmp_path / "teacher", seed=7))
    train(_job(pattern_cache, tmp_path / "plain"))
    train(_job(pattern_cache, tmp_path / "whole", **extensions))
    _stop_after(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        train(_job(pattern_cache, tmp_path / "broken", **extensions))
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "broken", resume=True, **extensions))
    plain, whole, broken = (
        read_tensors(tmp_path / name / "model.safetensors")[0] for name in ("plain", "whole", "broken")
    )
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    assert any(not torch.equal(whole[name], plain[name]) for name in whole)


def test_a_teacher_that_is_no_run_is_rejected_before_anything_is_written(pattern_cache, tmp_path):
    with pytest.raises(RunError, match="no run folder"):
        train(_job(pattern_cache, tmp_path / "run", teachers=(str(tmp_path / "nobody"),)))
    assert not (tmp_path / "run").exists()


def test_further_factors_and_extensions_resume_bit_for_bit(pattern_cache, tmp_path, monkeypatch):
    model = replace(
        MODEL, factors=("identity",), adversary_ensemble=("linear", "mlp"), code_norm="batch", unshared_stages=1
    )
    extensions = dict(
        model=model,
        adversary_reset_every=1,
        feature_retention_weight=1.0,
        lowres_retention_weight=0.5,
        variance_weight=0.5,
        covariance_weight=0.1,
        beta3_ramp=0.5,
        expression_noise_std=0.1,
    )
    train(_job(pattern_cache, tmp_path / "whole", **extensions))
    _stop_after(monkeypatch, 4)
    with pytest.raises(KeyboardInterrupt):
        train(_job(pattern_cache, tmp_path / "broken", **extensions))
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "broken", resume=True, **extensions))
    whole, broken = (read_tensors(tmp_path / name / "model.safetensors")[0] for name in ("whole", "broken"))
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    assert load_run(tmp_path / "whole").info["factors"]["identity"]["size"] > 1
