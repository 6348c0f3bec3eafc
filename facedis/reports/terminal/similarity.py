"""Terminal output of `facedis similarity`, and the labels and sentences that its HTML page uses too."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from facedis.reports.labels import CODE_LABELS
from facedis.reports.numbers import DECIMAL, MISSING, NumberFormat, compare_to_chance, model_line

CODES = {code: CODE_LABELS[code] for code in ("expression", "rest", "trunk")}
#: Kinds of sampled pairs, and the contrasts whose AUC is measured.
PAIR_KINDS = {
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
AUC_TITLE = "AUC of the cosine, chance 0.5"
#: Maximum number of pairs in the terminal.
MAX_ROWS = 20
#: Three intervals side by side fit 80 columns.
_NARROW = NumberFormat(digits=2)
_PERCENTILES = {
    "percentile_same": "same\nexpr.",
    "percentile_different": "other\nexpr.",
    "percentile_same_person": "same\nperson",
    "percentile_different_people": "other\nperson",
}
_ATTRIBUTES = ("expression", "person")
_VERDICTS = {"above": "better than", "at": "about as well as", "below": "worse than"}


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "similarity"."""
    yield from {"pair": _pair, "ranking": _ranking, "pairs": _pair_list, "sample": _sample}[result["mode"]](result)
    rows = list(reference_rows(result))
    if rows:
        header = [name.replace(" above", "\nabove") for name in reference_header(result)]
        table = _table(reference_title(result), header[:2], header[2:])
        for row in rows:
            table.add_row(*row)
        yield table
    yield model_line(result)
    yield from (note[0].upper() + note[1:] + "." for note in result["notes"])


def reference_title(result: Mapping[str, Any]) -> str:
    """Title of the table of reference pairs."""
    reference = result["reference"]
    return f"Reference pairs: split {reference['split']}, {reference['n']:,} faces"


def reference_header(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns of `reference_rows`."""
    far = f"{100 * result['reference']['false_accepts']:g} %"
    return "same", "code", "AUC", f"{far} of others above", "of them above"


def reference_rows(result: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """Attribute, code, AUC, threshold and true accept rate of each code on the reference pairs."""
    codes = (result["reference"] or {"codes": {}})["codes"]
    for attribute in _ATTRIBUTES:
        for code in CODES:
            pairs = (codes.get(code) or {}).get(f"same_{attribute}")
            if pairs is not None:
                yield (
                    attribute,
                    code,
                    DECIMAL.with_interval(pairs["auc"]),
                    f"{pairs['threshold']:.3f}",
                    f"{100 * pairs['accepted']:.1f} %",
                )


def findings(result: Mapping[str, Any]) -> Iterator[str]:
    """Comparison of the codes with the trunk features on a sample of pairs, one sentence each."""
    for contrast, attribute in (("same_expression", "expression"), ("same_person", "identity")):
        for code in ("expression", "rest"):
            own, trunk = (result["auc"][contrast].get(name) for name in (code, "trunk"))
            difference = result["difference"][contrast].get(code)
            if own is None or trunk is None or difference is None:
                continue
            verdict = _VERDICTS[compare_to_chance(difference) or "at"]
            yield (
                f"The {CODES[code]} verifies {attribute} {verdict} the trunk features: AUC "
                f"{DECIMAL.with_interval(own)} against {DECIMAL.with_interval(trunk)}, difference "
                f"{DECIMAL.with_interval(difference)}, chance 0.5 and 0"
            )


def predicted(face: Mapping[str, Any]) -> str:
    """The predicted expression of a face: "happiness (93 %)"."""
    return f"{face['expression']} ({100 * face['probability']:.0f} %)"


def spread(cosines: Mapping[str, Any] | None, separator: str) -> str:
    """Mean and standard deviation of a distribution of cosines, joined by `separator`."""
    return MISSING if cosines is None else separator.format(f"{cosines['mean']:.3f}", f"{cosines['sd']:.3f}")


def num_pairs(cosines: Mapping[str, Any]) -> str:
    """Number of pairs of a kind, from the distributions of its codes."""
    return f"{next((code['n'] for code in cosines.values() if code), 0):,}"


def _pair(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    (pair,) = result["pairs"]
    title = f"{PurePath(pair['image1']).name}  –  {PurePath(pair['image2']).name}"
    table = Table(title=title, caption="Percentages: reference pairs of that kind with a lower cosine")
    for name in ("code", "cosine", *_PERCENTILES.values(), "decision"):
        table.add_column(name, justify="left" if name in ("code", "decision") else "right")
    for code in CODES:
        if pair[code] is not None:
            percentiles = (MISSING if pair[code][key] is None else f"{pair[code][key]:.0f} %" for key in _PERCENTILES)
            table.add_row(code, _cosine(pair, code), *percentiles, _decision(pair[code]))
    yield table
    yield f"Predicted: {' and '.join(map(predicted, pair['predicted']))}."


def _ranking(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    pairs, code = result["pairs"], result["by"]
    title = f"Most similar to {PurePath(pairs[0]['image1']).name} by {CODES[code]}, of {result['n']:,} faces"
    table = _table(title, ("", "image", "label"), (*CODES, "decision"))
    for pair in pairs[:MAX_ROWS]:
        label = pair["labels"]["expression"] or (predicted(pair["predicted"][1]) if pair["predicted"] else MISSING)
        cosines = (_cosine(pair, name) for name in CODES)
        table.add_row(str(pair["rank"]), _short_name(pair["image2"]), label, *cosines, _decision(pair[code]))
    yield table
    yield from _more(pairs)
    if result["left_out"]:
        yield f"Left out: {result['left_out']:,} images without a face."


def _pair_list(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    pairs = result["pairs"]
    table = _table(f"{len(pairs):,} pairs of {result['list']}", ("line", "images", "predicted"), (*CODES, "decision"))
    for pair in pairs[:MAX_ROWS]:
        images = f"{_short_name(pair['image1'])}\n{_short_name(pair['image2'])}"
        expressions = "\n".join(map(predicted, pair["predicted"]))
        cosines = (_cosine(pair, name) for name in CODES)
        table.add_row(str(pair["line"]), images, expressions, *cosines, _decision(pair["expression"]))
    yield table
    yield from _more(pairs)
    if result["auc"]:
        yield _auc_table(result["auc"], {column: f"label {column}" for column in result["auc"]})
    if result["left_out"]:
        yield f"Left out: {result['left_out']:,} rows; lines {', '.join(_lines(result['problems']))}."


def _sample(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    codes = [code for code in CODES if any(kind.get(code) for kind in result["kinds"].values())]
    title = f"Cosines of pairs of {result['n']:,} faces, {result['people']:,} people"
    table = _table(title, ("pairs",), ("n", *(f"{code}\nmean (sd)" for code in codes)))
    for kind, cosines in result["kinds"].items():
        table.add_row(PAIR_KINDS[kind], num_pairs(cosines), *(spread(cosines[code], "{} ({})") for code in codes))
    yield table
    yield _auc_table(result["auc"], CONTRASTS)
    yield from (sentence + "." for sentence in findings(result))
    yield f"Listed: {len(result['pairs']):,} of these pairs, chosen at random; see --html, --csv or --json."


def _auc_table(estimates: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    codes = [code for code in CODES if any(code in found for found in estimates.values())]
    table = _table(AUC_TITLE, ("pairs",), codes)
    for name, found in estimates.items():
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
    if len(pairs) > MAX_ROWS:
        yield f"And {len(pairs) - MAX_ROWS:,} more: see --html, --csv or --json."


def _lines(problems: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = list(dict.fromkeys(str(problem["line"]) for problem in problems))
    return lines[:MAX_ROWS] + (["..."] if len(lines) > MAX_ROWS else [])


def _cosine(pair: Mapping[str, Any], code: str) -> str:
    return MISSING if pair[code] is None else f"{pair[code]['cosine']:.3f}"


def _decision(code: Mapping[str, Any]) -> str:
    """Attributes for which the cosine exceeds the threshold."""
    decisions = {attribute: code[f"same_{attribute}"] for attribute in _ATTRIBUTES}
    if all(decision is None for decision in decisions.values()):
        return MISSING
    return "\n".join(f"same {attribute}" for attribute, decision in decisions.items() if decision) or "different"


def _short_name(image: str) -> str:
    path = PurePath(image)
    return str(PurePath(*path.parts[-2:])) if len(path.parts) > 2 else image
