"""Terminal output of `facedis swap-eval`, and the sentences that the model card uses too."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from facedis.reports.console import borderless, sentences, spaced
from facedis.reports.numbers import DECIMAL, PERCENT, NumberFormat, model_line

#: Percentages whose unit is in the label, so that the table fits 80 columns.
_PERCENTAGE = NumberFormat(100.0, 1)
#: Every metric: its key in the record, its label and its number format.
METRICS = (
    ("transfer", "target expression, %", _PERCENTAGE),
    ("copy_rate", "source expression, %", _PERCENTAGE),
    ("identity_to_rest_donor", "cosine: rest donor", DECIMAL),
    ("identity_to_expression_donor", "cosine: expr. donor", DECIMAL),
    ("closer_to_rest_donor", "closer to rest donor, %", _PERCENTAGE),
    ("verified_as_rest_donor", "verified: rest donor, %", _PERCENTAGE),
    ("verified_as_expression_donor", "verified: expr. donor, %", _PERCENTAGE),
    ("ssim", "SSIM to truth", DECIMAL),
    ("psnr", "PSNR to truth, dB", NumberFormat(digits=1)),
    ("kid", "KID to real faces", DECIMAL),
    ("round_trip.ssim", "round trip: SSIM", DECIMAL),
    ("round_trip.psnr", "round trip: PSNR, dB", NumberFormat(digits=1)),
    ("code_cycle.expression", "expression code cycle", DECIMAL),
    ("code_cycle.rest", "rest code cycle", DECIMAL),
)
#: References in columns of the table, and in rows below the swap's own.
_COLUMNS = {"copied": ("copying", "donors"), "reconstr.": ("reconstruction",), "real": ("real", "genuine")}
_ROWS = {"mean_face": "mean face", "impostor": "two people", "other_pictures": "by other images"}
_KINDS = {"across": "Rest and expression donor are two people", "within": "Both donors are one person"}


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "swap_eval"."""
    text = Text(f"Swaps on {result['faces']}\n", "bold")
    text.append(
        f"{model_line(result)}\nsplit {result['split']}, {result['n']:,} faces, seed {result['seed']}, "
        "95 % intervals\n",
        "dim",
    )
    yield text
    for kind, title in _KINDS.items():
        if result["pairs"][kind]:
            yield spaced(_table(result, kind, f"{title}: {result['pairs'][kind]:,} swaps"))
    yield from sentences("Findings", findings(result))
    yield from sentences("Caveats", [*result["notes"], *dict.fromkeys(result["reasons"].values())])
    if "output" in result:
        yield Text(f"Written: {result['output']}/result.json, swaps.png")
    if result.get("sheet"):
        yield Text(f"Contact sheet: {result['sheet']}")


def estimates(result: Mapping[str, Any], name: str, kind: str) -> Mapping[str, Mapping[str, Any]]:
    """The estimates of one metric ("ssim", "round_trip.ssim") for one kind of swaps; empty if it was not measured."""
    metric, _, part = name.partition(".")
    found = result[metric][kind] or {}
    return found[part] if part and found else found


def findings(result: Mapping[str, Any]) -> list[str]:
    """What the intervals show, one sentence each."""
    found = []
    for kind, which in (("across", "across people"), ("within", "within a person")):
        transfer, copied = estimates(result, "transfer", kind), estimates(result, "copy_rate", kind)
        if transfer:
            found.append(
                f"Swaps {which}: the expression model predicts the target expression for "
                f"{PERCENT.with_chance(transfer['swap'])}; for the donors' real faces "
                f"{PERCENT.value(transfer['real'])}, for their reconstructions "
                f"{PERCENT.value(transfer['reconstruction'])}."
            )
            baseline = max(copied["swap"]["chance"], copied["real"]["high"] or 1.0)
            if not _is_recognisable(transfer):
                found.append(
                    "The expression model hardly recognises reconstructions: these numbers measure the decoder rather "
                    "than the swap."
                )
            elif copied["swap"]["low"] is not None and copied["swap"]["low"] > baseline:
                found.append(f"{PERCENT.with_interval(copied['swap'])} of swaps {which} keep the source expression.")
        closer = estimates(result, "closer_to_rest_donor", kind)
        if closer:
            found.append(
                f"Of these swaps, {PERCENT.with_interval(closer['swap'])} are closer to the rest donor than to the "
                f"expression donor (chance {PERCENT.chance(closer['swap'])})."
            )
        ssim = estimates(result, "ssim", kind)
        if ssim:
            over = (_is_positive(ssim[f"over_{name}"]) for name in ("copying", "mean_face"))
            comparison = "than copying: {}; than the mean face: {}".format(*over)
            found.append(
                f"SSIM to the ground truth {which}: {DECIMAL.with_interval(ssim['swap'])}. Higher {comparison}."
            )
    return found


def _table(result: Mapping[str, Any], kind: str, title: str) -> Table:
    table = borderless(title, gap=1)
    table.add_column("", no_wrap=True)
    for name in ("swap", "interval", "chance", *_COLUMNS):
        table.add_column(name, justify="right", no_wrap=True)
    for name, label, style in METRICS:
        found = estimates(result, name, kind)
        if found:
            references = (next((found[key] for key in keys if key in found), None) for keys in _COLUMNS.values())
            cells = ("" if each is None else style.value(each) for each in references)
            table.add_row(label, *_cells(found["swap"], style), *cells)
            for key in (key for key in _ROWS if key in found):
                table.add_row(f"  {_ROWS[key]}", *_cells(found[key], style), style="dim")
    return table


def _cells(estimate: Mapping[str, Any], style: NumberFormat) -> tuple[str, str, str]:
    return style.value(estimate), style.interval(estimate), style.chance(estimate)


def _is_recognisable(transfer: Mapping[str, Any]) -> bool:
    """Whether the accuracy on reconstructions is at least half as far above chance as on real faces."""
    chance = transfer["swap"]["chance"]
    return bool(transfer["reconstruction"]["value"] - chance >= (transfer["real"]["value"] - chance) / 2)


def _is_positive(difference: Mapping[str, Any]) -> str:
    low, high = difference["low"], difference["high"]
    if low is None:
        return "unknown"
    return "yes" if low > 0 else "no" if high < 0 else "not significantly"
