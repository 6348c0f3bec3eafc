"""The spatial rest code and its decoder."""

from dataclasses import replace

import pytest
import torch

from facedis.config import ModelConfig
from facedis.errors import ConfigError
from facedis.model.network.disentangler import build

K, SIZE = 3, 32
MODEL = ModelConfig(
    trunk="resnet18_half", weights="none", image_size=SIZE, branch="light", branch_widths=(8, 8, 8), expression_dim=6,
    rest_dim=5, unshared_stages=2, code_norm="batch", decoder="post-hoc", decoder_kind="film", decoder_width=32,
    spatial_rest_channels=2,
)  # fmt: skip


def test_the_film_decoder_depends_on_every_dimension_of_every_code():
    torch.manual_seed(0)
    model, _ = build(MODEL, {"expression": K})
    codes = model.eval().encode(torch.rand(2, 3, SIZE, SIZE))
    assert codes.named().keys() == {"expression", "rest", "map"} and codes.others["map"].shape == (2, 2 * 64)
    inputs = {name: code.detach().requires_grad_() for name, code in codes.named().items()}
    model.decode(type(codes).of(inputs)).square().sum().backward()
    assert all((code.grad != 0).all() for code in inputs.values())


def test_encoder_training_skips_the_post_hoc_decoder_and_the_spatial_rest_code():
    torch.manual_seed(0)
    model, _ = build(MODEL, {"expression": K})
    output = model.train()(torch.rand(4, 3, SIZE, SIZE))
    assert output.reconstruction is None and not output.codes.others
    assert model.eval()(torch.rand(4, 3, SIZE, SIZE)).reconstruction.shape == (4, 3, SIZE, SIZE)


def test_a_spatial_rest_code_needs_a_post_hoc_film_decoder():
    with pytest.raises(ConfigError, match="only a post-hoc film decoder"):
        replace(MODEL, decoder="detached")


@pytest.mark.parametrize("context", ["periphery", "full"])
@pytest.mark.parametrize("side", [8, 16])
def test_a_spatial_rest_code_of_either_size_can_be_decoded(side, context):
    torch.manual_seed(0)
    model, _ = build(
        replace(MODEL, spatial_rest_size=side, spatial_rest_context=context, image_size=64), {"expression": K}
    )
    codes = model.eval().encode(torch.rand(2, 3, 64, 64))
    assert codes.others["map"].shape == (2, 2 * side**2) and model.decode(codes).shape == (2, 3, 64, 64)


def test_the_periphery_context_has_only_the_brightness_of_the_middle():
    torch.manual_seed(0)
    images = torch.rand(2, 3, 64, 64)
    middle, border = images.clone(), images.clone()
    middle[:, :, 32:48, 16:48] = images[:, :, 32:48, 16:48].unflatten(3, (2, 16)).flip(2, 4).flatten(3)
    border[:, :, :8] = 0.2
    model, _ = build(replace(MODEL, image_size=64), {"expression": K})
    codes, other, third = (model.eval().encode(each).others["map"] for each in (images, middle, border))
    assert torch.allclose(codes, other, atol=1e-5) and not torch.allclose(codes, third, atol=1e-2)
    model, _ = build(replace(MODEL, image_size=64, spatial_rest_context="full"), {"expression": K})
    assert not torch.allclose(*(model.eval().encode(each).others["map"] for each in (images, middle)))
