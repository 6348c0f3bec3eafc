from types import SimpleNamespace

import numpy as np
import pytest
import torch

from facedis.config import ModelConfig
from facedis.model.network.disentangler import build
from facedis.tasks.encoding.encode import _encoded, encode_faces, forward

FACES = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), np.uint8)
CPU = torch.device("cpu")


def untrained(**settings):
    config = ModelConfig(trunk="resnet18", weights="none", image_size=32, branch="light", **settings)
    model, _ = build(config, {"expression": 4})
    return SimpleNamespace(model=model.eval(), config=config, grey=False)


@pytest.mark.parametrize("settings", [{}, {"unshared_stages": 1}, {"decoder": "detached"}, {"baseline": True}])
def test_codes_equal_those_of_the_full_model(settings):
    run = untrained(**settings)
    _, output = forward(run, FACES, CPU)
    expected = {
        "expression": output.codes.expression,
        "rest": output.codes.rest,
        "trunk": output.features,
        "probabilities": output.logits.softmax(1),
    }
    found = encode_faces(run, FACES, CPU, tuple(expected))
    assert list(found) == [name for name, values in expected.items() if values is not None]
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name].numpy(), rtol=1e-4, atol=1e-6)


def test_tta_flip_averages_a_face_and_its_mirror_image():
    run = SimpleNamespace(**vars(untrained(baseline=True)), adversary=None)
    plain, mirrored, both = (
        _arrays_of(run, faces, flip)
        for faces, flip in ((FACES, False), (np.ascontiguousarray(FACES[:, :, ::-1]), False), (FACES, True))
    )
    for name, values in both.items():
        np.testing.assert_allclose(values, (plain[name] + mirrored[name]) / 2, rtol=1e-5)


def _arrays_of(run, faces, flip):
    cache = SimpleNamespace(faces=lambda rows: faces[rows])
    (arrays,) = _encoded(run, cache, np.arange(len(faces)), 8, CPU, flip)
    return arrays


def test_only_the_requested_branches_run():
    run = untrained(decoder="detached")
    for name in ("decoder", "rest_branch", "expression_head"):
        getattr(run.model, name).forward = None  # calling it would fail
    assert list(encode_faces(run, FACES, CPU, ("expression", "trunk"))) == ["expression", "trunk"]
