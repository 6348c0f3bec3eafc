"""Architecture of the network, and gradients of all its parts."""

import pytest
import torch
from torch import nn

from facedis.config import ModelConfig
from facedis.errors import ConfigError, WeightsError
from facedis.model.network.branches import Branch
from facedis.model.network.decoder import Decoder, build_decoder
from facedis.model.network.disentangler import build
from facedis.model.network.trunk import Source, build_trunk

SMALL = dict(weights="none", branch_widths=(8, 8, 8), expression_dim=6, rest_dim=5, decoder_width=32)
TRUNKS = {
    "inception_resnet_v1": (96, 1792),
    "resnet18": (64, 512),
    "resnet18_half": (64, 256),
    "resnet18_faces": (64, 512),
    "mobilenet_v3_large": (64, 960),
    "efficientnet_b0": (64, 1280),
}


def test_the_feature_map_of_inception_resnet_is_1792x3x3_at_160_px():
    assert build_trunk("inception_resnet_v1", Source("none")).map_shape(160) == (1792, 3, 3)


@pytest.mark.parametrize("name", TRUNKS)
def test_every_weight_of_every_trunk_has_a_gradient(name):
    size, channels = TRUNKS[name]
    trunk = build_trunk(name, Source("none")).train()
    features = trunk(torch.rand(2, 3, size, size))
    assert features.shape[:2] == (2, channels)
    (features * torch.randn_like(features)).sum().backward()
    assert all(weight.grad is not None for weight in trunk.parameters())


def test_the_default_branch_has_four_convolutions_and_10_62_million_weights():
    branch = Branch((1792, 3, 3), 256, ModelConfig())
    convolutions = [layer for layer in branch.layers if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 4
    assert sum(weight.numel() for weight in branch.parameters()) == pytest.approx(10.62e6, rel=0.01)
    assert isinstance(branch.layers[-1], nn.Conv2d), "the code has no activation"


@pytest.mark.parametrize("size", [48, 64, 112, 160])
@pytest.mark.parametrize("kind", ["deconv", "resize", "film"])
def test_every_decoder_generates_faces_of_the_right_size_in_the_unit_range(size, kind):
    decoder = build_decoder(11, ModelConfig(image_size=size, decoder_kind=kind, decoder_width=32))
    faces = decoder(torch.randn(2, 11))
    assert faces.shape == (2, 3, size, size)
    assert faces.min() >= 0 and faces.max() <= 1


def test_the_default_decoder_has_six_deconvolutions():
    decoder = Decoder(512, ModelConfig())
    assert sum(isinstance(layer, nn.ConvTranspose2d) for layer in decoder.layers) == 6


def test_a_decoder_for_another_size_is_rejected_with_the_nearest_possible_one():
    with pytest.raises(ConfigError, match="--image-size 96"):
        build_decoder(8, ModelConfig(image_size=100))


def test_a_baseline_has_neither_rest_branch_nor_adversary():
    model, adversary = build(
        ModelConfig(trunk="resnet18", image_size=64, baseline=True, decoder="none", **SMALL), {"expression": 3}
    )
    output = model(torch.rand(2, 3, 64, 64))
    assert adversary is None and output.codes.rest is None and output.reconstruction is None


def test_frozen_batch_norm_of_the_trunk_keeps_its_statistics_in_training():
    model, _ = build(ModelConfig(trunk="resnet18", image_size=64, decoder="none", **SMALL), {"expression": 3})
    model.freeze_trunk_bn = True
    model.train()
    before = model.trunk.stages[0][1].running_mean.clone()
    model(torch.rand(4, 3, 64, 64))
    assert torch.equal(model.trunk.stages[0][1].running_mean, before)
    model.freeze_trunk_bn = False
    model.train()
    model(torch.rand(4, 3, 64, 64))
    assert not torch.equal(model.trunk.stages[0][1].running_mean, before)


def test_the_unshared_stages_update_their_statistics():
    model, _ = build(
        ModelConfig(trunk="resnet18", image_size=64, decoder="none", unshared_stages=1, **SMALL), {"expression": 3}
    )
    model.freeze_trunk_bn = True
    model.train()
    norm = model.rest_stages[0][0].bn1
    before = norm.running_mean.clone()
    model(torch.rand(4, 3, 64, 64))
    assert not torch.equal(norm.running_mean, before)


def test_weights_of_a_file_are_loaded_and_those_of_another_network_rejected(tmp_path):
    from torchvision.models import resnet18

    torch.manual_seed(3)
    body = resnet18()
    torch.save(body.state_dict(), tmp_path / "body.pt")
    trunk = build_trunk("resnet18", Source(str(tmp_path / "body.pt")))
    assert trunk.pretrained
    assert torch.equal(trunk.stages[0][0].weight, body.conv1.weight)
    with pytest.raises(WeightsError, match=r"is not a|does not fit"):
        build_trunk("efficientnet_b0", Source(str(tmp_path / "body.pt")))


def test_unknown_weights_and_trunks_are_rejected_with_the_known_ones():
    with pytest.raises(ConfigError, match="imagenet"):
        build_trunk("resnet18", Source("vggface2"))
    with pytest.raises(ConfigError, match="mobilenet_v3_large"):
        build_trunk("resnet19", Source("none"))


def test_unavailable_weights_are_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="--weights none"):
        build_trunk("inception_resnet_v1", Source("auto", offline=True))
