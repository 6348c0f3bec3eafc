"""The tables and caveats of an evaluation, the same in the terminal, on the HTML page and in the model card."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from facedis.reports.labels import CODE_LABELS, PROBE_LABELS
from facedis.reports.numbers import (
    DECIMAL,
    ESTIMATE_COLUMNS,
    MISSING,
    NATS,
    PERCENT,
    RATIO,
    EstimateRow,
    NumberFormat,
    count,
)
from facedis.reports.tables.table_formats import TextTable

_CLASSIFICATION = (
    ("accuracy", "accuracy", PERCENT),
    ("accuracy without contempt", "accuracy_without_contempt", PERCENT),
    ("balanced accuracy", "balanced_accuracy", PERCENT),
    ("macro-F1", "macro_f1", PERCENT),
    ("majority-class baseline", "majority_rate", PERCENT),
    ("expected calibration error", "ece", PERCENT),
    ("log loss", "nll", NATS),
)
_REST = (
    ("relative to the trunk", "normalised", RATIO),
    ("usable information", "bits", NumberFormat(unit=" bits")),
    ("usable information / entropy", "share", PERCENT),
    ("control: shuffled labels", "null", PERCENT),
    ("control: selectivity", "selectivity", PERCENT),
)
_ADVERSARY = (
    ("adversary: most frequent class", "majority_share", PERCENT),
    ("adversary: normalised entropy", "entropy", DECIMAL),
    ("adversary: excess confusion loss", "confusion_excess", NATS),
)
_VERIFICATION = (
    ("AUC", "identity_auc", DECIMAL),
    ("EER", "eer", PERCENT),
    ("TAR@1 % FAR", "tar_at_far_1", PERCENT),
    ("rank-1", "rank1", PERCENT),
)
_SCORES = {"block_mig": "block-MIG", "block_sap": "block-SAP", "block_dci": "block-DCI", "mig": "MIG", "sap": "SAP"}


def classification_tables(result: Mapping[str, Any]) -> list[TextTable]:
    """The tables about the expression classifier: its metrics and its recall per expression."""
    task = result["task"]
    metrics = (EstimateRow(label, style, task[key]) for label, key, style in _CLASSIFICATION if key in task)
    recall = (EstimateRow(name, PERCENT, estimate) for name, estimate in result["recall"].items())
    return _tables({"Expression classification": metrics, "Recall per expression": recall})


def code_tables(result: Mapping[str, Any]) -> list[TextTable]:
    """The tables of leakage and retention; tables without a row are left out."""
    leakage, retention = result["leakage"], result["retention"]
    people = leakage.get("identity")
    of = f" of {count(people['people'], 'person', 'people')}" if people else ""
    return _tables(
        {
            "Leakage: expression in the rest code": _rest_rows(leakage),
            "Best probe: balanced accuracy of the expression": _best_probe_rows(leakage, "expression"),
            f"Best probe: balanced accuracy of the identity{of}": _best_probe_rows(leakage, "identity"),
            "Retention: pairs by cosine similarity (AUC)": _auc_rows(retention),
            "Retention: trunk features after LEACE explained (R²)": _explained_rows(retention),
        }
    )


def verification_table(retention: Mapping[str, Any]) -> list[TextTable]:
    """Verification metrics of every code with their intervals; empty without identities."""
    rows = (
        EstimateRow(f"{label}: {metric}", style, retention[f"{key}_{code}"])
        for code, label in CODE_LABELS.items()
        for metric, key, style in _VERIFICATION
        if retention.get(f"{key}_{code}") is not None
    )
    return _tables({"Identity verification across expressions": rows})


def verification_summary(retention: Mapping[str, Any]) -> list[TextTable]:
    """Verification metrics with one row per code, without intervals; empty without identities."""
    rows, chance = [], (MISSING,) * len(_VERIFICATION)
    for code, label in CODE_LABELS.items():
        if retention[f"identity_auc_{code}"] is not None:
            estimates = [(style, retention[f"{key}_{code}"]) for _, key, style in _VERIFICATION]
            rows.append((label, *(style.value(estimate) for style, estimate in estimates)))
            chance = tuple(style.chance(estimate) for style, estimate in estimates)
    header = ("", *(metric for metric, _, _ in _VERIFICATION))
    title = "Identity verification across expressions"
    return [TextTable(title, header, (*rows, ("chance", *chance)))] if rows else []


def factor_tables(result: Mapping[str, Any]) -> list[TextTable]:
    """Disentanglement scores and probe scores of the known factors; empty if no factor is known."""
    leakage, factors = result["leakage"], result["factors"]
    known = [name for name in factors if name != "all"]
    if not known:
        return []
    scores = tuple((name, *(_decimal(factors[name].get(key)) for key in _SCORES)) for name in known)
    title = "Known factors (1: own code only, 0: both codes or neither, -1: other code only)"
    return [TextTable(title, ("", *_SCORES.values()), scores), *_probe_scores(leakage, factors, known)]


def collapse_table(collapse: Mapping[str, Any]) -> TextTable:
    """Effective rank, dead dimensions, mean cosine and variance of each code."""
    rows = []
    for name, measures in collapse.items():
        if measures is not None:
            variance = measures["total_variance"]["value"]
            rows.append(
                (
                    CODE_LABELS[name],
                    str(measures["size"]),
                    NumberFormat(digits=1).value(measures["effective_rank"]),
                    PERCENT.value(measures["dead_share"]),
                    DECIMAL.with_interval(measures["mean_cosine"]),
                    MISSING if variance is None else f"{variance:.3g}",
                )
            )
    return TextTable("Collapse", ("", "dim", "eff. rank", "dead", "mean cosine", "variance"), tuple(rows))


def confusion_table(result: Mapping[str, Any]) -> TextTable:
    """The confusion matrix as counts."""
    pairs = zip(result["classes"], result["confusion"], strict=True)
    rows = tuple((name, *(f"{cell:,}" for cell in row)) for name, row in pairs)
    return TextTable("Confusion matrix (row: true, column: predicted)", ("", *result["classes"]), rows)


def caveats(result: Mapping[str, Any]) -> list[str]:
    """What limits the interpretation: notes, faces left out, reasons of missing numbers."""
    found = list(result["notes"])
    if result["left_out"]:
        names = ", ".join(f"{n:,} {name}" for name, n in result["left_out"].items())
        found.append(f"faces left out because the model has no such expression: {names}")
    return [*found, *dict.fromkeys(result["reasons"].values())]


def _tables(rows: Mapping[str, Iterable[EstimateRow]]) -> list[TextTable]:
    cells = {title: tuple(row.cells() for row in table) for title, table in rows.items()}
    return [TextTable(title, ESTIMATE_COLUMNS, table) for title, table in cells.items() if table]


def _rest_rows(leakage: Mapping[str, Any]) -> Iterator[EstimateRow]:
    rest = leakage["expression_in_rest"]
    if rest is None:
        return
    for kind, label in PROBE_LABELS.items():
        if rest.get(kind) is not None:
            yield EstimateRow(label, PERCENT, rest[kind])
    yield EstimateRow(f"best: {PROBE_LABELS.get(rest['kind'], MISSING)}", PERCENT, rest["strongest"])
    for label, key, style in _REST:
        if rest[key] is not None:
            yield EstimateRow(label, style, rest[key])
    for label, key, style in _ADVERSARY if leakage["adversary"] else ():
        yield EstimateRow(label, style, leakage["adversary"][key])


def _best_probe_rows(leakage: Mapping[str, Any], target: str) -> Iterator[EstimateRow]:
    for code, label in CODE_LABELS.items():
        found = leakage.get(f"{target}_in_{code}")
        if found is not None:
            yield EstimateRow(label, PERCENT, found["strongest"])


def _auc_rows(retention: Mapping[str, Any]) -> Iterator[EstimateRow]:
    for code, label in CODE_LABELS.items():
        if retention[f"identity_auc_{code}"] is not None:
            yield EstimateRow(f"identity, {label}", DECIMAL, retention[f"identity_auc_{code}"])
    if retention["normalised"] is not None:
        yield EstimateRow("identity, rest relative to trunk", RATIO, retention["normalised"])
    if retention["same_expression_auc"] is not None:
        yield EstimateRow("expression, expression code", DECIMAL, retention["same_expression_auc"])


def _explained_rows(retention: Mapping[str, Any]) -> Iterator[EstimateRow]:
    for code in ("rest", "expression", "random"):
        if retention[f"embedding_r2_{code}"] is not None:
            yield EstimateRow(CODE_LABELS[code], DECIMAL, retention[f"embedding_r2_{code}"])


def _probe_scores(leakage: Mapping[str, Any], factors: Mapping[str, Any], known: Sequence[str]) -> Iterator[TextTable]:
    """One row per factor, one column per code."""
    codes = tuple(factors.get("expression", {}).get("score") or ())
    if not codes:
        return
    rows = []
    for target in ("expression", *(["identity"] if leakage.get("identity") else [])):
        found = [leakage.get(f"{target}_in_{code}") for code in codes]
        rows.append((target, *(PERCENT.value(probe["strongest"]) if probe else MISSING for probe in found)))
    for name in known:
        if name != "expression" and factors[name].get("score"):
            rows.append((name, *(_decimal(factors[name]["score"][code]) for code in codes)))
    yield TextTable("Known factors by probes (accuracy of classes, R² of numbers)", ("", *codes), tuple(rows))


def _decimal(value: float | None) -> str:
    return MISSING if value is None else DECIMAL.value({"value": value})
