"""Run folders with random tensors."""

import torch

from facedis.config import ModelConfig, TrainConfig, as_dict
from facedis.model.network.disentangler import build
from facedis.model.storage.checkpoint import FORMAT, MODEL, load_run, named_tensors, save_tensors, write_info

TINY = dict(
    trunk="mobilenet_v3_large", weights="none", image_size=32, branch_widths=(8, 8, 8), branch="light", decoder="none"
)


def make_run(folder, seed, labels=None, tensors=None, weights="none", **keys):
    """An untrained run, or one with the given tensors."""
    config = ModelConfig(**(TINY | {"expression_dim": 8, "rest_dim": 8, "decoder_width": 32} | keys))
    torch.manual_seed(seed)
    sizes = {"expression": 3} | {name: 2 for name in config.factor_branches if name != "expression"}
    model, adversary = build(config, sizes)
    if tensors is not None:
        model.load_state_dict(tensors, strict=False)
    faces = {"path": "x.h5", "fingerprint": "f", "grey": False, "crop": "box", "margin": 32.0, "size": 48}
    faces |= {"detector": "mtcnn"}
    info = {
        "format": FORMAT,
        "factors": {name: {"size": size} for name, size in sizes.items() if name != "expression"},
        "classes": ["neutral", "happiness", "anger"],
        "pretrained": False,
        "model": as_dict(config) | {"weights": str(weights)},
        "train": as_dict(TrainConfig(seed=seed)),
        "faces": faces,
    }
    folder.mkdir(parents=True)
    write_info(folder, info | ({"labels": labels} if labels else {}))
    save_tensors(folder / MODEL, named_tensors({"model": model, "adversary": adversary}))
    return load_run(folder)
