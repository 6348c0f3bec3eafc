"""The codes of many faces as one table of arrays: what every measure reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np


@dataclass(frozen=True)
class CodeTable:
    """What a model says about n faces of which the expression is known.

    Attributes:
        rows: (n,) int rows of the faces cache.
        expression: (n, E) float32 expression codes.
        rest: (n, R) float32 rest codes, None where the model has no rest branch.
        trunk: (n, T) float32 trunk features, pooled over the picture.
        probabilities: (n, K) float32 of the expression head, rows summing to 1.
        adversary: (n, K) float32 of the adversary that was trained along, None where there is none.
        labels: (n,) int index into `classes`.
        identities: (n,) str, "" where unknown.
        splits: (n,) str split of each face in the cache.
        classes: K names of the expressions.
        factors: What else is known, by name: (n,) float numbers, NaN where unknown, or str classes, "" where unknown.
        extra_codes: (n, R) float32 codes of further branches, by name.
        factor_branches: The code that a factor belongs to, where the model was trained so.
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
        """(n, D) of the code called so, None where there is none."""
        return self.extra_codes[name] if name in self.extra_codes else getattr(self, name)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: np.ndarray) -> "CodeTable":
        """The faces that `chosen` picks: a (n,) bool mask or indices into this table."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        taken = {name: None if column is None else column[chosen] for name, column in columns.items()}
        mapped = {kind: {name: column[chosen] for name, column in getattr(self, kind).items()} for kind in _MAPPED}
        return replace(self, **taken, **mapped)

    def select_split(self, split: str) -> "CodeTable":
        """The faces of one split of the cache."""
        return self.take(self.splits == split)


_MAPPED = ("factors", "extra_codes")
_COLUMNS = tuple(
    column.name for column in fields(CodeTable) if column.name not in ("classes", "factor_branches", *_MAPPED)
)
