import numpy as np
import pytest
import torch

from facedis.errors import RunError
from facedis.tasks.swapping.generator import SwapGenerator
from tests.tasks.runs import make_run

FACES = np.random.default_rng(0).integers(0, 255, (5, 48, 48, 3), np.uint8)


@pytest.fixture(params=[(), ("identity", "yaw", "light:lamp")], ids=["two branches", "four branches"])
def run(request, tmp_path):
    return make_run(tmp_path / "run", 0, decoder="detached", factors=request.param)


def test_encode_matches_a_forward_pass_of_the_model(run):
    encoded = SwapGenerator(run, "cpu", batch_size=2).encode(FACES)
    images = torch.from_numpy(FACES).permute(0, 3, 1, 2) / 255
    images = torch.nn.functional.interpolate(images, (32, 32), mode="bilinear", antialias=True)
    with torch.no_grad():
        output = run.model(images)
    assert encoded.expression == pytest.approx(output.codes.expression.numpy(), abs=1e-4)
    rest = torch.cat(list(output.codes.named().values())[1:], dim=1)
    assert encoded.rest == pytest.approx(rest.numpy(), abs=1e-4)
    drawn = output.reconstruction.permute(0, 2, 3, 1).numpy() * 255
    assert abs(encoded.reconstructions - drawn).max() <= 0.51 and encoded.images.shape == (5, 32, 32, 3)


def test_decoding_the_codes_gives_the_reconstructions(run):
    generator = SwapGenerator(run, "cpu", batch_size=3)
    encoded = generator.encode(FACES)
    drawn = generator.decode(encoded.expression, encoded.rest).astype(int)
    assert abs(drawn - encoded.reconstructions).max() <= 1


def test_a_swap_takes_all_codes_except_expression_from_the_rest_donor(run):
    generator = SwapGenerator(run, "cpu")
    encoded = generator.encode(FACES)
    with torch.no_grad():
        codes = run.model(torch.from_numpy(encoded.images).permute(0, 3, 1, 2) / 255).codes
        expected = run.model.decode(codes._replace(expression=codes.expression.flip(0)))
    expected = expected.permute(0, 2, 3, 1).numpy() * 255
    assert abs(generator.decode(encoded.expression[::-1].copy(), encoded.rest) - expected).max() <= 2


@pytest.mark.parametrize(("keys", "words"), [({"baseline": True}, "is a baseline"), ({}, "no decoder")])
def test_a_model_without_decoder_is_refused(tmp_path, keys, words):
    with pytest.raises(RunError, match=words):
        SwapGenerator(make_run(tmp_path / "run", 0, **keys))


def test_a_grey_model_generates_grey_images(tmp_path):
    run = make_run(tmp_path / "run", 0, decoder="detached")
    run.info["faces"]["grey"] = True
    encoded = SwapGenerator(run, "cpu").encode(FACES)
    for images in (encoded.images, encoded.reconstructions):
        assert np.ptp(images.astype(int), axis=3).max() <= 1
