"""Leakage of a label in any embedding, measured by fresh probes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from facedis.config import EvalConfig
from facedis.errors import InputError
from facedis.metrics.codes import CodeTable
from facedis.metrics.probe_splits import FaceLabels, split_for_probes
from facedis.metrics.probes.controls import permutation_null
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.representation.collapse import collapse
from facedis.metrics.representation.leakage import best_probe, best_usable_information, run_probes
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.result import Estimate, Result
from facedis.tasks.evaluation.leakage_probes import KINDS


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class AuditResult(Result):
    """Leakage of a label in an embedding. Accuracies are balanced accuracies on the test part.

    Attributes:
        n: Number of rows.
        size: Number of dimensions D.
        classes: The K labels as text, sorted.
        seed: Seed of the split, the probes and the bootstrap.
        parts: Number of rows that probes are fitted on (P), chosen on (V) and tested on (Q).
        probes: Accuracy by kind of probe.
        strongest: Accuracy of the probe with the highest accuracy on V.
        strongest_kind: Kind of that probe.
        null: Accuracy after the labels are shuffled; the interval contains 95 % of the shuffles. None if undefined.
        bits: Usable information about the label in bits, a lower bound of the mutual information.
        share: Usable information as a fraction of the entropy of the label.
        collapse: `effective_rank`, `dead_share`, `mean_cosine` and `total_variance` of the embedding.
    """

    kind: ClassVar[str] = "audit"

    n: int
    size: int
    classes: tuple[str, ...]
    seed: int
    parts: Mapping[str, int]
    probes: Mapping[str, Estimate]
    strongest: Estimate
    strongest_kind: str
    null: Estimate | None
    bits: Estimate
    share: Estimate
    collapse: Mapping[str, Estimate]

    @property
    def chance(self) -> float:
        """Balanced accuracy of a constant prediction."""
        assert self.strongest.chance is not None  # set by the metric
        return self.strongest.chance

    def table_rows(self) -> Sequence[Mapping[str, Any]]:
        """One row per probe."""
        return [{"probe": kind, "accuracy": found, "chance": found.chance} for kind, found in self.probes.items()]

    def summary(self) -> Mapping[str, object]:
        """Accuracy of the strongest probe, its kind, chance and usable information."""
        return {
            "strongest": self.strongest,
            "strongest_kind": self.strongest_kind,
            "chance": round(self.chance, 3),
            "bits": self.bits,
        }


def audit(
    codes: ArrayLike,
    labels: Sequence[object] | np.ndarray,
    groups: Sequence[object] | np.ndarray | None = None,
    *,
    probes: Literal["all", "linear"] = "all",
    probe_max_samples: int = 10_000,
    bootstrap_samples: int = 1_000,
    seed: int = 0,
) -> AuditResult:
    """Measure how well fresh probes predict a label from any embedding.

    Half of the rows are the test part. Probes are fitted on the others, with hyperparameters chosen on a tenth of all
    rows. No group is in two parts, and intervals are over groups.

    Args:
        codes: (n, D) numbers.
        labels: (n,) labels of any type.
        groups: (n,) groups, such as people, whose rows depend on each other; "" or None in a row means that it is
            independent of all others, as all rows are if `groups` is None.
        probes: "all" kinds, or "linear" ones, which take seconds.
        probe_max_samples: Maximum number of rows that probes are fitted on.
        bootstrap_samples: Resamples of each interval.
        seed: Seed of the split, the probes and the bootstrap.

    Raises:
        InputError: The arrays do not fit together, `codes` has a value that is not finite, or there are too few labels
            or groups for a probe.
        ConfigError: An option is out of range.

    Source: the probes are those of `facedis eval`; see docs/method.md.
    """
    config = EvalConfig(
        split="all",
        probes=probes,
        probe_max_samples=probe_max_samples,
        bootstrap_samples=bootstrap_samples,
        seed=seed,
    )
    table = _code_table(np.asarray(codes), labels, groups)
    bootstrap = Bootstrap(n_resamples=config.bootstrap_samples, seed=config.seed)
    with threadpool_limits(1):  # the results do not depend on the number of cores
        split = split_for_probes(
            FaceLabels(table.labels, table.identities, table.splits), config.split, config.probe_max_samples, seed
        )
        train, val, test = (table.take(rows) for rows in (split.probe_train, split.probe_val, split.probe_test))
        parts = (train.trunk, val.trunk, test.trunk)
        results = run_probes(parts, (train, val, test), KINDS[config.probes], bootstrap)
        best, information = best_probe(results.values()), best_usable_information(results.values(), test, bootstrap)
        if best is None or information is None:
            raise InputError(
                f"no probe can be fitted on {len(train)} of {len(table)} rows",
                "give two or more labels, and more rows or groups",
            )
        fitted, tested = (ProbeData(part.trunk, part.labels) for part in (train, test))
        null = permutation_null(fitted, tested, len(table.classes), bootstrap)
        collapsed = collapse(table.trunk, table.identities, bootstrap)
    return AuditResult(
        n=len(table),
        size=table.trunk.shape[1],
        classes=table.classes,
        seed=seed,
        parts={"P": len(train), "V": len(val), "Q": len(test)},
        probes={kind: result.balanced_accuracy for kind, result in results.items()},
        strongest=best.balanced_accuracy,
        strongest_kind=best.kind,
        null=null,
        bits=information["bits"],
        share=information["share"],
        collapse=collapsed,
    )


def _code_table(
    codes: np.ndarray, labels: Sequence[object] | np.ndarray, groups: Sequence[object] | np.ndarray | None
) -> CodeTable:
    """The embedding as a table of codes: its columns are in `trunk`, its groups are the identities.

    Raises:
        InputError: As `audit`.
    """
    n = len(labels)
    if codes.ndim != 2 or codes.shape[1] == 0 or codes.dtype.kind not in "fiub":
        shape = " x ".join(map(str, codes.shape))
        raise InputError(f"codes is an array of {shape} {codes.dtype}", "give one row of numbers per label")
    if len(codes) != n or (groups is not None and len(groups) != n):
        counts = f"{len(codes)} codes, {n} labels" + ("" if groups is None else f" and {len(groups)} groups")
        raise InputError(f"there are {counts}", "give as many of each")
    values = codes.astype(np.float32)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise InputError(f"row {row} of codes is not finite", "leave such rows out")
    names, indices = np.unique(np.array([str(label) for label in labels], dtype=str), return_inverse=True)
    known = [""] * n if groups is None else ["" if group is None else str(group) for group in groups]
    return CodeTable(
        rows=np.arange(n),
        expression=values[:, :0],
        rest=None,
        trunk=values,
        probabilities=np.zeros((n, 0), np.float32),
        adversary=None,
        labels=indices.reshape(-1),
        identities=np.array(known, dtype=str),
        splits=np.full(n, "all"),
        classes=tuple(names.tolist()),
    )
