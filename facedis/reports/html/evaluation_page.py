"""An evaluation as one HTML file: every picture is in it, and nothing is fetched."""

import io
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from jinja2 import Environment
from matplotlib import rc_context
from matplotlib.figure import Figure

from facedis.atomic_io import write_text
from facedis.reports.figures import evaluation_figures as figures
from facedis.reports.findings import findings
from facedis.reports.html.thumbnails import data_uri, thumbnail
from facedis.reports.numbers import integer
from facedis.reports.published_results import matching_protocols
from facedis.reports.terminal.eval import caveats, tables


class Row(NamedTuple):
    """One line of a table, as text."""

    label: str
    value: str
    interval: str
    chance: str
    n: str


class _Shown(Protocol):
    face: np.ndarray
    truth: str
    answer: str
    probability: float
    source: str


class _Person(Protocol):
    name: str
    accuracy: float
    n: int


class _Gallery(Protocol):
    """What `facedis.tasks.evaluation.gallery` collects."""

    maps: Mapping[str, np.ndarray]
    labels: np.ndarray
    people: tuple[_Person, ...]
    best: tuple[_Shown, ...]
    worst: tuple[_Shown, ...]


def write_evaluation(result: Mapping[str, Any], gallery: _Gallery, path: Path) -> None:
    """Write the page of a record of kind "evaluation".

    Args:
        result: The record.
        gallery: Maps, people and faces to draw.
        path: The HTML file to write, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    write_text(path, evaluation_html(result, gallery))


def evaluation_html(result: Mapping[str, Any], gallery: _Gallery) -> str:
    """The text of the page."""
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        (files("facedis.reports.html") / "evaluation.html").read_text(encoding="utf-8")
    )
    return template.render(
        result=result,
        findings=findings(result),
        caveats=caveats(result),
        tables=[(title, [_row(*row) for row in rows]) for title, rows in tables(result)],
        protocols=matching_protocols(result),
        figures=list(_pictures(result, gallery)),
        faces=[
            ("Surest and right", [_face(shown) for shown in gallery.best]),
            ("Surest and wrong", [_face(shown) for shown in gallery.worst]),
        ],
    )


def _row(label: str, style: Any, figure: Mapping[str, Any] | None) -> Row:
    n = None if figure is None else figure["n"]
    return Row(label, style.value(figure), style.interval(figure), style.chance(figure), integer(n))


def _pictures(result: Mapping[str, Any], gallery: _Gallery) -> Iterator[tuple[str, str, str]]:
    """Title, what it shows, and the picture as a data address."""
    plane = figures.trade_off(result)
    if plane is not None:
        yield (
            "What is kept and what leaks",
            "Right is good, low is good. The lines are chance; bars are 95 % intervals.",
            _svg(plane),
        )
    yield "Confusion", "Rows are true expressions.", _svg(figures.confusion(result["confusion"], result["classes"]))
    if gallery.maps:
        drawn = figures.code_maps(gallery.maps, gallery.labels, result["classes"])
        yield (
            "The codes as maps",
            "Each point is a face, near its like. For the eye only: judge by the probes, not by the clusters.",
            _png(drawn),
        )
    known = {name: figure for name, figure in result["recall"].items() if figure is not None}
    values = [figure["value"] for figure in known.values()]
    yield (
        "Each expression",
        "Share of its faces that are named right.",
        _svg(figures.bar_chart(list(known), values, "recall", 1 / len(result["classes"]))),
    )
    if gallery.people:
        names = [f"{person.name} ({person.n})" for person in gallery.people]
        accuracies = [person.accuracy for person in gallery.people]
        yield (
            "Each person",
            "Share of their faces that are named right, worst first; number of faces in brackets.",
            _svg(figures.bar_chart(names, accuracies, "accuracy", 1 / len(result["classes"]))),
        )


def _face(shown: _Shown) -> dict[str, str]:
    return {
        "picture": thumbnail(shown.face),
        "truth": shown.truth,
        "answer": shown.answer,
        "probability": f"{shown.probability:.0%}",
        "source": shown.source,
    }


def _svg(figure: Figure) -> str:
    stream = io.BytesIO()
    with rc_context({"svg.hashsalt": "facedis"}):  # the same numbers give the same file
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return data_uri(stream.getvalue(), "image/svg+xml")


def _png(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return data_uri(stream.getvalue(), "image/png")
