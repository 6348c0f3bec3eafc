"""The codes that an evaluation compares: the model's own, and two that show what is easy."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from facedis.metrics.codes import CodeTable
from facedis.metrics.erasure.leace import fit_leace
from facedis.metrics.probes.linear import mean_and_scale
from facedis.metrics.representation.leakage import ProbeTables

#: Slope of the random branch for negative numbers.
_SLOPE = 0.2
#: Size of the random branch where the model has no rest code.
_SIZE = 256


@dataclass(frozen=True)
class ComparedCode:
    """One code on all faces of an evaluation.

    Attributes:
        probe, selection, test: (n, D) of P, V and Q.
        whole: (n, D) of all faces that are evaluated.
    """

    probe: np.ndarray
    selection: np.ndarray
    test: np.ndarray
    whole: np.ndarray

    @property
    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """P, V and Q."""
        return self.probe, self.selection, self.test


def compared_codes(parts: ProbeTables, whole: CodeTable, seed: int) -> dict[str, ComparedCode]:
    """Every code that is measured, by name.

    Args:
        parts: P, V and Q.
        whole: All faces that are evaluated.
        seed: Of the random branch.

    Returns:
        `rest` (where there is one), `expression`, `trunk`, those of further branches; `erased_trunk`, the
        trunk features after LEACE has taken the expression out, which any trained rest code should beat;
        `random`, what a branch knows that has learned nothing: one random layer on the trunk features.
    """
    tables = (*parts, whole)
    found = {
        name: ComparedCode(*(table.code(name) for table in tables))
        for name in ("rest", "expression", "trunk", *whole.extra_codes)
        if whole.rest is not None or name != "rest"
    }
    if len(np.unique(parts[0].labels)) > 1:
        eraser = fit_leace(parts[0].trunk, parts[0].labels, len(whole.classes))
        found["erased_trunk"] = ComparedCode(*(eraser.erase(table.trunk).astype(np.float32) for table in tables))
    if len(parts[0]):
        found["random"] = ComparedCode(*_random_branch(tables, seed))
    return found


def _random_branch(tables: tuple[CodeTable, ...], seed: int) -> Iterator[np.ndarray]:
    centre, scale = mean_and_scale(tables[0].trunk)
    size = _SIZE if tables[0].rest is None else tables[0].rest.shape[1]
    layer = np.random.default_rng(seed).normal(0, 1 / np.sqrt(len(centre)), (len(centre), size))
    for table in tables:
        shown = (table.trunk - centre) / scale @ layer
        yield np.where(shown > 0, shown, _SLOPE * shown).astype(np.float32)
