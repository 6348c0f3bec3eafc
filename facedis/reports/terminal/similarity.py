"""Similarity records in words: tables for the terminal, and the sentences that the page has too."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from facedis.reports.numbers import DECIMAL, MISSING, NumberFormat, compare_to_chance, model_line

CODES = {"expression": "expression code", "rest": "rest code", "trunk": "trunk features"}
#: Kinds of pairs, and what their AUCs compare.
KINDS = {
    "same_expression_same_person": "same expression, same person",
    "same_expression_other_person": "same expression, different people",
    "other_expression_same_person": "different expressions, same person",
    "other_expression_other_person": "different expressions, different people",
}
CONTRASTS = {
    "same_expression": "same expression, between people",
    "same_expression_one_person": "same expression, within one person",
    "same_person": "same person, across expressions",
    "same_person_one_expression": "same person, with one expression",
}
#: Three intervals side by side fit a terminal of 80 columns.
_NARROW = NumberFormat(digits=2)
#: Pairs that the terminal lists; a file holds all.
SHOWN = 20
_PLACES = {
    "percentile_same": "same\nexpr.",
    "percentile_different": "other\nexpr.",
    "percentile_same_person": "same\nperson",
    "percentile_different_people": "other\nperson",
}


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "similarity"."""
    yield from {"pair": _pair, "ranking": _ranking, "pairs": _list, "sample": _sample}[result["mode"]](result)
    rows = list(known_rows(result))
    if rows:
        head = [name.replace(" above", "\nabove") for name in known_head(result)]
        table = _table(known_title(result), head[:2], head[2:])
        for row in rows:
            table.add_row(*row)
        yield table
    yield model_line(result)
    yield from (sentence[0].upper() + sentence[1:] + "." for sentence in result["notes"])


def known_title(result: Mapping[str, Any]) -> str:
    """What the cosines are placed in."""
    known = result["reference"]
    return f"Among the run's own pairs: split {known['split']}, {known['n']:,} faces"


def known_head(result: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of `known_rows`."""
    share = f"{100 * result['reference']['false_accepts']:g} %"
    return "same", "code", "AUC", f"{share} of others above", "of them above"


def known_rows(result: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """For each code and what it may tell: its AUC, the threshold, and the share of like pairs above it."""
    codes = (result["reference"] or {"codes": {}})["codes"]
    for told in ("expression", "person"):
        for code in CODES:
            found = (codes.get(code) or {}).get(f"same_{told}")
            if found is not None:
                yield (
                    told,
                    code,
                    DECIMAL.with_interval(found["auc"]),
                    f"{found['threshold']:.3f}",
                    f"{100 * found['accepted']:.1f} %",
                )


def verdicts(result: Mapping[str, Any]) -> Iterator[str]:
    """What the contrasts of a sample say of each code beside the trunk, a sentence each."""
    for contrast, what in (("same_expression", "the same expression"), ("same_person", "the same person")):
        for code in ("expression", "rest"):
            own, trunk = (result["auc"][contrast].get(name) for name in (code, "trunk"))
            difference = result["difference"][contrast].get(code)
            if own is None or trunk is None or difference is None:
                continue
            how = {"above": "better than", "below": "worse than"}.get(compare_to_chance(difference), "about as well as")
            yield (
                f"The {CODES[code]} tells {what} {how} the trunk: AUC {DECIMAL.with_interval(own)} against "
                f"{DECIMAL.with_interval(trunk)}, difference {DECIMAL.with_interval(difference)}, chance 0.5 and 0"
            )


def seen(face: Mapping[str, Any]) -> str:
    """What the expression head says of a face: "happiness (93 %)"."""
    return f"{face['expression']} ({100 * face['probability']:.0f} %)"


def _pair(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    (pair,) = result["pairs"]
    title = f"{PurePath(pair['image1']).name}  –  {PurePath(pair['image2']).name}"
    table = Table(title=title, caption="Shares: of how many of the run's own pairs of that kind the cosine is above")
    for name in ("code", "cosine", *_PLACES.values(), "alike"):
        table.add_column(name, justify="left" if name in ("code", "alike") else "right")
    for code in CODES:
        if pair[code] is not None:
            shares = (_share(pair[code][key]) for key in _PLACES)
            table.add_row(code, f"{pair[code]['cosine']:.3f}", *shares, _alike(pair[code]))
    yield table
    first, second = map(seen, pair["predicted"])
    yield f"C_exp sees {first} and {second}."


def _ranking(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    pairs, by = result["pairs"], result["by"]
    title = f"Most like {PurePath(pairs[0]['image1']).name} by {CODES[by]}, of {result['n']:,} faces"
    table = _table(title, ("", "image", "label"), (*CODES, "alike"))
    for pair in pairs[:SHOWN]:
        label = pair["labels"]["expression"] or (seen(pair["predicted"][1]) if pair["predicted"] else MISSING)
        row = str(pair["rank"]), _short(pair["image2"]), label, *map(_cosine(pair), CODES), _alike(pair[by])
        table.add_row(*row)
    yield table
    yield from _more(pairs)
    if result["left_out"]:
        yield f"Left out: {result['left_out']:,} images without a face."


def _list(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    pairs = result["pairs"]
    table = _table(f"{len(pairs):,} pairs of {result['list']}", ("line", "images", "C_exp sees"), (*CODES, "alike"))
    for pair in pairs[:SHOWN]:
        images = f"{_short(pair['image1'])}\n{_short(pair['image2'])}"
        both = "\n".join(map(seen, pair["predicted"]))
        table.add_row(str(pair["line"]), images, both, *map(_cosine(pair), CODES), _alike(pair["expression"]))
    yield table
    yield from _more(pairs)
    if result["auc"]:
        yield _areas(result["auc"], {column: f"{column}: yes or no" for column in result["auc"]})
    if result["left_out"]:
        yield f"Left out: {result['left_out']:,} rows; lines {', '.join(_lines(result['problems']))}."


def _sample(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    codes = [code for code in CODES if any(kind.get(code) for kind in result["kinds"].values())]
    title = f"Cosines of pairs of {result['n']:,} faces, {result['people']:,} people"
    table = _table(title, ("pairs",), ("n", *(f"{code}\nmean (sd)" for code in codes)))
    for kind, found in result["kinds"].items():
        n = next((found[code]["n"] for code in codes if found[code]), 0)
        table.add_row(KINDS[kind], f"{n:,}", *(_mean(found[code]) for code in codes))
    yield table
    yield _areas(result["auc"], CONTRASTS)
    yield from (sentence + "." for sentence in verdicts(result))
    yield f"Listed: {len(result['pairs']):,} of these pairs, drawn at random; see --html, --csv or --json."


def _areas(figures: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    codes = [code for code in CODES if any(code in found for found in figures.values())]
    table = _table("Told apart by the cosine: AUC, chance 0.5", ("pairs",), codes)
    for name, found in figures.items():
        table.add_row(names[name], *(_NARROW.with_interval(found.get(code)) for code in codes))
    return table


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(title=title)
    for name in left:
        table.add_column(name, overflow="fold" if name.startswith("image") else "ellipsis")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _more(pairs: Sequence[Any]) -> Iterator[str]:
    if len(pairs) > SHOWN:
        yield f"And {len(pairs) - SHOWN:,} more: see --html, --csv or --json."


def _lines(problems: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = list(dict.fromkeys(str(problem["line"]) for problem in problems))
    return lines[:SHOWN] + (["..."] if len(lines) > SHOWN else [])


def _cosine(pair: Mapping[str, Any]) -> Any:
    return lambda code: MISSING if pair[code] is None else f"{pair[code]['cosine']:.3f}"


def _alike(place: Mapping[str, Any]) -> str:
    """What a cosine says at the threshold: of the same expression, of the same person."""
    told = [what for what in ("expression", "person") if place[f"same_{what}"]]
    unknown = all(place[f"same_{what}"] is None for what in ("expression", "person"))
    return MISSING if unknown else "\n".join(told) or "no"


def _mean(found: Mapping[str, Any] | None) -> str:
    return MISSING if found is None else f"{found['mean']:.3f} ({found['sd']:.3f})"


def _share(percentile: float | None) -> str:
    return MISSING if percentile is None else f"{percentile:.0f} %"


def _short(image: str) -> str:
    path = PurePath(image)
    return str(PurePath(*path.parts[-2:])) if len(path.parts) > 2 else image
