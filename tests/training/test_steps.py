"""Gradient routing: which loss moves which part, and that the two sides never touch each other."""

import pytest
import torch
from lightning_fabric import Fabric

from facedis.config import ModelConfig, TrainConfig
from facedis.model.losses import objective as losses
from facedis.model.network.disentangler import build
from facedis.training.steps import (
    Batch,
    ClassWeights,
    OptimizedModule,
    adversary_optimizers,
    adversary_step,
    encoder_loss,
    encoder_optimizers,
    train_step,
)
from tests.conftest import change

K, SIZE = 3, 32
PARTS = ("trunk", "expression_branch", "expression_head", "rest_branch", "adversary", "decoder")
# docs/method.md: what gets a gradient from which loss.
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


def _touched(model, adversary):
    """Parts of which at least one parameter has a gradient that is not zero."""
    modules = {name: getattr(model, name) for name in PARTS if name != "adversary"} | {"adversary": adversary}
    return {
        name
        for name, module in modules.items()
        if module is not None and any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())
    }


@pytest.mark.parametrize("loss", ["expression", "confusion", "reconstruction"])
def test_encoder_losses_reach_their_parts_and_no_other(loss):
    model, adversary = _network()
    batch = _batch()
    result = encoder_loss(model, model(batch.images), batch, adversary, TrainConfig(beta1=1.0), ClassWeights())
    getattr(result, loss).backward()
    assert _touched(model, adversary) == ROUTES[loss]


def test_the_adversary_loss_reaches_the_adversary_alone():
    model, adversary = _network()
    batch = _batch()
    side = OptimizedModule(adversary, adversary, adversary_optimizers(adversary, TrainConfig()))
    adversary_step(Fabric(accelerator="cpu"), side, model(batch.images).codes, batch, None)
    assert _touched(model, adversary) == ROUTES["adversary"]


def test_a_detached_decoder_learns_and_moves_nothing_else():
    model, adversary = _network(decoder="detached")
    batch = _batch()
    output = model(batch.images)
    losses.reconstruction_loss(batch.images, output.reconstruction).backward()
    assert _touched(model, adversary) == {"decoder"}


def _sides(model, adversary, config):
    encoder = OptimizedModule(model, model, encoder_optimizers(model, config))
    return encoder, OptimizedModule(adversary, adversary, adversary_optimizers(adversary, config))


def _copies(module):
    return {name: value.clone() for name, value in module.named_parameters()}


def _changed(before, module):
    return any(not torch.equal(before[name], value) for name, value in module.named_parameters())


def test_the_adversarys_step_leaves_every_other_parameter_bit_equal():
    model, adversary = _network()
    batch = _batch()
    _encoder, opponent = _sides(model, adversary, TrainConfig())
    before, before_adversary = _copies(model), _copies(adversary)
    adversary_step(Fabric(accelerator="cpu"), opponent, model(batch.images).codes, batch, None)
    assert not _changed(before, model)
    assert _changed(before_adversary, adversary)


def test_the_encoders_step_leaves_the_adversary_bit_equal():
    model, adversary = _network()
    batch = _batch()
    encoder, _ = _sides(model, adversary, TrainConfig())
    before, before_model = _copies(adversary), _copies(model)
    total = encoder_loss(model, model(batch.images), batch, adversary, TrainConfig(), ClassWeights()).total
    encoder.update(Fabric(accelerator="cpu"), total)
    assert not _changed(before, adversary)
    assert _changed(before_model, model)


def test_the_encoder_is_judged_by_the_updated_adversary():
    config = change(TrainConfig(), beta2=0.0, lr_adversary=1.0)
    model, adversary = _network(decoder="none")
    batch = _batch()
    encoder, opponent = _sides(model, adversary, config)
    rest = model(batch.images).codes.rest.detach()
    stale = losses.confusion_loss(adversary.expression_in_rest(rest))
    terms, _ = train_step(Fabric(accelerator="cpu"), encoder, opponent, batch, config, ClassWeights())
    fresh = losses.confusion_loss(adversary.expression_in_rest(rest))
    assert terms.confusion.item() == pytest.approx(fresh.item(), rel=1e-3)
    assert terms.confusion.item() != pytest.approx(stale.item(), rel=1e-3)


def test_beta1_0_with_a_joint_loss_is_the_weighted_sum_of_eq_3():
    model, adversary = _network()
    batch = _batch()
    config = TrainConfig(beta1=0.5, beta2=2.0, beta3=3.0)
    terms = encoder_loss(model, model(batch.images), batch, adversary, config, ClassWeights())
    by_hand = 0.5 * terms.reconstruction + 2 * terms.expression + 3 * terms.confusion
    torch.testing.assert_close(terms.total, by_hand)


@pytest.mark.parametrize(("decoder", "learns"), [("joint", False), ("detached", True), ("rest-only", True)])
def test_without_beta1_only_a_decoder_that_no_expression_code_hears_learns(decoder, learns):
    model, adversary = _network(decoder=decoder)
    batch = _batch()
    terms = encoder_loss(model, model(batch.images), batch, adversary, TrainConfig(), ClassWeights())
    terms.total.backward()
    assert ("decoder" in _touched(model, adversary)) == learns
    assert (terms.total == terms.expression + terms.confusion) == (not learns)


@pytest.mark.parametrize(("finetune", "moving"), [("all", True), ("last", True), ("none", False)])
def test_train_trunk_says_what_of_the_trunk_moves(finetune, moving):
    model, _adversary = _network(decoder="none")
    encoder_optimizers(model, TrainConfig(finetune=finetune))
    trainable = [p.requires_grad for p in model.trunk.parameters()]
    assert any(trainable) == moving
    assert all(trainable) == (finetune == "all")
    assert all(p.requires_grad for p in model.trunk.last_stage.parameters()) == moving


def test_a_pretrained_trunk_learns_ten_times_slower_unless_told_otherwise():
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


def test_with_further_factors_each_branch_is_taught_its_own_and_cleaned_of_the_others():
    model, adversary = _network(factors=("identity", "yaw"), decoder="none")
    batch = _batch(factors=("identity", "yaw"))
    result = encoder_loss(model, model(batch.images), batch, adversary, TrainConfig(), ClassWeights())
    result.factors.backward(retain_graph=True)
    assert _touched(model, adversary) == {"trunk", "rest_branch"}
    assert all(p.grad is not None for p in model.other_branches["yaw"].parameters())
    model.zero_grad()
    result.confusion.backward()
    assert _touched(model, adversary) == {"trunk", "rest_branch", "expression_branch"}


def test_a_decoder_for_the_rest_branch_leaves_trunk_and_expression_alone():
    model, adversary = _network(decoder="rest-only")
    batch = _batch()
    losses.reconstruction_loss(batch.images, model(batch.images).reconstruction).backward()
    assert _touched(model, adversary) == {"rest_branch", "decoder"}


def test_rest_gradient_0_keeps_the_game_out_of_the_shared_trunk():
    model, adversary = _network(decoder="none")
    model.rest_gradient = 0.0
    batch = _batch()
    encoder_loss(model, model(batch.images), batch, adversary, TrainConfig(), ClassWeights()).confusion.backward()
    assert _touched(model, adversary) == {"rest_branch"}


@pytest.mark.parametrize("confusion", ["uniform", "prior", "reversal", "entropy", "hsic"])
def test_every_objective_trains_the_rest_branch_and_never_the_adversary(confusion):
    model, adversary = _network(decoder="none")
    batch, config = _batch(9), change(TrainConfig(), confusion=confusion)
    encoder_loss(model, model(batch.images), batch, adversary, config, ClassWeights()).confusion.backward()
    assert _touched(model, adversary) == {"trunk", "rest_branch"}


def test_an_unknown_person_teaches_nothing():
    model, adversary = _network(factors=("identity",), decoder="none")
    batch = _batch()
    batch = Batch(batch.images, batch.labels, {"identity": torch.full_like(batch.labels, -1)})
    encoder_loss(model, model(batch.images), batch, adversary, TrainConfig(), ClassWeights()).factors.backward()
    assert _touched(model, adversary) == set()
