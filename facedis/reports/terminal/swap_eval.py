"""Judged swaps as a terminal page and a contact sheet."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from facedis.faces.io.provenance import save_image
from facedis.reports.numbers import DECIMAL, PERCENT, AnyEstimate, NumberFormat

#: Units stand in the labels, so that the table fits a terminal of 80 columns.
_SHARE = NumberFormat(100.0, 1)
#: Every measure: where it stands in the record, what it is called, how it is written.
MEASURES = (
    ("transfer", "wanted expression, %", _SHARE),
    ("copy_rate", "old expression, %", _SHARE),
    ("identity_to_rest_donor", "face: rest donor", DECIMAL),
    ("identity_to_expression_donor", "face: expression donor", DECIMAL),
    ("closer_to_rest_donor", "nearer to rest donor, %", _SHARE),
    ("verified_as_rest_donor", "passes as rest donor, %", _SHARE),
    ("verified_as_expression_donor", "as expression donor, %", _SHARE),
    ("ssim", "SSIM to the truth", DECIMAL),
    ("psnr", "PSNR to the truth, dB", NumberFormat(digits=1)),
    ("kid", "KID to real faces", DECIMAL),
    ("round_trip.ssim", "swapped back: SSIM", DECIMAL),
    ("round_trip.psnr", "swapped back: PSNR, dB", NumberFormat(digits=1)),
    ("code_cycle.expression", "expression code again", DECIMAL),
    ("code_cycle.rest", "rest code again", DECIMAL),
)
#: Figures that stand beside the swap's own, by the column they stand in.
_COLUMNS = {"copied": ("copying", "donors"), "redrawn": ("reconstruction",), "real": ("real", "genuine")}
#: Those that get a line of their own below it.
_BELOW = {"mean_face": "the mean face", "impostor": "two people", "other_pictures": "by other pictures"}
_KINDS = {"across": "Expression and rest from two people", "within": "Both from one person"}
#: The sheet: pixels of a picture, of gaps, of a caption.
TILE, GAP, CAPTION, ACROSS = 96, 4, 15, 3


class SwapExample(Protocol):
    """A swap to show; see `facedis.tasks.swapping.swap_metrics`."""

    rest_donor: np.ndarray
    expression_donor: np.ndarray
    swap: np.ndarray
    truth: np.ndarray | None
    rest_expression: str
    expression: str


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "swap_eval"."""
    text = Text(f"Swaps of {result['model']} on {result['faces']}\n", "bold")
    text.append(f"split {result['split']}, {result['n']:,} faces, seed {result['seed']}, intervals of 95 %\n", "dim")
    yield text
    for kind, title in _KINDS.items():
        if result["pairs"][kind]:
            yield Padding(_table(result, kind, f"{title}: {result['pairs'][kind]:,} swaps"), (0, 0, 1, 0))
    yield from _listed("What this says", findings(result))
    yield from _listed("To know", [*result["notes"], *dict.fromkeys(result["reasons"].values())])
    if "output" in result:
        yield Text(f"Written: {result['output']}/result.json, swaps.png")
    if result.get("sheet"):
        yield Text(f"Sheet: {result['sheet']}")


def figures(result: Mapping[str, Any], name: str, kind: str) -> Mapping[str, AnyEstimate]:
    """The figures of one measure for one kind of swaps; empty where nothing was measured."""
    measure, _, part = name.partition(".")
    found = result[measure][kind] or {}
    return found[part] if part and found else found


def findings(result: Mapping[str, Any]) -> list[str]:
    """What the numbers mean, in plain sentences that follow from intervals alone."""
    found = []
    for kind, whom in (("across", "across people"), ("within", "within a person")):
        transfer, copied = figures(result, "transfer", kind), figures(result, "copy_rate", kind)
        if transfer:
            real, drawn = PERCENT.value(transfer["real"]), PERCENT.value(transfer["reconstruction"])
            found.append(
                f"Swapped {whom}, the judge sees the wanted expression in {PERCENT.with_chance(transfer['swap'])}; "
                f"in the donors' real faces in {real}, in their reconstructions in {drawn}."
            )
            otherwise = max(copied["swap"]["chance"], copied["real"]["high"] or 1.0)
            if not _legible(transfer):
                found.append("Redrawn faces are hardly legible to the judge: here the decoder is judged, not the swap.")
            elif copied["swap"]["low"] is not None and copied["swap"]["low"] > otherwise:
                found.append(f"Some swaps {whom} keep the old expression: {PERCENT.with_interval(copied['swap'])} do.")
        closer = figures(result, "closer_to_rest_donor", kind)
        if closer:
            share, chance = PERCENT.with_interval(closer["swap"]), PERCENT.chance(closer["swap"])
            found.append(f"Of these swaps {share} look more like the person who gave the rest (chance {chance}).")
        likeness = figures(result, "ssim", kind)
        if likeness:
            verdicts = (_verdict(likeness[f"over_{name}"]) for name in ("copying", "mean_face"))
            than = "than copying: {}; than the mean face: {}".format(*verdicts)
            found.append(f"SSIM to the true picture {whom}: {DECIMAL.with_interval(likeness['swap'])}. Better {than}.")
    return found


def sheet_of(shown: Sequence[SwapExample], path: Path) -> None:
    """Write the contact sheet: rest donor, expression donor, swap and, where it is known, the truth.

    Args:
        shown: The swaps.
        path: PNG, JPEG or WebP.

    Raises:
        OutputError: It cannot be written.
    """
    names = ["rest of", "expression of", "swap"] + ["truth"] * any(each.truth is not None for each in shown)
    block = len(names) * (TILE + GAP) + 4 * GAP
    down = -(-len(shown) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * block, CAPTION + down * (TILE + CAPTION + 2 * GAP) + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for number in range(min(ACROSS, len(shown))):
        for place, name in enumerate(names):
            pen.text((number * block + 2 * GAP + place * (TILE + GAP), 1), name, "black", font)
    for number, each in enumerate(shown):
        left, top = number % ACROSS * block + 2 * GAP, CAPTION + number // ACROSS * (TILE + CAPTION + 2 * GAP)
        captions = (each.rest_expression, each.expression)
        for place, pixels in enumerate((each.rest_donor, each.expression_donor, each.swap, each.truth)[: len(names)]):
            x = left + place * (TILE + GAP)
            if pixels is not None:
                sheet.paste(Image.fromarray(pixels).resize((TILE, TILE), Image.Resampling.BICUBIC), (x, top))
            if place < 2:
                pen.text((x, top + TILE), captions[place], "dimgrey", font)
    save_image(sheet, path)


def _table(result: Mapping[str, Any], kind: str, title: str) -> Table:
    table = Table(box=None, title=title, title_justify="left", title_style="bold", header_style="dim")
    table.padding = (0, 1, 0, 0)
    table.add_column("", no_wrap=True)
    for name in ("swap", "interval", "chance", *_COLUMNS):
        table.add_column(name, justify="right", no_wrap=True)
    for name, label, style in MEASURES:
        found = figures(result, name, kind)
        if found:
            beside = (next((found[key] for key in keys if key in found), None) for keys in _COLUMNS.values())
            cells = ("" if each is None else style.value(each) for each in beside)
            table.add_row(label, *_own(found["swap"], style), *cells)
            for key in (key for key in _BELOW if key in found):
                table.add_row(f"  {_BELOW[key]}", *_own(found[key], style), style="dim")
    return table


def _own(figure: AnyEstimate, style: NumberFormat) -> tuple[str, str, str]:
    return style.value(figure), style.interval(figure), style.chance(figure)


def _legible(transfer: Mapping[str, Any]) -> bool:
    """Whether the judge reads redrawn faces at least half as far above chance as real ones."""
    real, drawn = (transfer[name]["value"] - transfer["swap"]["chance"] for name in ("real", "reconstruction"))
    return drawn >= real / 2


def _verdict(gain: Mapping[str, Any]) -> str:
    low, high = gain["low"], gain["high"]
    if low is None:
        return "unknown"
    return "yes" if low > 0 else "no" if high < 0 else "not clearly"


def _listed(title: str, sentences: Sequence[str]) -> Iterator[RenderableType]:
    if sentences:
        table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), title=title, title_justify="left")
        table.title_style = "bold"
        for sentence in sentences:
            table.add_row("-", Text(sentence))
        yield Padding(table, (0, 0, 1, 0))
