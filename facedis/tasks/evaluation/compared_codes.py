"""Codes that an evaluation compares: those of the model, LEACE-erased trunk features, and a random branch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from facedis.metrics.codes import CodeTable
from facedis.metrics.erasure.leace import fit_leace
from facedis.metrics.probes.linear import mean_and_scale
from facedis.metrics.representation.leakage import ProbeTables

#: Negative slope of the random branch.
_SLOPE = 0.2
#: Size of the random branch if the model has no rest code.
_SIZE = 256


@dataclass(frozen=True)
class ComparedCode:
    """One code of all faces of an evaluation.

    Attributes:
        probe_train, probe_val, probe_test: (n, D) codes of the probe splits.
        evaluated: (n, D) codes of all evaluated faces.
    """

    probe_train: np.ndarray
    probe_val: np.ndarray
    probe_test: np.ndarray
    evaluated: np.ndarray

    @property
    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The probe splits."""
        return self.probe_train, self.probe_val, self.probe_test


def compared_codes(parts: ProbeTables, evaluated: CodeTable, seed: int) -> dict[str, ComparedCode]:
    """The compared codes by name.

    Args:
        parts: Tables of the probe splits.
        evaluated: Table of all evaluated faces.
        seed: Seed of the random branch.

    Returns:
        `rest` (if the model has one), `expression`, `trunk` and the codes of additional branches; `erased_trunk`, the
        trunk features after LEACE has erased the expression, a baseline for trained rest codes; and `random`, one
        random layer on the trunk features.
    """
    tables = (*parts, evaluated)
    found: dict[str, ComparedCode] = {}
    for name in ("rest", "expression", "trunk", *evaluated.extra_codes):
        columns = [column for table in tables if (column := table.code(name)) is not None]
        if columns:
            found[name] = ComparedCode(*columns)
    if len(np.unique(parts[0].labels)) > 1:
        eraser = fit_leace(parts[0].trunk, parts[0].labels, len(evaluated.classes))
        found["erased_trunk"] = ComparedCode(*(eraser.erase(table.trunk).astype(np.float32) for table in tables))
    if len(parts[0]):
        found["random"] = ComparedCode(*_random_branch(tables, seed))
    return found


def _random_branch(tables: tuple[CodeTable, ...], seed: int) -> Iterator[np.ndarray]:
    centre, scale = mean_and_scale(tables[0].trunk)
    size = _SIZE if tables[0].rest is None else tables[0].rest.shape[1]
    layer = np.random.default_rng(seed).normal(0, 1 / np.sqrt(len(centre)), (len(centre), size))
    for table in tables:
        output = (table.trunk - centre) / scale @ layer
        yield np.where(output > 0, output, _SLOPE * output).astype(np.float32)
