"""Block-MIG, block-SAP and block-DCI: is each known factor told by the code that it belongs to, and only by it?

The classic scores ask whether a single *number* of a code owns a factor; with codes of 256 numbers they
are near 0 even where two whole codes are perfectly divided. Here a code takes the place of a number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facedis.metrics.classification.accuracy import balanced_accuracy, confusion_matrix
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.probe_suite import fit_probes
from facedis.metrics.probes.regression import RegressionData, fit_ridge, mlp_regression_probe, ridge_probe
from facedis.metrics.probes.whitening import whitened_probe
from facedis.metrics.representation.information import balanced_cross_entropy, fit_balanced_temperature

#: A continuous factor becomes this many classes, equally frequent in P, where information is counted.
BINS = 10
#: Shuffles of a block behind its importance.
SHUFFLES = 5


@dataclass(frozen=True)
class Factor:
    """One known factor on P, V and Q.

    Attributes:
        name: What it is called.
        branch: The code it belongs to.
        values: Of P, V and Q: int classes 0..K-1, or float numbers; NaN and -1 are unknown.
    """

    name: str
    branch: str
    values: tuple[np.ndarray, np.ndarray, np.ndarray]

    @property
    def continuous(self) -> bool:
        """Whether it is a number rather than a class."""
        return self.values[0].dtype.kind == "f"

    def known_masks(self) -> "tuple[np.ndarray, ...]":
        """Masks of P, V and Q where it is known."""
        return tuple(np.isfinite(part) if self.continuous else part >= 0 for part in self.values)


@dataclass(frozen=True)
class Informativeness:
    """How much one code, or all of them together, tells of a factor.

    Attributes:
        information: Usable information as a share of the factor's entropy, 0..1.
        score: R^2 of a number, balanced accuracy of a class.
    """

    information: float
    score: float


def informativeness(
    codes: Sequence[np.ndarray], factor: Factor, kinds: Sequence[str], seed: int
) -> Informativeness | None:
    """What the strongest probe reads, chosen on V.

    Args:
        codes: (n, D) of P, V and Q.
        factor: What is read.
        kinds: Kinds of probes for classes; numbers are read by ridge regression and, where "mlp" is
            among the kinds, by a network.
        seed: Of the probes.

    Returns:
        None where P, V or Q is empty or P shows one value only.
    """
    masks = factor.known_masks()
    shown = [part[mask] for part, mask in zip(codes, masks, strict=True)]
    values = [part[mask] for part, mask in zip(factor.values, masks, strict=True)]
    if min(map(len, values)) == 0 or len(np.unique(values[0])) < 2:
        return None
    classes = _classes(values, factor.continuous)
    information, accuracy = _read_classes(shown, classes, kinds, seed)
    if not factor.continuous:
        return Informativeness(information, accuracy)
    return Informativeness(information, _read_numbers(shown, values, kinds, seed))


def block_scores(
    codes: Mapping[str, Sequence[np.ndarray]], factors: Sequence[Factor], kinds: Sequence[str], seed: int = 0
) -> dict[str, dict[str, float | None]]:
    """How cleanly each factor lies in the code that it belongs to.

    `block_mig`: usable information of the owner minus that of the best other code, as a share of the
    factor's entropy. `block_sap`: the same difference of balanced accuracy, or of R^2 for a number.
    `block_dci`: completeness over blocks, 1 where one block alone matters and 0 where all matter
    equally, negative where the block that matters most is not the owner. All in -1..1, 0 where the
    codes tell the factor equally well or not at all.

    Args:
        codes: For each code its (n, D) numbers on P, V and Q.
        factors: What is known about the faces.
        kinds: Kinds of probes.
        seed: Of probes and shuffles.

    Returns:
        For each factor `block_mig`, `block_sap`, `block_dci`, `score` and `information` of each code;
        None for a factor that P, V or Q does not show.

    Source: after Chen et al., NeurIPS 2018 (MIG); Kumar, Sattigeri & Balakrishnan, ICLR 2018 (SAP);
    Eastwood & Williams, ICLR 2018 (DCI). Deviation: blocks in place of single numbers.
    """
    return {factor.name: _scored(codes, factor, kinds, seed) for factor in factors}


def _scored(
    codes: Mapping[str, Sequence[np.ndarray]], factor: Factor, kinds: Sequence[str], seed: int
) -> dict[str, float | None]:
    found = {name: informativeness(parts, factor, kinds, seed) for name, parts in codes.items()}
    if any(value is None for value in found.values()):
        return {"block_mig": None, "block_sap": None, "block_dci": None}
    own = found[factor.branch]
    others = [value for name, value in found.items() if name != factor.branch]
    importances = block_importances(codes, factor, seed)
    return {
        "block_mig": own.information - max(other.information for other in others),
        "block_sap": own.score - max(max(other.score, 0.0) for other in others),
        "block_dci": _owned(importances, factor.branch),
        "score": {name: value.score for name, value in found.items()},
        "information": {name: value.information for name, value in found.items()},
    }


def block_importances(codes: Mapping[str, Sequence[np.ndarray]], factor: Factor, seed: int) -> dict[str, float]:
    """How much a linear reader of all codes together loses on Q when one code is shuffled among the faces.

    In balanced accuracy, or R^2 for a number; 0 where nothing is lost. A code that only repeats what
    another says halves the importance of both.

    Source: Breiman, Random forests, Machine Learning 45, 2001 (permutation importance), of whole blocks.
    """
    masks = factor.known_masks()
    parts = [
        np.concatenate([code[number][mask] for code in codes.values()], axis=1) for number, mask in enumerate(masks)
    ]
    values = [part[mask] for part, mask in zip(factor.values, masks, strict=True)]
    generator, ends = np.random.default_rng(seed), np.cumsum([0, *(code[2].shape[1] for code in codes.values())])
    score = _scorer(parts, values, factor.continuous)
    whole, lost = score(parts[2]), {}
    for name, start, end in zip(codes, ends[:-1], ends[1:], strict=True):
        drops = []
        for _ in range(SHUFFLES):
            shuffled = parts[2].copy()
            shuffled[:, start:end] = shuffled[generator.permutation(len(shuffled)), start:end]
            drops.append(whole - score(shuffled))
        lost[name] = max(0.0, float(np.mean(drops)))
    return lost


def completeness(shares: np.ndarray) -> float:
    """1 minus the entropy of k `shares` to base k: 1 where one has all, 0 where all are equal or none has any.

    Source: Eastwood & Williams, A framework for the quantitative evaluation of disentangled
    representations, ICLR 2018.
    """
    shares = np.asarray(shares, dtype=np.float64)
    if shares.sum() <= 0 or len(shares) < 2:
        return 0.0
    likely = shares[shares > 0] / shares.sum()
    return float(1 + (likely * np.log(likely)).sum() / np.log(len(shares)))


def _owned(importances: Mapping[str, float], owner: str) -> float:
    whole = completeness(np.array(list(importances.values())))
    return whole if max(importances, key=lambda name: importances[name]) == owner else -whole


def _classes(values: Sequence[np.ndarray], continuous: bool) -> list[np.ndarray]:
    if not continuous:
        return list(values)
    edges = np.unique(np.quantile(values[0], np.linspace(0, 1, BINS + 1)[1:-1]))
    return [np.searchsorted(edges, part, "right") for part in values]


def _read_classes(
    codes: Sequence[np.ndarray], classes: Sequence[np.ndarray], kinds: Sequence[str], seed: int
) -> tuple[float, float]:
    """Share of the entropy and balanced accuracy on Q of the probes that V puts first in each."""
    number = int(max(part.max() for part in classes)) + 1
    parts = [ProbeData(code, label) for code, label in zip(codes, classes, strict=True)]
    probes = fit_probes(*parts[:2], classes=number, kinds=kinds, seed=seed)
    chosen = {kind: probe.logits(parts[1].codes) for kind, probe in probes.items()}
    temperatures = {kind: fit_balanced_temperature(logits, parts[1].labels) for kind, logits in chosen.items()}
    cheapest = min(chosen, key=lambda kind: balanced_cross_entropy(chosen[kind], parts[1].labels, temperatures[kind]))
    best = max(probes, key=lambda kind: probes[kind].val_score)
    entropy = np.log2(max(2, len(np.unique(parts[2].labels))))
    cost = balanced_cross_entropy(probes[cheapest].logits(parts[2].codes), parts[2].labels, temperatures[cheapest])
    answers = probes[best].logits(parts[2].codes).argmax(axis=1)
    return max(0.0, 1 - cost / entropy), float(balanced_accuracy(confusion_matrix(parts[2].labels, answers, number)))


def _read_numbers(codes: Sequence[np.ndarray], values: Sequence[np.ndarray], kinds: Sequence[str], seed: int) -> float:
    parts = [RegressionData(code, value[:, None]) for code, value in zip(codes, values, strict=True)]
    found = [ridge_probe(*parts[:2], parts[2].codes)]
    if "mlp" in kinds:
        found.append(mlp_regression_probe(*parts[:2], parts[2].codes, seed))
    best = max((one for one in found if one is not None), key=lambda one: one.val_score)
    return _r2(parts[2].targets, best.predictions)


def _r2(values: np.ndarray, predictions: np.ndarray) -> float:
    spread = ((values - values.mean(axis=0)) ** 2).sum()
    return float(1 - ((values - predictions) ** 2).sum() / spread) if spread > 0 else 0.0


def _scorer(
    parts: Sequence[np.ndarray], values: Sequence[np.ndarray], continuous: bool
) -> Callable[[np.ndarray], float]:
    """What a linear reader fitted on P scores on Q when it is shown other codes."""
    if continuous:
        fit, selection = (
            RegressionData(code, value[:, None]) for code, value in zip(parts[:2], values[:2], strict=True)
        )
        reader = fit_ridge(fit, selection)
        return lambda codes: _r2(values[2][:, None], reader(codes))
    number = int(max(part.max() for part in values)) + 1
    probe = whitened_probe(ProbeData(parts[0], values[0]), ProbeData(parts[1], values[1]), number)
    return lambda codes: float(
        balanced_accuracy(confusion_matrix(values[2], probe.logits(codes).argmax(axis=1), number))
    )
