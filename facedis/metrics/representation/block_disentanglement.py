"""Block-MIG, block-SAP and block-DCI: whether each known factor is encoded in its own code and in no other.

The classic scores compare single *dimensions* of a code. With codes of 256 dimensions they are near 0 even where
two codes separate the factors perfectly. Here whole codes (blocks) take the place of dimensions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facedis.metrics.classification.accuracy import balanced_accuracy_score
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.probe_suite import fit_probes
from facedis.metrics.probes.regression import RegressionData, fit_ridge, mlp_regression_probe, r2_score, ridge_probe
from facedis.metrics.probes.whitening import whitened_probe
from facedis.metrics.representation.information import balanced_cross_entropy, fit_balanced_temperature

#: Number of classes into which a continuous factor is binned for its information; equally frequent in P.
BINS = 10
#: Number of shuffles of a block for its importance.
SHUFFLES = 5


@dataclass(frozen=True)
class Factor:
    """One known factor on P, V and Q.

    Attributes:
        name: Name of the factor.
        branch: Name of the code that should encode it.
        values: Of P, V and Q: int classes 0..K-1, -1 where unknown, or float numbers, NaN where unknown.
    """

    name: str
    branch: str
    values: tuple[np.ndarray, np.ndarray, np.ndarray]

    @property
    def continuous(self) -> bool:
        """Whether the factor is a number rather than a class."""
        return self.values[0].dtype.kind == "f"

    def known_masks(self) -> tuple[np.ndarray, ...]:
        """Bool masks of the faces of P, V and Q with a known value."""
        return tuple(np.isfinite(part) if self.continuous else part >= 0 for part in self.values)

    def known_values(self) -> list[np.ndarray]:
        """The known values of P, V and Q."""
        return [part[mask] for part, mask in zip(self.values, self.known_masks(), strict=True)]


@dataclass(frozen=True)
class Informativeness:
    """How well a factor is predicted from one code.

    Attributes:
        information: Usable information as a share of the factor's entropy, 0..1.
        score: R^2 of a continuous factor, balanced accuracy of a class.
    """

    information: float
    score: float


def informativeness(
    codes: Sequence[np.ndarray], factor: Factor, kinds: Sequence[str], seed: int
) -> Informativeness | None:
    """How well the best probe, chosen on V, predicts a factor from a code.

    Args:
        codes: (n, D) of P, V and Q.
        factor: The factor.
        kinds: Kinds of probes for classes. A continuous factor is predicted by ridge regression and, where
            "mlp" is among the kinds, by an MLP.
        seed: Seed of the probes.

    Returns:
        None where P, V or Q has no face with a known value or P has a single value.
    """
    known = [part[mask] for part, mask in zip(codes, factor.known_masks(), strict=True)]
    values = factor.known_values()
    if min(map(len, values)) == 0 or len(np.unique(values[0])) < 2:
        return None
    information, accuracy = _classification_scores(known, _as_classes(values, factor.continuous), kinds, seed)
    score = _regression_score(known, values, kinds, seed) if factor.continuous else accuracy
    return Informativeness(information, score)


def block_scores(
    codes: Mapping[str, Sequence[np.ndarray]], factors: Sequence[Factor], kinds: Sequence[str], seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Block-MIG, block-SAP and block-DCI of each factor.

    All are in -1..1, and 0 where all codes predict the factor equally well or none does.

    Args:
        codes: (n, D) of P, V and Q for each code.
        factors: The known factors.
        kinds: Kinds of probes.
        seed: Seed of the probes and shuffles.

    Returns:
        For each factor: `block_mig`, the usable information of the factor's own code minus that of the best
        other code, as a share of the factor's entropy; `block_sap`, the same difference in balanced accuracy
        or R^2; `block_dci`, completeness over blocks: 1 where only the own code is important, 0 where all are
        equally important, negative where another code is the most important; and by code its `score` and
        `information`. The three scores are None for a factor without known values in P, V or Q.

    Source: after Chen et al., NeurIPS 2018 (MIG); Kumar, Sattigeri & Balakrishnan, ICLR 2018 (SAP);
    Eastwood & Williams, ICLR 2018 (DCI). Deviation: blocks in place of single dimensions.
    """
    return {factor.name: _block_scores(codes, factor, kinds, seed) for factor in factors}


def _block_scores(
    codes: Mapping[str, Sequence[np.ndarray]], factor: Factor, kinds: Sequence[str], seed: int
) -> dict[str, Any]:
    by_code: dict[str, Informativeness] = {}
    for name, parts in codes.items():
        found = informativeness(parts, factor, kinds, seed)
        if found is None:
            return {"block_mig": None, "block_sap": None, "block_dci": None}
        by_code[name] = found
    own = by_code[factor.branch]
    others = [value for name, value in by_code.items() if name != factor.branch]
    importances = block_importances(codes, factor, seed)
    dci = completeness(np.array(list(importances.values())))
    return {
        "block_mig": own.information - max(other.information for other in others),
        "block_sap": own.score - max(max(other.score, 0.0) for other in others),
        "block_dci": dci if max(importances, key=lambda name: importances[name]) == factor.branch else -dci,
        "score": {name: value.score for name, value in by_code.items()},
        "information": {name: value.information for name, value in by_code.items()},
    }


def block_importances(codes: Mapping[str, Sequence[np.ndarray]], factor: Factor, seed: int) -> dict[str, float]:
    """Permutation importance of each code for a linear probe on all codes together.

    The loss of balanced accuracy or R^2 on Q when one code is shuffled among the faces, at least 0. Two
    redundant codes share their importance.

    Source: Breiman, Random forests, Machine Learning 45, 2001 (permutation importance).
    Deviation: whole blocks in place of single variables.
    """
    parts = [
        np.concatenate([code[number][mask] for code in codes.values()], axis=1)
        for number, mask in enumerate(factor.known_masks())
    ]
    generator, ends = np.random.default_rng(seed), np.cumsum([0, *(code[2].shape[1] for code in codes.values())])
    score = _linear_scorer(parts, factor.known_values(), factor.continuous)
    unshuffled, importances = score(parts[2]), {}
    for name, start, end in zip(codes, ends[:-1], ends[1:], strict=True):
        drops = []
        for _ in range(SHUFFLES):
            shuffled = parts[2].copy()
            shuffled[:, start:end] = shuffled[generator.permutation(len(shuffled)), start:end]
            drops.append(unshuffled - score(shuffled))
        importances[name] = max(0.0, float(np.mean(drops)))
    return importances


def completeness(importances: np.ndarray) -> float:
    """1 minus the base-k entropy of k `importances`: 1 where one has all, 0 where all are equal or all are 0.

    Source: Eastwood & Williams, A framework for the quantitative evaluation of disentangled
    representations, ICLR 2018.
    """
    importances = np.asarray(importances, dtype=np.float64)
    if importances.sum() <= 0 or len(importances) < 2:
        return 0.0
    shares = importances[importances > 0] / importances.sum()
    return float(1 + (shares * np.log(shares)).sum() / np.log(len(importances)))


def _as_classes(values: Sequence[np.ndarray], continuous: bool) -> list[np.ndarray]:
    if not continuous:
        return list(values)
    edges = np.unique(np.quantile(values[0], np.linspace(0, 1, BINS + 1)[1:-1]))
    return [np.searchsorted(edges, part, "right") for part in values]


def _classification_scores(
    codes: Sequence[np.ndarray], labels: Sequence[np.ndarray], kinds: Sequence[str], seed: int
) -> tuple[float, float]:
    """Information as a share of the entropy, and balanced accuracy, on Q; each of the best probe by it on V."""
    num_classes = int(max(part.max() for part in labels)) + 1
    train, val, test = (ProbeData(code, label) for code, label in zip(codes, labels, strict=True))
    probes = fit_probes(train, val, num_classes, kinds, seed)
    val_logits = {kind: probe.logits(val.codes) for kind, probe in probes.items()}
    temperatures = {kind: fit_balanced_temperature(logits, val.labels) for kind, logits in val_logits.items()}
    costs = {kind: balanced_cross_entropy(val_logits[kind], val.labels, temperatures[kind]) for kind in probes}
    cheapest = min(costs, key=lambda kind: costs[kind])
    most_accurate = max(probes, key=lambda kind: probes[kind].val_score)
    entropy = np.log2(max(2, len(np.unique(test.labels))))
    cost = balanced_cross_entropy(probes[cheapest].logits(test.codes), test.labels, temperatures[cheapest])
    predictions = probes[most_accurate].logits(test.codes).argmax(axis=1)
    return max(0.0, 1 - cost / entropy), balanced_accuracy_score(test.labels, predictions, num_classes)


def _regression_score(
    codes: Sequence[np.ndarray], values: Sequence[np.ndarray], kinds: Sequence[str], seed: int
) -> float:
    train, val, test = (RegressionData(code, value[:, None]) for code, value in zip(codes, values, strict=True))
    results = [ridge_probe(train, val, test.codes)]
    if "mlp" in kinds:
        results.append(mlp_regression_probe(train, val, test.codes, seed))
    best = max((one for one in results if one is not None), key=lambda one: one.val_score)
    return _r2_or_0(test.targets, best.predictions)


def _r2_or_0(targets: np.ndarray, predictions: np.ndarray) -> float:
    return float(np.nan_to_num(r2_score(targets, predictions)))


def _linear_scorer(
    codes: Sequence[np.ndarray], values: Sequence[np.ndarray], continuous: bool
) -> Callable[[np.ndarray], float]:
    """A function from codes of Q to the score of a linear probe that is fitted on P."""
    if continuous:
        train, val, test = (RegressionData(code, value[:, None]) for code, value in zip(codes, values, strict=True))
        predict = fit_ridge(train, val)
        return lambda changed: _r2_or_0(test.targets, predict(changed))
    num_classes = int(max(part.max() for part in values)) + 1
    probe = whitened_probe(ProbeData(codes[0], values[0]), ProbeData(codes[1], values[1]), num_classes)
    assert probe is not None  # P has two classes and V is not empty
    return lambda changed: balanced_accuracy_score(values[2], probe.logits(changed).argmax(axis=1), num_classes)
