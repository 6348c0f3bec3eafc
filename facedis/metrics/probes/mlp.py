"""MLP probe: two hidden layers of 256 units, trained from several random initialisations."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from facedis.metrics.classification.accuracy import balanced_accuracy_score
from facedis.metrics.probes.linear import ProbeData, can_fit
from facedis.metrics.probes.whitening import StandardisedPCA, fit_pca

#: Width of both hidden layers.
HIDDEN_SIZE = 256
#: Number of random initialisations.
RESTARTS = 5
#: Batch size, maximum number of steps, and minimum number of steps between two evaluations on V.
BATCH_SIZE, MAX_STEPS, MIN_EVAL_INTERVAL = 256, 1_000, 25
#: Training stops after this many evaluations without improvement.
PATIENCE = 5
#: Adam's learning rate, and the weight of the L2 penalty on the weights.
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 1e-3

#: Weights (in, out) and bias (out,) of each layer.
Layers = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class MlpProbe:
    """A trained network that predicts classes or numbers from codes.

    Attributes:
        pca: PCA of P's codes.
        whitened: Whether the codes are whitened.
        layers: Weights (in, out) and bias (out,) of each layer.
        val_score: Balanced accuracy on V, 0..1; for regression, minus the mean squared error on V.
    """

    pca: StandardisedPCA
    whitened: bool
    layers: Layers
    val_score: float

    @property
    def hyperparameters(self) -> dict[str, bool]:
        """The values chosen on V."""
        return {"whitened": self.whitened}

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`, or the (n, m) predicted numbers."""
        output = self.pca.padded(codes, self.whitened)
        for number, (weights, bias) in enumerate(self.layers):
            output = (output if number == 0 else np.maximum(output, 0)) @ weights + bias
        return output


def mlp_probe(
    train: ProbeData,
    val: ProbeData,
    num_classes: int,
    seed: int = 0,
    pca: StandardisedPCA | None = None,
    restarts: int = RESTARTS,
) -> MlpProbe | None:
    """Train a network of two hidden layers of 256 ReLU units on P with Adam and early stopping on V.

    Batches are balanced over the classes. Every other restart uses whitened codes; the restart with the highest
    balanced accuracy on V is chosen.

    Args:
        train: P.
        val: V.
        num_classes: K.
        seed: Seed of the initialisations and the batches.
        pca: PCA of P's codes; None fits it.
        restarts: Number of random initialisations.

    Returns:
        None where P or V is empty or P has a single class.

    Source: Elazar & Goldberg, Adversarial removal of demographic attributes from text data, EMNLP 2018
    (a fresh attacker); several restarts: Gupta et al., Controllable guarantees for fair outcomes via
    contrastive information estimation, AAAI 2021.
    """
    if not can_fit(train, val):
        return None
    sampling = 1 / np.bincount(train.labels, minlength=num_classes)[train.labels]
    weights = 1 / np.bincount(val.labels, minlength=num_classes)[val.labels]
    labels = train.labels.astype(np.int64), val.labels.astype(np.int64)
    task = _Task(labels, num_classes, sampling / sampling.sum(), weights / weights.sum())
    probes = [
        replace(probe, val_score=balanced_accuracy_score(val.labels, probe.logits(val.codes).argmax(1), num_classes))
        for probe in _trained_probes((train.codes, val.codes), task, seed, pca, restarts)
    ]
    return max(probes, key=lambda probe: probe.val_score)


def mlp_regression(
    codes: tuple[np.ndarray, np.ndarray],
    targets: tuple[np.ndarray, np.ndarray],
    seed: int = 0,
    pca: StandardisedPCA | None = None,
    restarts: int = 2,
) -> MlpProbe:
    """Train the same network on m numbers, with the squared error as its loss.

    Args:
        codes: (n, D) of P and of V.
        targets: (n, m) of P and of V, standardised.
        seed: Seed of the initialisations and the batches.
        pca: PCA of P's codes; None fits it.
        restarts: Number of random initialisations.
    """
    (n, m), n_val = targets[0].shape, len(targets[1])
    val_weights = np.full(n_val, 2 / (n_val * m))  # the validation loss is the mean squared error
    task = _Task((targets[0].astype(np.float32), targets[1].astype(np.float32)), m, np.full(n, 1 / n), val_weights)
    return max(_trained_probes(codes, task, seed, pca, restarts), key=lambda probe: probe.val_score)


@dataclass(frozen=True)
class _Task:
    """A classification or regression problem.

    Attributes:
        targets: Of P and V: (n,) int classes, or (n, m) float32 numbers.
        outputs: Number of outputs of the network.
        sampling: (n,) probability of each face of P in a batch.
        val_weights: (n,) weight of each face of V in the validation loss.
    """

    targets: tuple[np.ndarray, np.ndarray]
    outputs: int
    sampling: np.ndarray
    val_weights: np.ndarray


def _trained_probes(
    codes: tuple[np.ndarray, np.ndarray], task: _Task, seed: int, pca: StandardisedPCA | None, restarts: int
) -> Iterator[MlpProbe]:
    """The probe of each restart; `val_score` is minus the validation loss."""
    pca = pca or fit_pca(codes[0])
    for restart in range(restarts):
        whitened = restart % 2 == 1
        train, val = (pca.padded(part, whitened) for part in codes)
        layers, loss = _train(train, val, task, np.random.default_rng([seed, restart]))
        yield MlpProbe(pca, whitened, layers, -loss)


def _train(train: np.ndarray, val: np.ndarray, task: _Task, generator: np.random.Generator) -> tuple[Layers, float]:
    """The layers with the lowest validation loss, and that loss.

    Source: Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015; initialisation: He et al.,
    Delving deep into rectifiers, ICCV 2015.
    """
    import torch
    from torch.nn import functional as F

    sizes = (train.shape[1], HIDDEN_SIZE, HIDDEN_SIZE, task.outputs)
    weights = [torch.from_numpy(_he_normal(i, o, generator)).requires_grad_() for i, o in pairwise(sizes)]
    biases = [torch.zeros(o, requires_grad=True) for o in sizes[1:]]
    groups = [{"params": weights, "weight_decay": WEIGHT_DECAY}, {"params": biases, "weight_decay": 0.0}]
    optimizer = torch.optim.Adam(groups, lr=LEARNING_RATE, fused=True)

    def losses(codes: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        output = torch.addmm(biases[0], codes, weights[0])
        for weight, bias in zip(weights[1:], biases[1:], strict=True):
            output = torch.addmm(bias, F.relu(output), weight)
        if targets.dim() == 1:
            return F.cross_entropy(output, targets, reduction="none")
        return (output - targets).square().sum(dim=1) / 2

    def layers() -> Layers:
        return [(w.detach().numpy().copy(), b.detach().numpy().copy()) for w, b in zip(weights, biases, strict=True)]

    x, x_val, y, y_val, val_weights = map(torch.from_numpy, (train, val, *task.targets, task.val_weights))
    best_loss, best_layers, waited = np.inf, layers(), 0
    interval = max(MIN_EVAL_INTERVAL, len(train) // BATCH_SIZE)
    batches = torch.from_numpy(generator.choice(len(train), (MAX_STEPS, BATCH_SIZE), p=task.sampling))
    with _one_thread():
        for step, rows in enumerate(batches, 1):
            optimizer.zero_grad()
            losses(x[rows], y[rows]).mean().backward()
            optimizer.step()
            if step % interval == 0 or step == MAX_STEPS:
                with torch.no_grad():
                    loss = float(losses(x_val, y_val).double() @ val_weights)
                if loss < best_loss - 1e-4:
                    best_loss, best_layers, waited = loss, layers(), 0
                elif (waited := waited + 1) == PATIENCE:
                    break
    return best_layers, best_loss


def _he_normal(inputs: int, outputs: int, generator: np.random.Generator) -> np.ndarray:
    return generator.normal(0, np.sqrt(2 / inputs), (inputs, outputs)).astype(np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch, so that results do not depend on the number of cores."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
