"""The codes of many faces as one table of arrays: the input of most metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class CodeTable:
    """Codes, predictions and labels of n faces with known expressions.

    Attributes:
        rows: (n,) int rows of the faces cache.
        expression: (n, E) float32 expression codes.
        rest: (n, R) float32 rest codes; None where the model has no rest branch.
        trunk: (n, T) float32 trunk features, averaged over the image.
        probabilities: (n, K) float32 of the expression head, rows summing to 1.
        adversary: (n, K) float32 probabilities of the adversary of the training; None where there is none.
        labels: (n,) int index into `classes`.
        identities: (n,) str, "" where unknown.
        splits: (n,) str split of each face in the cache.
        classes: Names of the K expressions.
        factors: Further factors by name: (n,) float, NaN where unknown, or (n,) str, "" where unknown.
        extra_codes: (n, D) float32 codes of further branches by name.
        factor_branches: Code of each factor that the model was trained to encode.
    """

    rows: np.ndarray
    expression: np.ndarray
    rest: np.ndarray | None
    trunk: np.ndarray
    probabilities: np.ndarray
    adversary: np.ndarray | None
    labels: np.ndarray
    identities: np.ndarray
    splits: np.ndarray
    classes: tuple[str, ...]
    factors: Mapping[str, np.ndarray] = field(default_factory=dict)
    extra_codes: Mapping[str, np.ndarray] = field(default_factory=dict)
    factor_branches: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            column = getattr(self, name)
            if column is not None and len(column) != len(self.rows):
                raise ValueError(f"{name} has {len(column)} rows, expected {len(self.rows)}")
        for name, column in (*self.factors.items(), *self.extra_codes.items()):
            if len(column) != len(self.rows):
                raise ValueError(f"factor {name} has {len(column)} rows, expected {len(self.rows)}")

    def code(self, name: str) -> np.ndarray | None:
        """(n, D) codes by name: expression, rest, trunk or one of `extra_codes`; None where there is no such code."""
        return self.extra_codes[name] if name in self.extra_codes else getattr(self, name)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: np.ndarray) -> "CodeTable":
        """Some of the faces: a (n,) bool mask or indices into this table."""
        taken: dict[str, Any] = {}
        for name in _COLUMNS:
            column = getattr(self, name)
            taken[name] = None if column is None else column[chosen]
        for name in _MAPPED:
            taken[name] = {key: column[chosen] for key, column in getattr(self, name).items()}
        return replace(self, **taken)


_MAPPED = ("factors", "extra_codes")
_COLUMNS = tuple(each.name for each in fields(CodeTable) if each.name not in ("classes", "factor_branches", *_MAPPED))
