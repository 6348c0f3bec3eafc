"""HTML page of `facedis similarity`: one self-contained file with the faces, sortable and filterable."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from jinja2 import Environment

from facedis.atomic_io import write_text
from facedis.reports.html.thumbnails import thumbnail
from facedis.reports.numbers import DECIMAL, MISSING, count
from facedis.reports.terminal.similarity import (
    AUC_TITLE,
    CODES,
    CONTRASTS,
    PAIR_KINDS,
    findings,
    num_pairs,
    predicted,
    reference_header,
    reference_rows,
    reference_title,
    spread,
)

#: Maximum number of pairs on a page; two faces take about 6 kB.
MAX_PAIRS = 400
#: Maximum number of pairs of each of the four kinds of a sample.
PER_KIND = MAX_PAIRS // 4
_DECISIONS = {True: "yes", False: "no", None: ""}
_PERCENTILES = {
    "expression": ("percentile_same", "percentile_different"),
    "person": ("percentile_same_person", "percentile_different_people"),
}


def write_similarity(result: Mapping[str, Any], images: Mapping[str, np.ndarray], path: Path) -> None:
    """Write the page of a record of kind "similarity".

    Args:
        result: The record.
        images: (S, S, 3) uint8 faces by the name of their image; a missing one is shown by its name.
        path: The HTML file.

    Raises:
        OutputError: The file cannot be written.
    """
    write_text(path, similarity_html(result, images))


def similarity_html(result: Mapping[str, Any], images: Mapping[str, np.ndarray]) -> str:
    """The page as text; arguments as in `write_similarity`."""
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        (files("facedis.reports.html") / "similarity.html").read_text(encoding="utf-8")
    )
    thumbnails = {name: thumbnail(face) for name, face in images.items()}
    pairs = _listed_pairs(result)
    rows = [_row(result, number, pair, thumbnails) for number, pair in enumerate(pairs, 1)]
    sampled = result["mode"] == "sample"
    return template.render(
        result=result,
        title=_title(result),
        subtitle=_subtitle(result),
        query=_query(result, thumbnails),
        findings=list(findings(result)) if sampled else [],
        caveats=[note[0].upper() + note[1:] for note in result["notes"]],
        distributions=_distributions(result) if sampled else None,
        tables=list(_tables(result)),
        heading={"pair": "Pair", "ranking": "Faces"}.get(result["mode"], "Pairs"),
        explanation=_explanation(result, len(pairs)),
        filters=list(_filters(rows)),
        columns=list(_columns(result)),
        rows=rows,
        problems=[_problem(problem) for problem in result.get("problems", ())],
    )


def _listed_pairs(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if result["mode"] != "sample":
        return result["pairs"][:MAX_PAIRS]
    by_kind: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in PAIR_KINDS}
    for pair in result["pairs"]:
        by_kind[pair["kind"]].append(pair)
    return [pair for pairs in by_kind.values() for pair in pairs[:PER_KIND]]


def _explanation(result: Mapping[str, Any], listed: int) -> str:
    sentences = []
    if listed < len(result["pairs"]):
        sentences.append(f"{listed:,} of {len(result['pairs']):,} pairs; the CSV and JSON files have all.")
    if result["reference"] is not None:
        sentences.append("Below each cosine: percentage of the same / different reference pairs with a lower cosine.")
    return " ".join(sentences)


def _title(result: Mapping[str, Any]) -> str:
    first = result["pairs"][0]
    names = [PurePath(first[key]).name for key in ("image1", "image2")]
    return {
        "pair": f"{names[0]} and {names[1]}",
        "ranking": f"Faces most similar to {names[0]}",
        "pairs": f"Pairs of {PurePath(result.get('list') or '').name}",
        "sample": f"Similarity of the faces of {PurePath(result.get('faces') or '').name}",
    }[result["mode"]]


def _subtitle(result: Mapping[str, Any]) -> str:
    model = f"model {PurePath(result['model']).name}"
    if result["mode"] == "ranking":
        return f"by {CODES[result['by']]}, of {count(result['n'], 'face')} in {result['faces']}, {model}"
    if result["mode"] == "sample":
        faces = f"{count(result['n'], 'face')} of {count(result['people'], 'person', 'people')}"
        return f"{faces}, split {result['split']}, seed {result['seed']}, 95 % intervals, {model}"
    return model if result["mode"] == "pair" else f"{count(result['n'], 'pair')}, {model}"


def _query(result: Mapping[str, Any], thumbnails: Mapping[str, str]) -> dict[str, str | None] | None:
    if result["mode"] != "ranking":
        return None
    pair = result["pairs"][0]
    prediction = f"predicted: {predicted(pair['predicted'][0])}" if pair["predicted"] else ""
    return {"name": pair["image1"], "thumbnail": thumbnails.get(pair["image1"]), "prediction": prediction}


def _columns(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Sortable columns of the table; the first is the initial order."""
    first = {"pair": "pair", "ranking": "rank", "pairs": "line", "sample": "number"}[result["mode"]]
    yield {"key": "first", "name": first, "number": True}
    for key, name in _text_columns(result).items():
        yield {"key": key, "name": name, "number": False}
    for code in _codes(result):
        yield {"key": code, "name": CODES[code], "number": True}
    yield {"key": "decision", "name": "same expression?", "number": False}


def _text_columns(result: Mapping[str, Any]) -> dict[str, str]:
    """Names of the text columns by key; labels of single faces are in the caption of the face."""
    if result["mode"] == "sample":
        return {"kind": "kind"}
    labelled = result["mode"] == "pairs" and any(any(pair["labels"].values()) for pair in result["pairs"])
    return {"labels": "labels"} if labelled else {}


def _codes(result: Mapping[str, Any]) -> list[str]:
    return [code for code in CODES if result["pairs"][0][code] is not None]


def _row(
    result: Mapping[str, Any], number: int, pair: Mapping[str, Any], thumbnails: Mapping[str, str]
) -> dict[str, Any]:
    labels = ", ".join(f"{key} {value}" for key, value in pair["labels"].items() if value)
    texts = {"kind": PAIR_KINDS.get(pair.get("kind", ""), ""), "labels": labels}
    names = _text_columns(result)
    codes = {code: pair[code] for code in _codes(result)}
    decision = _DECISIONS[pair["expression"]["same_expression"]]
    cells: list[dict[str, Any]] = [{"name": name, "text": texts[key]} for key, name in names.items()]
    cells += [
        {"name": CODES[code], "text": f"{found['cosine']:.3f}", "percentiles": list(_percentiles(found))}
        for code, found in codes.items()
    ]
    return {
        "data": {"first": pair.get("rank", pair.get("line", number))}
        | {key: texts[key] for key in names}
        | {code: f"{found['cosine']:.6f}" for code, found in codes.items()}
        | {"decision": decision},
        "faces": [_face(result, pair, side, thumbnails) for side in ("2" if result["mode"] == "ranking" else "12")],
        "cells": [*cells, {"name": "same expression?", "text": decision or MISSING}],
    }


def _face(
    result: Mapping[str, Any], pair: Mapping[str, Any], side: str, thumbnails: Mapping[str, str]
) -> dict[str, Any]:
    image, labels = pair[f"image{side}"], pair["labels"]
    suffix = {"sample": side, "ranking": ""}.get(result["mode"])
    known = [] if suffix is None else [labels.get(f"{name}{suffix}", "") for name in ("expression", "identity")]
    lines = [", ".join(filter(None, known))]
    if pair["predicted"]:
        lines.append(f"predicted: {predicted(pair['predicted'][int(side) - 1])}")
    return {
        "name": PurePath(image).name,
        "title": image,
        "thumbnail": thumbnails.get(image),
        "lines": list(filter(None, lines)),
    }


def _percentiles(code: Mapping[str, Any]) -> Iterator[str]:
    """Percentiles among same and different pairs, one line per attribute."""
    for attribute, (same, different) in _PERCENTILES.items():
        if code[same] is not None and code[different] is not None:
            yield f"{attribute}: {code[same]:.0f} / {code[different]:.0f} %"


def _filters(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for key, name in (("kind", "Kind"), ("decision", "Same expression?")):
        choices = list(dict.fromkeys(row["data"].get(key, "") for row in rows))
        if len(choices) > 1:
            yield {"key": key, "name": name, "choices": sorted(filter(None, choices), reverse=key == "decision")}


def _tables(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if result.get("kinds"):
        codes = _codes(result)
        rows = [
            [PAIR_KINDS[kind], *(spread(found[code], "{} ± {}") for code in codes), num_pairs(found)]
            for kind, found in result["kinds"].items()
        ]
        yield {"title": "Cosines: mean and standard deviation", "header": ["", *codes, "n"], "rows": rows}
    if result.get("auc"):
        codes = [code for code in CODES if any(code in found for found in result["auc"].values())]
        rows = [
            [CONTRASTS.get(name, name), *(DECIMAL.with_interval(found.get(code)) for code in codes)]
            for name, found in result["auc"].items()
        ]
        yield {"title": AUC_TITLE, "header": ["", *codes], "rows": rows}
    reference = list(reference_rows(result))
    if reference:
        yield {"title": reference_title(result), "header": reference_header(result), "rows": reference}


def _distributions(result: Mapping[str, Any]) -> dict[str, Any]:
    """Quantiles of the cosines as percentages of an axis that all codes share."""
    quantiles = [each["quantiles"] for kind in result["kinds"].values() for each in kind.values() if each]
    low = min(min(each.values()) for each in quantiles)
    high = max(max(each.values()) for each in quantiles)
    width = max(high - low, 1e-6)
    codes = []
    for code in _codes(result):
        kinds = []
        for kind, found in result["kinds"].items():
            cosines = found[code]
            values = cosines["quantiles"].values() if cosines else ()
            kinds.append(
                {
                    "name": PAIR_KINDS[kind],
                    "n": f"{cosines['n']:,}" if cosines else "0",
                    "title": f"mean {spread(cosines, '{} ± {}')}",
                    "positions": [round(100 * (value - low) / width, 2) for value in values],
                }
            )
        codes.append({"name": CODES[code], "kinds": kinds})
    return {"low": f"{low:.2f}", "high": f"{high:.2f}", "codes": codes}


def _problem(problem: Mapping[str, Any]) -> str:
    line = f"line {problem['line']}: " if problem.get("line") else ""
    return line + ": ".join(filter(None, (problem["image"], problem["why"])))
