"""Train the two evaluators of `facedis swap-eval` from random weights: expression and identity.

Both are run folders: a trunk, the four convolutions of a branch and a linear classifier, trained on the
identities of the train split. The identity evaluator compares faces by the cosine of its code. Neither
shares weights with the evaluated model.

    facedis align
    python benchmarks/train_evaluators.py faces.h5 -o judges
    facedis swap-eval --expression-model judges/expression --identity-model judges/identity
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from rendered import fit

from facedis.config import ModelConfig, TrainConfig
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.statistics.intervals import Bootstrap, wilson_ci
from facedis.metrics.verification.pairs import auc, cosines, identity_pairs
from facedis.model.network.disentangler import build
from facedis.model.storage.checkpoint import MODEL, load_run, named_tensors, read_info, save_tensors, write_info
from facedis.tasks.encoding.encode import encode
from facedis.tasks.swapping.evaluators import IDENTITY_LABELS
from facedis.training.data import TrainingData
from facedis.training.run_folder import start_run


def train_evaluator(
    cache: FacesCache, place: Path, names: np.ndarray, options: argparse.Namespace, epochs: int
) -> None:
    """Train a classifier of the (N,) class `names` of the rows, into the run folder `place`."""
    rows = cache.rows("train")
    classes, labels = np.unique(names[rows], return_inverse=True)
    config = ModelConfig(
        trunk=options.trunk,
        weights="none",
        image_size=options.size,
        baseline=True,
        branch="light",
        branch_widths=(128, 128, 128),
        expression_dim=64,
        decoder="none",
    )
    torch.manual_seed(options.seed)
    model, _ = build(config, {"expression": len(classes)})
    fit(model, lambda images: model(images).logits, cache.faces(rows), labels, options, epochs, cache.grey)
    nothing = np.empty(0, np.int64)
    data = TrainingData(cache, tuple(map(str, classes)), rows, labels, nothing, nothing, has_test=False)
    start_run(place, data, False, config, TrainConfig(seed=options.seed, epochs=epochs))
    save_tensors(place / MODEL, named_tensors({"model": model}))


def main() -> None:
    """Train both and print their accuracy on unseen identities."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faces", type=Path, help="a cache with a train and a test split")
    parser.add_argument("--trunk", default="resnet18_half")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True, help="train in half precision")
    parser.add_argument("-o", "--output", type=Path, default=Path("judges"))
    options = parser.parse_args()
    if options.output.exists():  # checked before training
        parser.error(f"{options.output} already exists: choose another -o")
    with FacesCache.open(options.faces) as cache:
        expression, identity = options.output / "expression", options.output / "identity"
        train_evaluator(cache, expression, np.array(cache.info.classes)[cache.labels], options, options.epochs)
        table = encode(load_run(expression), cache, cache.rows("test"))
        right = table.probabilities.argmax(1) == table.labels
        print(
            "expression, unseen identities:",
            wilson_ci(int(right.sum()), len(table), 1 / len(table.classes)),
            flush=True,
        )
        train_evaluator(cache, identity, cache.identities, options, options.epochs)
        write_info(identity, read_info(identity) | {"labels": IDENTITY_LABELS})
        print("same identity, unseen identities (AUC):", verification_auc(cache, identity))


def verification_auc(cache: FacesCache, place: Path) -> object:
    """Verification AUC of the identity evaluator on the test split."""
    from facedis.tasks.swapping.evaluators import IdentityEvaluator

    rows = cache.rows("test")
    labels, people = cache.labels[rows], cache.identities[rows]
    codes = IdentityEvaluator(load_run(place)).embed(cache.faces(rows))
    pairs = identity_pairs(labels, people, 0)
    return auc(cosines(codes, pairs.first, pairs.second), pairs, people, Bootstrap())


if __name__ == "__main__":
    main()
