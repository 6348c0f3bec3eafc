"""Disentanglement scores for faces with known factors besides the expression."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facedis.metrics.representation.block_disentanglement import Factor, block_scores
from facedis.metrics.representation.disentanglement import dci, mig, sap
from facedis.metrics.representation.leakage import ProbeTables
from facedis.tasks.evaluation.compared_codes import ComparedCode

#: Default code of a factor; factors that are not listed belong to the rest code.
DEFAULT_BRANCHES = {"expression": "expression", "intensity": "expression"}
#: Probes for categorical factors, by the setting `probes`.
KINDS = {"all": ("whitened", "mlp"), "linear": ("whitened",)}


def factor_scores(codes: Mapping[str, ComparedCode], parts: ProbeTables, probes: str, seed: int) -> dict[str, Any]:
    """Block and classic scores of every known factor, the expression among them.

    Args:
        codes: The compared codes.
        parts: Tables of the probe splits with their factors.
        probes: "all" or "linear".
        seed: Seed of probes and shuffles.

    Returns:
        For each factor the keys of `block_scores` with `mig` and `sap` of single numbers, and under
        `all` the `disentanglement` and `completeness` of DCI; empty where no factor is known or there
        is no rest code.
    """
    if "rest" not in codes or not parts[2].factors or min(map(len, parts)) == 0:
        return {}
    factors = [Factor("expression", "expression", (parts[0].labels, parts[1].labels, parts[2].labels)), *_known(parts)]
    own = {name: codes[name].parts for name in ("expression", "rest", *parts[2].extra_codes)}
    found: dict[str, Any] = block_scores(own, factors, KINDS[probes], seed)
    whole = {factor.name: factor for factor in factors if all(mask.all() for mask in factor.known_masks())}
    joined = [np.concatenate([code[part] for code in own.values()], axis=1) for part in range(3)]
    fit, test = ({name: factor.values[part] for name, factor in whole.items()} for part in (0, 2))
    gaps, separate = mig(joined[2], test), sap((joined[0], joined[2]), (fit, test))
    for name in whole:
        found[name] |= {"mig": gaps[name], "sap": separate[name]}
    return found | {"all": dci(joined[2], test, seed)} if len(whole) > 1 else found


def _known(parts: ProbeTables) -> Sequence[Factor]:
    branches = {**DEFAULT_BRANCHES, **parts[2].factor_branches}
    return [
        Factor(name, branches.get(name, "rest"), _as_numbers(*(part.factors[name] for part in parts)))
        for name in parts[2].factors
    ]


def _as_numbers(train: np.ndarray, val: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The columns of a factor: numbers unchanged, names as classes 0..K-1 with -1 for unknown."""
    if train.dtype.kind == "f":
        return train, val, test
    names = np.unique(np.concatenate([column.astype(str) for column in (train, val, test)]))
    names = names[names != ""]

    def index(column: np.ndarray) -> np.ndarray:
        return np.where(column.astype(str) == "", -1, np.searchsorted(names, column.astype(str)))

    return index(train), index(val), index(test)
