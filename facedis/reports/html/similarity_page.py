"""A similarity record as one HTML file: faces, sortable and filterable, without a request to anybody."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from jinja2 import Environment

from facedis.atomic_io import write_text
from facedis.reports.html.thumbnails import thumbnail
from facedis.reports.numbers import DECIMAL
from facedis.reports.terminal.similarity import (
    CODES,
    CONTRASTS,
    KINDS,
    known_head,
    known_rows,
    known_title,
    seen,
    verdicts,
)

#: Most pairs on a page; with two faces of 3 kB each it stays a file that can be sent.
PAIRS = 400
#: Of these, for each of the four kinds of a sample.
PER_KIND = PAIRS // 4
_ALIKE = {True: "yes", False: "no", None: ""}
_PLACES = {
    "expression": ("percentile_same", "percentile_different"),
    "person": ("percentile_same_person", "percentile_different_people"),
}


def write_similarity(result: Mapping[str, Any], faces: Mapping[str, np.ndarray], path: Path) -> None:
    """Write the page of a record of kind "similarity".

    Args:
        result: The record.
        faces: (S, S, 3) uint8 of the images that it names; one that is missing is shown by its name.
        path: The HTML file, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    write_text(path, similarity_html(result, faces))


def similarity_html(result: Mapping[str, Any], faces: Mapping[str, np.ndarray]) -> str:
    """The text of the page."""
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        (files("facedis.reports.html") / "similarity.html").read_text(encoding="utf-8")
    )
    pictures = {name: thumbnail(face) for name, face in faces.items()}
    shown = _shown(result)
    rows = [_row(result, number, pair, pictures) for number, pair in enumerate(shown, 1)]
    return template.render(
        result=result,
        title=_title(result),
        about=_about(result),
        query=_query(result, pictures),
        claims=list(verdicts(result)) if result["mode"] == "sample" else [],
        notes=[note[0].upper() + note[1:] for note in result["notes"]],
        bars=_bars(result) if result["mode"] == "sample" else None,
        tables=list(_tables(result)),
        heading="The pair" if result["mode"] == "pair" else "Faces" if result["mode"] == "ranking" else "Pairs",
        explained=_explained(result, len(shown)),
        filters=list(_filters(result, rows)),
        columns=list(_columns(result)),
        rows=rows,
        problems=[_problem(problem) for problem in result.get("problems", ())],
    )


def _shown(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if result["mode"] != "sample":
        return result["pairs"][:PAIRS]
    of_kind: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in KINDS}
    for pair in result["pairs"]:
        of_kind[pair["kind"]].append(pair)
    return [pair for pairs in of_kind.values() for pair in pairs[:PER_KIND]]


def _explained(result: Mapping[str, Any], shown: int) -> str:
    parts = []
    if shown < len(result["pairs"]):
        parts.append(f"Shown: {shown:,} of {len(result['pairs']):,}; the CSV and the JSON hold all.")
    if result["reference"] is not None:
        parts.append("Below a cosine: above how many of the run's own like / unlike pairs it lies.")
    return " ".join(parts)


def _title(result: Mapping[str, Any]) -> str:
    first = result["pairs"][0]
    names = [PurePath(first[key]).name for key in ("image1", "image2")]
    return {
        "pair": f"{names[0]} and {names[1]}",
        "ranking": f"Faces most like {names[0]}",
        "pairs": f"Pairs of {PurePath(result.get('list') or '').name}",
        "sample": f"How alike the faces of {PurePath(result.get('faces') or '').name} are",
    }[result["mode"]]


def _about(result: Mapping[str, Any]) -> str:
    n, model = f"{result['n']:,}", f"model {PurePath(result['model']).name}"
    if result["mode"] == "ranking":
        return f"by {CODES[result['by']]}, of {n} faces in {result['faces']}, {model}"
    if result["mode"] == "sample":
        people = f"{n} faces of {result['people']:,} people"
        return f"{people}, split {result['split']}, seed {result['seed']}, intervals of 95 %, {model}"
    return model if result["mode"] == "pair" else f"{n} pairs, {model}"


def _query(result: Mapping[str, Any], pictures: Mapping[str, str]) -> dict[str, str | None] | None:
    if result["mode"] != "ranking":
        return None
    pair = result["pairs"][0]
    known = f"C_exp sees {seen(pair['predicted'][0])}" if pair["predicted"] else ""
    return {"name": pair["image1"], "picture": pictures.get(pair["image1"]), "seen": known}


def _columns(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What the table can be sorted by; the first is how it comes."""
    first = {"pair": "pair", "ranking": "rank", "pairs": "line", "sample": "number"}[result["mode"]]
    yield {"key": "first", "name": first, "number": True}
    for key, name in _texts(result).items():
        yield {"key": key, "name": name, "number": False}
    for code in _codes(result):
        yield {"key": code, "name": CODES[code], "number": True}
    yield {"key": "alike", "name": "same expression?", "number": False}


def _texts(result: Mapping[str, Any]) -> dict[str, str]:
    """Columns of words by key; what is known of a single face stands below it."""
    if result["mode"] == "sample":
        return {"kind": "kind"}
    labelled = result["mode"] == "pairs" and any(any(pair["labels"].values()) for pair in result["pairs"])
    return {"labels": "labels"} if labelled else {}


def _codes(result: Mapping[str, Any]) -> list[str]:
    return [code for code in CODES if result["pairs"][0][code] is not None]


def _row(
    result: Mapping[str, Any], number: int, pair: Mapping[str, Any], pictures: Mapping[str, str]
) -> dict[str, Any]:
    words = {"kind": KINDS.get(pair.get("kind", ""), ""), "labels": _labels(pair["labels"])}
    names = _texts(result)
    codes = {code: pair[code] for code in _codes(result)}
    alike = _ALIKE[pair["expression"]["same_expression"]]
    cells = [{"name": name, "text": words[key]} for key, name in names.items()]
    cells += [
        {"name": CODES[code], "text": f"{found['cosine']:.3f}", "places": list(_places(found))}
        for code, found in codes.items()
    ]
    return {
        "data": {"first": pair.get("rank", pair.get("line", number))}
        | {key: words[key] for key in names}
        | {code: f"{found['cosine']:.6f}" for code, found in codes.items()}
        | {"alike": alike},
        "faces": [_face(result, pair, side, pictures) for side in ("2" if result["mode"] == "ranking" else "12")],
        "cells": [*cells, {"name": "same expression?", "text": alike or "–"}],
    }


def _face(result: Mapping[str, Any], pair: Mapping[str, Any], side: str, pictures: Mapping[str, str]) -> dict[str, Any]:
    image, labels = pair[f"image{side}"], pair["labels"]
    of_side = {"sample": side, "ranking": ""}.get(result["mode"])
    known = [] if of_side is None else [labels.get(f"{name}{of_side}", "") for name in ("expression", "identity")]
    lines = [", ".join(filter(None, known))]
    if pair["predicted"]:
        lines.append(f"C_exp: {seen(pair['predicted'][int(side) - 1])}")
    return {
        "name": PurePath(image).name,
        "title": image,
        "picture": pictures.get(image),
        "lines": list(filter(None, lines)),
    }


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in labels.items() if value)


def _places(found: Mapping[str, Any]) -> Iterator[str]:
    """Where a cosine lies among like and unlike pairs, a short line for each of what it may tell."""
    for told, (like, unlike) in _PLACES.items():
        if found[like] is not None and found[unlike] is not None:
            yield f"{told}: {found[like]:.0f} / {found[unlike]:.0f} %"


def _filters(result: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for key, name in (("kind", "Kind"), ("alike", "Same expression?")):
        choices = list(dict.fromkeys(row["data"].get(key, "") for row in rows))
        if len(choices) > 1:
            yield {"key": key, "name": name, "choices": sorted(filter(None, choices), reverse=key == "alike")}


def _tables(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if result.get("kinds"):
        codes = _codes(result)
        rows = [
            [KINDS[kind], *(_mean(found[code]) for code in codes), _n(found)] for kind, found in result["kinds"].items()
        ]
        yield {"title": "Cosines: mean and standard deviation", "head": ["", *codes, "n"], "rows": rows}
    if result.get("auc"):
        codes = [code for code in CODES if any(code in found for found in result["auc"].values())]
        rows = [
            [CONTRASTS.get(name, name), *(DECIMAL.with_interval(found.get(code)) for code in codes)]
            for name, found in result["auc"].items()
        ]
        yield {"title": "Told apart by the cosine: AUC, chance 0.5", "head": ["", *codes], "rows": rows}
    known = list(known_rows(result))
    if known:
        yield {"title": known_title(result), "head": known_head(result), "rows": known}


def _n(found: Mapping[str, Any]) -> str:
    return f"{next((each['n'] for each in found.values() if each), 0):,}"


def _mean(found: Mapping[str, Any] | None) -> str:
    return "–" if found is None else f"{found['mean']:.3f} ± {found['sd']:.3f}"


def _bars(result: Mapping[str, Any]) -> dict[str, Any]:
    """Where each bar begins and ends, in per cent of one axis for all codes."""
    quantiles = [each["quantiles"] for kind in result["kinds"].values() for each in kind.values() if each]
    low = min(min(each.values()) for each in quantiles)
    high = max(max(each.values()) for each in quantiles)
    width = max(high - low, 1e-6)
    codes = []
    for code in _codes(result):
        kinds = []
        for kind, found in result["kinds"].items():
            each = found[code]
            kinds.append(
                {
                    "name": KINDS[kind],
                    "n": f"{each['n']:,}" if each else "0",
                    "title": f"mean {_mean(each)}",
                    "places": [round(100 * (value - low) / width, 2) for value in each["quantiles"].values()]
                    if each
                    else None,
                }
            )
        codes.append({"name": CODES[code], "kinds": kinds})
    return {"low": f"{low:.2f}", "high": f"{high:.2f}", "codes": codes}


def _problem(problem: Mapping[str, Any]) -> str:
    line = f"line {problem['line']}: " if problem.get("line") else ""
    return line + ": ".join(filter(None, (problem["image"], problem["why"])))
