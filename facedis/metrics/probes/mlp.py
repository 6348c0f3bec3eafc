"""A small network as a probe: two hidden layers of 256, several starts, stopped early on V."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from facedis.metrics.classification.accuracy import balanced_accuracy, confusion_matrix
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.whitening import StandardisedPCA, fit_pca

#: Width of both hidden layers.
HIDDEN_SIZE = 256
#: Different beginnings; V takes the best.
RESTARTS = 5
#: Faces a step, most steps of a start, and least steps between two looks at V.
BATCH_SIZE, MAX_STEPS, MIN_EVAL_INTERVAL = 256, 1_000, 25
#: Looks at V without progress after which a start ends.
PATIENCE = 5
#: Adam's rate and the weight of the penalty.
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 1e-3

Layers = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class MlpProbe:
    """A network that reads classes or numbers out of codes.

    Attributes:
        basis: How codes are turned.
        whitened: Whether they are whitened too.
        layers: Weights (in, out) and offsets (out,) of each layer.
        val_score: Balanced accuracy on V, 0..1; for numbers minus the mean squared error.
    """

    basis: StandardisedPCA
    whitened: bool
    layers: Layers
    val_score: float

    @property
    def hyperparameters(self) -> dict[str, bool]:
        """What V chose."""
        return {"whitened": self.whitened}

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`, or the numbers read from them."""
        return _forward(self.layers, _shown(self.basis, codes, self.whitened))[-1]


def mlp_probe(
    fit: ProbeData,
    selection: ProbeData,
    classes: int,
    seed: int = 0,
    basis: StandardisedPCA | None = None,
    starts: int = RESTARTS,
) -> MlpProbe | None:
    """A network of two hidden layers of 256 rectified units, trained on P with Adam, stopped on V.

    Every class is drawn equally often. Of `starts` starts, every other one on whitened codes, V
    takes the one with the highest balanced accuracy.

    Args:
        fit: P.
        selection: V.
        classes: K.
        seed: Of the starts and the batches.
        basis: Of P's codes, where it is there already.
        starts: How many.

    Returns:
        None where P or V is empty or P has a single class.

    Source: Elazar & Goldberg, Adversarial removal of demographic attributes from text data, EMNLP 2018
    (an attacker of its own); several starts: Gupta et al., Controllable guarantees for fair
    outcomes via contrastive information estimation, AAAI 2021.
    """
    if len(np.unique(fit.labels)) < 2 or len(selection.labels) == 0:
        return None
    targets = [np.eye(classes, dtype=np.float32)[part.labels] for part in (fit, selection)]
    counts = np.bincount(fit.labels, minlength=classes)
    chances = 1 / counts[fit.labels]
    weights = 1 / np.maximum(np.bincount(selection.labels, minlength=classes), 1)[selection.labels]
    task = _Task(softmax=True, chances=chances / chances.sum(), weights=weights / weights.sum())
    found = _best(fit.codes, selection.codes, targets, task, seed, basis, starts)

    def score(probe: MlpProbe) -> float:
        answers = probe.logits(selection.codes).argmax(axis=1)
        return float(balanced_accuracy(confusion_matrix(selection.labels, answers, classes)))

    scored = [MlpProbe(probe.basis, probe.whitened, probe.layers, score(probe)) for probe in found]
    return max(scored, key=lambda probe: probe.val_score)


def mlp_regression(
    codes: tuple[np.ndarray, np.ndarray],
    values: tuple[np.ndarray, np.ndarray],
    seed: int = 0,
    basis: StandardisedPCA | None = None,
    starts: int = 2,
) -> MlpProbe:
    """The same network for m numbers: least squares in place of the cross-entropy.

    Args:
        codes: (n, D) of P and of V.
        values: (n, m) of P and of V, standardised.
        seed: Of the starts and the batches.
        basis: Of P's codes, where it is there already.
        starts: How many.
    """
    n, held = len(codes[0]), len(codes[1])
    task = _Task(softmax=False, chances=np.full(n, 1 / n), weights=np.full(held, 1 / held))
    targets = [part.astype(np.float32) for part in values]
    return max(_best(*codes, targets, task, seed, basis, starts), key=lambda probe: probe.val_score)


@dataclass(frozen=True)
class _Task:
    """What is learned: classes or numbers; how often each face of P is drawn; what each of V counts."""

    softmax: bool
    chances: np.ndarray
    weights: np.ndarray

    def answers(self, outputs: np.ndarray) -> np.ndarray:
        if not self.softmax:
            return outputs
        raised = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    def loss(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        answers = self.answers(outputs)
        if self.softmax:
            each = -np.log(np.maximum((answers * targets).sum(axis=1), 1e-12))
        else:
            each = ((answers - targets) ** 2).mean(axis=1)
        return float(each @ self.weights)


def _best(
    fit: np.ndarray,
    selection: np.ndarray,
    targets: list[np.ndarray],
    task: _Task,
    seed: int,
    basis: StandardisedPCA | None,
    starts: int,
) -> Iterator[MlpProbe]:
    """The network of each start, at its best moment on V."""
    basis = basis or fit_pca(fit)
    for start in range(starts):
        whitened = start % 2 == 1
        shown = [_shown(basis, codes, whitened) for codes in (fit, selection)]
        layers, loss = _trained(*shown, targets, task, np.random.default_rng([seed, start]))
        yield MlpProbe(basis, whitened, layers, -loss)


def _shown(basis: StandardisedPCA, codes: np.ndarray, whitened: bool) -> np.ndarray:
    shown = basis.whiten(codes) if whitened else basis.project(codes)
    return np.concatenate([shown, np.zeros((len(codes), 1), np.float32)], axis=1)  # a constant code has no axes


def _trained(
    fit: np.ndarray, selection: np.ndarray, targets: list[np.ndarray], task: _Task, generator: np.random.Generator
) -> tuple[Layers, float]:
    """Adam on P until V stops getting better; the weights of the best look."""
    layers = _beginning((fit.shape[1], HIDDEN_SIZE, HIDDEN_SIZE, targets[0].shape[1]), generator)
    moments = [(np.zeros_like(w), np.zeros_like(w)) for layer in layers for w in layer]
    best, kept, waited = np.inf, layers, 0
    look = max(MIN_EVAL_INTERVAL, len(fit) // BATCH_SIZE)
    batches = generator.choice(len(fit), (MAX_STEPS, BATCH_SIZE), p=task.chances)
    for step, rows in enumerate(batches, 1):
        _adam(layers, moments, _slopes(layers, fit[rows], targets[0][rows], task), step)
        if step % look == 0 or step == MAX_STEPS:
            loss = task.loss(_forward(layers, selection)[-1], targets[1])
            if loss < best - 1e-4:
                best, waited, kept = loss, 0, [(w.copy(), b.copy()) for w, b in layers]
            elif (waited := waited + 1) == PATIENCE:
                break
    return kept, best


def _beginning(sizes: tuple[int, ...], generator: np.random.Generator) -> Layers:
    """He's initialisation."""
    return [
        (generator.normal(0, np.sqrt(2 / i), (i, o)).astype(np.float32), np.zeros(o, np.float32))
        for i, o in pairwise(sizes)
    ]


def _forward(layers: Layers, codes: np.ndarray) -> list[np.ndarray]:
    """The codes and what every layer makes of them; the last is not rectified."""
    shown = [codes]
    for number, (weights, offsets) in enumerate(layers, 1):
        output = shown[-1] @ weights + offsets
        shown.append(output if number == len(layers) else np.maximum(output, 0))
    return shown


def _slopes(layers: Layers, codes: np.ndarray, targets: np.ndarray, task: _Task) -> Iterator[np.ndarray]:
    """Slopes of the loss with the penalty, for the weights and offsets of each layer in order."""
    shown = _forward(layers, codes)
    error = (task.answers(shown[-1]) - targets) / len(codes)
    found = []
    for number in reversed(range(len(layers))):
        weights = layers[number][0]
        found += [error.sum(axis=0), shown[number].T @ error + WEIGHT_DECAY * weights]
        if number:
            error = (error @ weights.T) * (shown[number] > 0)
    return reversed(found)


def _adam(
    layers: Layers, moments: list[tuple[np.ndarray, np.ndarray]], slopes: Iterator[np.ndarray], step: int
) -> None:
    """One step in place.

    Source: Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015.
    """
    flat = [w for layer in layers for w in layer]
    for weights, (mean, square), slope in zip(flat, moments, slopes, strict=True):
        mean += 0.1 * (slope - mean)
        square += 0.001 * (slope**2 - square)
        weights -= LEARNING_RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
