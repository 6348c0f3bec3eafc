"""The decoder's objective: which term trains what, and what a swapped face is compared with."""

import pytest
import torch

from facedis.config import DecoderConfig, ModelConfig
from facedis.model.network.disentangler import build
from facedis.training.decoder import decoder_losses
from facedis.training.decoder.decoder_adversaries import DecoderAdversaries, discriminator_loss, map_adversary_loss
from facedis.training.decoder.decoder_losses import TERMS, DecoderObjective, augment_swap, ssim
from facedis.training.decoder.donors import DonorAssignment

K, SIZE = 3, 32
MODEL = ModelConfig(
    trunk="resnet18_half", weights="none", image_size=SIZE, branch="light", branch_widths=(8, 8, 8), expression_dim=6,
    rest_dim=5, unshared_stages=2, code_norm="batch", decoder="post-hoc", decoder_kind="film", decoder_width=32,
    spatial_rest_channels=2,
)  # fmt: skip
ALL = DecoderConfig(**{f"{name}_weight": 1.0 for name in TERMS})
TRAINED = {"decoder", "spatial_rest"}


def _objective(config=ALL):
    torch.manual_seed(0)
    model, _ = build(MODEL, {"expression": K})
    model.requires_grad_(False)
    for part in model.decoder_modules():
        part.requires_grad_(True)
    adversaries = DecoderAdversaries(MODEL, config, K)
    return DecoderObjective(model, adversaries, config).train(), adversaries


def _batch(n=6):
    labels = torch.arange(n) % K
    images = torch.rand(n, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    own = torch.arange(n)
    return images, labels, DonorAssignment(targets=(own + 2) % n, same_class_donors=own, donors=(own + 1) % n)


def _with_gradient(model, adversaries):
    parts = dict(model.named_children()) | dict(adversaries.named_children())
    return {
        name
        for name, part in parts.items()
        if any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
    }


@pytest.mark.parametrize("term", TERMS)
def test_each_term_trains_the_decoder_and_the_spatial_rest_branch_only(term):
    objective, adversaries = _objective()
    terms, *_ = objective(*_batch())
    terms[term].backward()
    assert _with_gradient(objective.model, adversaries) == (
        {"spatial_rest"} if term in ("map_invariance", "map_confusion") else TRAINED
    )


def test_adversary_losses_train_the_adversaries_only():
    objective, adversaries = _objective()
    images, labels, assignment = _batch()
    _, spatial_rest, swapped = objective(images, labels, assignment)
    loss = map_adversary_loss(adversaries.map_adversary, spatial_rest, labels)
    loss = loss + discriminator_loss(adversaries.discriminator, images, labels, swapped, labels[assignment.donors])
    loss.backward()
    assert _with_gradient(objective.model, adversaries) == {"map_adversary", "discriminator"}


def test_a_swapped_face_is_compared_with_its_rest_donor_after_the_same_shift(monkeypatch):
    objective, _ = _objective()
    found = []
    for flip_donor in (True, False):
        monkeypatch.setattr(
            decoder_losses,
            "augment_swap",
            lambda swapped, images, flip=flip_donor: (swapped.flip(3), images.flip(3) if flip else images),
        )
        torch.manual_seed(0)
        found.append(objective(*_batch())[0])
    assert all(found[0][term] != found[1][term] for term in ("code_consistency", "cycle"))
    assert torch.allclose(found[0]["expression"], found[1]["expression"], rtol=1e-4)


def test_the_gradient_of_a_swapped_face_changes_its_brightness_but_not_its_hue():
    torch.manual_seed(0)
    swapped = torch.rand(4, 3, 32, 32, requires_grad=True)
    inputs, moved = augment_swap(swapped, swapped.detach())
    assert torch.allclose(inputs, moved, atol=1e-5) and not torch.allclose(inputs, swapped, atol=0.1)
    inputs[:, 2].sum().backward()  # a gradient for blue only
    blue = swapped.grad / torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    assert blue.abs().sum() > 0 and torch.allclose(blue[:, 0], blue[:, 1], atol=1e-5)
    assert inputs.shape == swapped.shape and inputs.min() >= 0 and inputs.max() <= 1


def test_terms_with_weight_0_are_not_computed():
    objective, adversaries = _objective(DecoderConfig())
    assert set(objective(*_batch())[0]) == {"l1"}
    assert not list(adversaries.parameters())


def test_finished_parts_keep_their_running_statistics():
    objective, _ = _objective()
    before = {name: value.clone() for name, value in objective.model.state_dict().items()}
    objective(*_batch())
    changed = {
        name.split(".")[0] for name, value in objective.model.state_dict().items() if not value.equal(before[name])
    }
    assert changed == TRAINED


def test_ssim_of_square_windows():
    x, y = torch.rand(2, 2, 3, 9, 8, dtype=torch.float64)
    expected = []
    for a, b in zip(*(each.unfold(2, 7, 1).unfold(3, 7, 1).reshape(-1, 49) for each in (x, y)), strict=True):
        luminance = (2 * a.mean() * b.mean() + 1e-4) / (a.mean() ** 2 + b.mean() ** 2 + 1e-4)
        covariance = ((a - a.mean()) * (b - b.mean())).mean()
        expected.append(luminance * (2 * covariance + 9e-4) / (a.var(correction=0) + b.var(correction=0) + 9e-4))
    assert ssim(x, y).mean().item() == pytest.approx(torch.stack(expected).mean().item(), abs=1e-4)
    assert ssim(x, x).mean().item() == pytest.approx(1)
