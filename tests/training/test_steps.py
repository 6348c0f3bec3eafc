"""Gradient routing: which loss trains which part, and that the two steps are independent."""

import pytest
import torch
from lightning_fabric import Fabric

from facedis.config import ModelConfig, TrainConfig
from facedis.model.losses import objective as losses
from facedis.model.network.disentangler import build
from facedis.training.encoder_objective import Batch, ClassWeights, EncoderObjective
from facedis.training.optimizers import OptimizedModule, adversary_optimizers, encoder_optimizers
from facedis.training.steps import adversary_step, train_step
from tests.conftest import change

K, SIZE = 3, 32
PARTS = ("trunk", "expression_branch", "expression_head", "rest_branch", "adversary", "decoder")
# Parts with a gradient from each loss (docs/method.md).
ROUTES = {
    "expression": {"trunk", "expression_branch", "expression_head"},
    "adversary": {"adversary"},
    "confusion": {"trunk", "rest_branch"},
    "reconstruction": {"trunk", "expression_branch", "rest_branch", "decoder"},
}


def _network(**changes):
    torch.manual_seed(0)
    settings = dict(
        trunk="resnet18", weights="none", image_size=SIZE, branch_widths=(8, 8, 8), expression_dim=6, rest_dim=5,
        decoder="joint", decoder_width=32,
    )  # fmt: skip
    config = ModelConfig(**settings | changes)
    model, adversary = build(config, {factor: K for factor in config.factor_branches})
    return model.train(), adversary


def _batch(n=4, factors=()):
    generator = torch.Generator().manual_seed(1)
    known = {name: torch.arange(n).flip(0) % K for name in factors}
    return Batch(torch.rand(n, 3, SIZE, SIZE, generator=generator), torch.arange(n) % K, known)


def _with_gradient(model, adversary):
    """Names of the parts with at least one non-zero gradient."""
    modules = {name: getattr(model, name) for name in PARTS if name != "adversary"} | {"adversary": adversary}
    return {
        name
        for name, module in modules.items()
        if module is not None and any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())
    }


@pytest.mark.parametrize("loss", ["expression", "confusion", "reconstruction"])
def test_each_loss_of_the_encoder_trains_its_parts_only(loss):
    model, adversary = _network()
    batch = _batch()
    result = EncoderObjective(model, adversary, TrainConfig(beta1=1.0), ClassWeights())(model(batch.images), batch)
    getattr(result, loss).backward()
    assert _with_gradient(model, adversary) == ROUTES[loss]


def test_the_adversary_loss_trains_the_adversary_only():
    model, adversary = _network()
    batch = _batch()
    optimized = OptimizedModule(adversary, adversary, adversary_optimizers(adversary, TrainConfig()))
    adversary_step(Fabric(accelerator="cpu"), optimized, model(batch.images).codes, batch, None)
    assert _with_gradient(model, adversary) == ROUTES["adversary"]


def test_the_loss_of_a_detached_decoder_trains_the_decoder_only():
    model, adversary = _network(decoder="detached")
    batch = _batch()
    output = model(batch.images)
    losses.reconstruction_loss(batch.images, output.reconstruction).backward()
    assert _with_gradient(model, adversary) == {"decoder"}


def _optimized(model, adversary, config):
    encoder = OptimizedModule(model, model, encoder_optimizers(model, config))
    return encoder, OptimizedModule(adversary, adversary, adversary_optimizers(adversary, config))


def _copies(module):
    return {name: value.clone() for name, value in module.named_parameters()}


def _changed(before, module):
    return any(not torch.equal(before[name], value) for name, value in module.named_parameters())


def test_the_adversary_step_changes_no_other_parameter():
    model, adversary = _network()
    batch = _batch()
    _encoder, optimized = _optimized(model, adversary, TrainConfig())
    before, before_adversary = _copies(model), _copies(adversary)
    adversary_step(Fabric(accelerator="cpu"), optimized, model(batch.images).codes, batch, None)
    assert not _changed(before, model)
    assert _changed(before_adversary, adversary)


def test_the_encoder_step_does_not_change_the_adversary():
    model, adversary = _network()
    batch = _batch()
    encoder, _ = _optimized(model, adversary, TrainConfig())
    before, before_model = _copies(adversary), _copies(model)
    total = EncoderObjective(model, adversary, TrainConfig(), ClassWeights())(model(batch.images), batch).total
    encoder.update(Fabric(accelerator="cpu"), total)
    assert not _changed(before, adversary)
    assert _changed(before_model, model)


def test_the_encoder_is_trained_against_the_updated_adversary():
    config = change(TrainConfig(), beta2=0.0, lr_adversary=1.0)
    model, adversary = _network(decoder="none")
    batch = _batch()
    encoder, optimized = _optimized(model, adversary, config)
    rest = model(batch.images).codes.rest.detach()
    stale = losses.confusion_loss(adversary.expression_in_rest(rest))
    terms, _ = train_step(Fabric(accelerator="cpu"), encoder, optimized, batch, config, ClassWeights())
    fresh = losses.confusion_loss(adversary.expression_in_rest(rest))
    assert terms.confusion.item() == pytest.approx(fresh.item(), rel=1e-3)
    assert terms.confusion.item() != pytest.approx(stale.item(), rel=1e-3)


def test_the_total_is_the_weighted_sum_of_eq_3():
    model, adversary = _network()
    batch = _batch()
    config = TrainConfig(beta1=0.5, beta2=2.0, beta3=3.0)
    terms = EncoderObjective(model, adversary, config, ClassWeights())(model(batch.images), batch)
    by_hand = 0.5 * terms.reconstruction + 2 * terms.expression + 3 * terms.confusion
    torch.testing.assert_close(terms.total, by_hand)


@pytest.mark.parametrize(("decoder", "trained"), [("joint", False), ("detached", True), ("rest-only", True)])
def test_with_beta1_0_only_decoders_without_gradient_to_the_expression_code_are_trained(decoder, trained):
    model, adversary = _network(decoder=decoder)
    batch = _batch()
    terms = EncoderObjective(model, adversary, TrainConfig(), ClassWeights())(model(batch.images), batch)
    terms.total.backward()
    assert ("decoder" in _with_gradient(model, adversary)) == trained
    assert (terms.total == terms.expression + terms.confusion) == (not trained)


@pytest.mark.parametrize(("finetune", "trained"), [("all", True), ("last", True), ("none", False)])
def test_finetune_selects_the_trained_stages_of_the_trunk(finetune, trained):
    model, _adversary = _network(decoder="none")
    encoder_optimizers(model, TrainConfig(finetune=finetune))
    trainable = [p.requires_grad for p in model.trunk.parameters()]
    assert any(trainable) == trained
    assert all(trainable) == (finetune == "all")
    assert all(p.requires_grad for p in model.trunk.last_stage.parameters()) == trained


def test_a_pretrained_trunk_has_a_tenth_of_the_learning_rate_by_default():
    model, _ = _network(decoder="none")
    model.trunk.pretrained = True
    (optimizer,) = encoder_optimizers(model, TrainConfig(lr=1e-3))
    assert [group["lr"] for group in optimizer.param_groups] == [1e-3, 1e-4]


def test_every_encoder_parameter_is_in_exactly_one_optimiser():
    for decoder in ("none", "joint", "detached"):
        model, _ = _network(decoder=decoder)
        seen = [
            id(p) for opt in encoder_optimizers(model, TrainConfig()) for g in opt.param_groups for p in g["params"]
        ]
        assert sorted(seen) == sorted(id(p) for p in model.parameters())


def test_each_branch_predicts_its_own_factor_and_confuses_the_adversaries_of_the_others():
    model, adversary = _network(factors=("identity", "yaw"), decoder="none")
    batch = _batch(factors=("identity", "yaw"))
    result = EncoderObjective(model, adversary, TrainConfig(), ClassWeights())(model(batch.images), batch)
    result.factors.backward(retain_graph=True)
    assert _with_gradient(model, adversary) == {"trunk", "rest_branch"}
    assert all(p.grad is not None for p in model.other_branches["yaw"].parameters())
    model.zero_grad()
    result.confusion.backward()
    assert _with_gradient(model, adversary) == {"trunk", "rest_branch", "expression_branch"}


def test_a_rest_only_decoder_trains_the_rest_branch_and_itself_only():
    model, adversary = _network(decoder="rest-only")
    batch = _batch()
    losses.reconstruction_loss(batch.images, model(batch.images).reconstruction).backward()
    assert _with_gradient(model, adversary) == {"rest_branch", "decoder"}


def test_rest_grad_scale_0_keeps_the_confusion_loss_out_of_the_shared_trunk():
    model, adversary = _network(decoder="none")
    model.rest_grad_scale = 0.0
    batch = _batch()
    EncoderObjective(model, adversary, TrainConfig(), ClassWeights())(model(batch.images), batch).confusion.backward()
    assert _with_gradient(model, adversary) == {"rest_branch"}


@pytest.mark.parametrize("confusion", ["uniform", "prior", "reversal", "entropy", "hsic"])
def test_every_confusion_loss_trains_the_rest_branch_and_not_the_adversary(confusion):
    model, adversary = _network(decoder="none")
    batch, config = _batch(9), change(TrainConfig(), confusion=confusion)
    EncoderObjective(model, adversary, config, ClassWeights())(model(batch.images), batch).confusion.backward()
    assert _with_gradient(model, adversary) == {"trunk", "rest_branch"}


def test_faces_without_a_known_factor_have_no_factor_loss():
    model, adversary = _network(factors=("identity",), decoder="none")
    batch = _batch()
    batch = Batch(batch.images, batch.labels, {"identity": torch.full_like(batch.labels, -1)})
    EncoderObjective(model, adversary, TrainConfig(), ClassWeights())(model(batch.images), batch).factors.backward()
    assert _with_gradient(model, adversary) == set()
