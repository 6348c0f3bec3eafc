"""Learnability of the factors of the rendered faces, and transfer to photographs.

Classifiers are trained from random weights: expression, tested on unseen identities, once per seed;
identity, trained on six expressions and tested on the other two; and expression in greyscale, tested on
FER2013's PrivateTest. Also measured: the number of images with exactly one detected face.

    facedis align && facedis align fer2013 --crop none -o fer.h5
    python benchmarks/rendered.py faces.h5 --photographs fer.h5 -o docs/results/rendered.json
"""

import argparse
import json
import platform
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from facedis import __version__
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.statistics.intervals import wilson_ci
from facedis.model.network.trunk import Source, build_trunk
from facedis.model.preprocessing import to_images
from facedis.training.recipes.augmentation import augment
from facedis.training.schedule import lr_factor

#: Test expressions of the identity classifier.
UNSEEN = ("surprise", "contempt")
LR, WEIGHT_DECAY, BATCH = 1e-3, 1e-4, 32


class Classifier(nn.Module):
    """A trunk, average pooling, and a linear classifier."""

    def __init__(self, trunk: str, size: int, classes: int) -> None:
        super().__init__()
        self.trunk = build_trunk(trunk, Source("none"))
        self.head = nn.Linear(self.trunk.map_shape(size)[0], classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, S, S) images to (B, classes) logits."""
        return self.head(self.trunk(images).mean((2, 3)))


def train(faces: np.ndarray, labels: np.ndarray, options: argparse.Namespace, epochs: int, grey: bool) -> Classifier:
    """Train a classifier of (n,) `labels` on (n, S, S, 3) `faces`."""
    torch.manual_seed(options.seed)
    model = Classifier(options.trunk, options.size, labels.max() + 1)
    fit(model, model, faces, labels, options, epochs, grey)
    return model


def fit(
    model: nn.Module,
    classify: Callable[[torch.Tensor], torch.Tensor],
    faces: np.ndarray,
    labels: np.ndarray,
    options: argparse.Namespace,
    epochs: int,
    grey: bool,
) -> None:
    """Train `model` on (n, S, S, 3) `faces` and (n,) `labels`; `classify` returns its logits."""
    model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), LR, weight_decay=WEIGHT_DECAY)
    rng, draws = np.random.default_rng(options.seed), torch.Generator().manual_seed(options.seed)
    steps = epochs * (len(labels) // BATCH)
    for step in range(steps):
        if step % (len(labels) // BATCH) == 0:
            order = rng.permutation(len(labels))
        picked = order[step % (len(labels) // BATCH) * BATCH :][:BATCH]
        images = augment(to_images(torch.from_numpy(faces[picked]), options.size, grey), "mild", draws)
        for group in optimizer.param_groups:
            group["lr"] = LR * lr_factor("onecycle", step, steps)
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            logits = classify(images.contiguous(memory_format=torch.channels_last))
        loss = nn.functional.cross_entropy(logits.float(), torch.from_numpy(labels[picked]), label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()


@torch.no_grad()
def predict(model: Classifier, faces: np.ndarray, size: int, grey: bool) -> np.ndarray:
    """(n, classes) logits."""
    pieces = [to_images(torch.from_numpy(faces[i : i + 128]), size, grey) for i in range(0, len(faces), 128)]
    return torch.cat([model(piece) for piece in pieces]).numpy()


def figure(answers: np.ndarray, labels: np.ndarray, classes: int) -> dict:
    """Accuracy with Wilson interval."""
    return asdict(wilson_ci(int((answers == labels).sum()), len(labels), chance=1 / classes))


def expression(cache: FacesCache, options: argparse.Namespace, grey: bool = False) -> tuple[Classifier, dict]:
    """Expression classifier, trained on the train split and tested on the test split."""
    fit, test = cache.rows("train"), cache.rows("test")
    model = train(cache.faces(fit), cache.labels[fit].astype(np.int64), options, options.epochs, grey)
    answers = predict(model, cache.faces(test), options.size, grey).argmax(1)
    return model, figure(answers, cache.labels[test], len(cache.info.classes))


def identity(cache: FacesCache, options: argparse.Namespace) -> dict:
    """Identity classifier, trained on six expressions and tested on the other two."""
    rows = cache.rows()
    names, people = np.unique(cache.identities[rows], return_inverse=True)
    unseen = np.isin(np.array(cache.info.classes)[cache.labels[rows]], UNSEEN)
    model = train(cache.faces(rows[~unseen]), people[~unseen], options, 2 * options.epochs, False)
    answers = predict(model, cache.faces(rows[unseen]), options.size, False).argmax(1)
    return figure(answers, people[unseen], len(names)) | {"unseen": UNSEEN}


def photographs(model: Classifier, cache: FacesCache, other: FacesCache, options: argparse.Namespace) -> dict:
    """Evaluate a classifier trained on rendered faces on the test split of another cache."""
    rows = other.rows("test")
    known = [cache.info.classes.index(name) for name in other.info.classes]
    answers = predict(model, other.faces(rows), options.size, True)[:, known].argmax(1)
    return figure(answers, other.labels[rows], len(known)) | {"dataset": other.info.dataset}


def main() -> None:
    """Run all measurements and write them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faces", type=Path, help="a cache of rendered faces")
    parser.add_argument("--photographs", type=Path, help="a cache of photographs with a test split")
    parser.add_argument("--trunk", default="resnet18_half")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--seeds", type=int, default=3, help="number of expression classifiers, with seeds from --seed on"
    )
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True, help="train in half precision")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    begun, found = time.time(), {}
    with FacesCache.open(options.faces) as cache:
        found["detection"] = {"n": len(cache), "status": dict(Counter(cache.status.tolist()))}
        print("detection", found["detection"], flush=True)
        found["expression"] = []
        for seed in range(options.seed, options.seed + options.seeds):
            _, reached = expression(cache, argparse.Namespace(**vars(options) | {"seed": seed}))
            found["expression"].append({"seed": seed} | reached)
            print("expression, unseen identities", found["expression"][-1], flush=True)
        found["expression_mean"] = float(np.mean([one["value"] for one in found["expression"]]))
        found["identity"] = identity(cache, options)
        print("identity, unseen expressions", found["identity"], flush=True)
        if options.photographs:
            model, found["expression_grey"] = expression(cache, options, grey=True)
            with FacesCache.open(options.photographs) as other:
                found["photographs"] = photographs(model, cache, other, options)
            print("photographs", found["photographs"], flush=True)
    settings = {key: getattr(value, "name", value) for key, value in vars(options).items() if key != "output"}
    machine = {"facedis": __version__, "torch": torch.__version__, "machine": platform.machine()}
    found |= {"settings": settings, "seconds": time.time() - begun} | machine
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
