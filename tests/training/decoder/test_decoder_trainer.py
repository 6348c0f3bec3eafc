"""Training of a post-hoc decoder: the codes stay the same, and a resumed run is bit-exact."""

import json
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import Precision
from torch import nn

from facedis.config import ModelConfig, TrainConfig
from facedis.errors import ConfigError, RunError
from facedis.faces.cache.cache import FacesCache
from facedis.model.network import disentangler
from facedis.model.network.trunk import Trunk
from facedis.model.storage.checkpoint import load_run, read_tensors
from facedis.tasks.swapping.generator import SwapGenerator
from facedis.training import trainer as trainer_module
from facedis.training.decoder.decoder_losses import TERMS
from facedis.training.decoder.decoder_trainer import CHECKPOINT, HISTORY, DecoderTrainer
from facedis.training.setup import Job
from facedis.training.trainer import Trainer, train
from tests.conftest import change, write_cache

MODEL = ModelConfig(
    trunk="resnet18_half", weights="none", image_size=32, branch="light", branch_widths=(8, 8, 8), expression_dim=6,
    rest_dim=5, unshared_stages=2, code_norm="batch", decoder="post-hoc", decoder_kind="film", decoder_width=32,
    spatial_rest_channels=2,
)  # fmt: skip
ALL = change(
    TrainConfig(),
    decoder={f"{name}_weight": 1.0 for name in TERMS} | {"epochs": 2, "batch_size": 12},
    epochs=1,
    batch_size=12,
    device="cpu",
)
TRAINED = {"decoder", "spatial_rest"}


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


def _history(run):
    """The history of the decoder, without the speed."""
    lines = [json.loads(line) for line in (run / HISTORY).read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "images_per_second"} for line in lines]


def _job(cache, run, **keys):
    return Job(cache, run, replace(MODEL, unshared_stages=1), change(ALL, leace=True), **keys)


def test_the_erasure_keeps_a_rest_code_of_the_given_rank(pattern_cache, tmp_path, tiny):
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
        patched.setattr(DecoderTrainer, "save", lambda self: 1 / 0)
        train(job)
    erased = read_tensors(tmp_path / "run" / "model.safetensors")[0]
    train(replace(job, resume=True))
    finished = read_tensors(tmp_path / "run" / "model.safetensors")[0]
    branch = [name for name in erased if name.startswith("model.rest_branch")]
    assert branch and all(torch.equal(erased[name], finished[name]) for name in branch)


def test_the_faces_of_the_decoder_must_have_the_same_expressions(pattern_cache, tmp_path, tiny):
    fewer = write_cache(tmp_path / "fewer.h5", classes=("neutral", "anger"))
    job = replace(_job(pattern_cache, tmp_path / "run"), config=change(ALL, decoder={"faces": str(fewer)}))
    with pytest.raises(ConfigError, match="have the expressions neutral, anger"):
        train(job)


def test_a_decoder_can_be_trained_on_other_faces_than_the_encoder(pattern_cache, tmp_path, tiny, monkeypatch):
    seen = []
    batches = DecoderTrainer.batches
    monkeypatch.setattr(
        DecoderTrainer,
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


def test_the_training_of_the_decoder_leaves_the_codes_unchanged(pattern_cache, tmp_path, tiny, monkeypatch):
    kept = {}
    monkeypatch.setattr(
        DecoderTrainer,
        "save",
        lambda self: kept or kept.update({k: v.clone() for k, v in self.model.state_dict().items()}),
    )
    train(_job(pattern_cache, tmp_path / "run"))
    run = load_run(tmp_path / "run")
    moved = {name.split(".")[0] for name, value in run.model.state_dict().items() if not value.equal(kept[name])}
    assert moved == TRAINED
    with FacesCache.open(pattern_cache) as cache:
        encoded = SwapGenerator(run, "cpu").encode(cache.faces(np.arange(4)))
    assert encoded.rest.shape == (4, 5 + 2 * 64)
    np.testing.assert_array_equal(encoded.rest_code, encoded.rest[:, :5])
    assert not list(run.path.glob("*checkpoint*")) and not (run.path / CHECKPOINT).exists()


@pytest.mark.parametrize("steps", [1, 3, 5, 6, 8])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(pattern_cache, tmp_path, tiny, monkeypatch, steps):
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "whole"))
    _stop_after(monkeypatch, steps)
    with pytest.raises(KeyboardInterrupt):
        train(_job(pattern_cache, tmp_path / "broken"))
    if steps > 3:  # the encoder is finished, the decoder is not
        with pytest.raises(RunError, match="not fully trained"):
            SwapGenerator(load_run(tmp_path / "broken"), "cpu")
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "broken", resume=True))
    whole, broken = (read_tensors(tmp_path / name / "model.safetensors")[0] for name in ("whole", "broken"))
    assert whole.keys() == broken.keys()
    assert [name for name in whole if not torch.equal(whole[name], broken[name])] == []
    assert _history(tmp_path / "whole") == _history(tmp_path / "broken")


def test_a_line_of_the_history_is_the_mean_over_all_processes(pattern_cache, tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(Fabric, "all_reduce", lambda self, sums, reduce_op: torch.arange(len(sums)) + 1.0)
    train(_job(pattern_cache, tmp_path / "run"))
    assert _history(tmp_path / "run")[0] == {"epoch": 0} | {n: (i + 1) / 10 for i, n in enumerate(TERMS)}


def test_the_scale_of_16_bit_gradients_is_restored_in_the_training_of_the_decoder(
    pattern_cache, tmp_path, tiny, monkeypatch
):
    loaded = []
    monkeypatch.setattr(Precision, "state_dict", lambda self: {"scale": 8.0})  # a processor has none of its own
    monkeypatch.setattr(Precision, "load_state_dict", lambda self, state: loaded.append(state))
    _stop_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        train(_job(pattern_cache, tmp_path / "run"))
    monkeypatch.setattr(Trainer, "restore", lambda self: vars(self.state).update(epoch=1))
    _stop_after(monkeypatch, 0)
    train(_job(pattern_cache, tmp_path / "run", resume=True))
    assert loaded == [{"scale": 8.0}]


def test_two_processes_train_a_decoder_with_a_discriminator_without_input_in_the_warm_up(pattern_cache, tmp_path):
    few = {"map_confusion_weight": 1.0, "gan_weight": 1.0, "warmup_fraction": 0.5, "epochs": 2, "batch_size": 9}
    config = change(TrainConfig(), epochs=1, batch_size=9, device="cpu", devices=2, decoder=few)
    train(Job(pattern_cache, tmp_path / "run", MODEL, config))  # other processes see no tiny trunk
    assert [line["gan"] != 0 for line in _history(tmp_path / "run")] == [False, True]
