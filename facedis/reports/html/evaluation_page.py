"""An evaluation as a self-contained HTML page."""

import io
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from matplotlib import rc_context
from matplotlib.figure import Figure

from facedis.atomic_io import write_text
from facedis.reports.evaluation_tables import (
    caveats,
    classification_tables,
    code_tables,
    collapse_table,
    factor_tables,
    verification_table,
)
from facedis.reports.figures import evaluation_figures as figures
from facedis.reports.findings import findings
from facedis.reports.html.thumbnails import data_uri, thumbnail
from facedis.reports.numbers import count
from facedis.reports.published_results import matching_protocols

if TYPE_CHECKING:
    from facedis.tasks.evaluation.gallery import FaceExample, Gallery


def write_evaluation(result: Mapping[str, Any], gallery: "Gallery", path: Path) -> None:
    """Write the page of a record of kind "evaluation".

    Args:
        result: The record.
        gallery: Projections, accuracies per person and example faces.
        path: The HTML file, written whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    write_text(path, evaluation_html(result, gallery))


def evaluation_html(result: Mapping[str, Any], gallery: "Gallery") -> str:
    """The text of the page."""
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        (files("facedis.reports.html") / "evaluation.html").read_text(encoding="utf-8")
    )
    retention = result["retention"]
    return template.render(
        result=result,
        faces=count(result["n"], "face"),
        findings=findings(result),
        caveats=caveats(result),
        figures=list(_figures(result, gallery)),
        tables=[
            *classification_tables(result),
            *code_tables(result),
            *verification_table(retention),
            *factor_tables(result),
            collapse_table(result["collapse"]),
        ],
        protocols=matching_protocols(result),
        examples=[
            ("Correct predictions with the highest confidence", [_example(face) for face in gallery.best]),
            ("Wrong predictions with the highest confidence", [_example(face) for face in gallery.worst]),
        ],
    )


def _figures(result: Mapping[str, Any], gallery: "Gallery") -> Iterator[tuple[str, str, str]]:
    """Title, caption and data URI of each figure."""
    trade_off = figures.trade_off(result)
    if trade_off is not None:
        yield (
            "Retention and leakage",
            "Better codes are further right (more retained) and lower (less leakage). Dotted lines: chance. "
            "Bars: 95 % intervals.",
            _svg(trade_off),
        )
    matrix = figures.confusion(result["confusion"], result["classes"])
    yield "Confusion matrix", "Rows: true expressions. Columns: predicted expressions.", _svg(matrix)
    if gallery.maps:
        yield (
            "Projection of the codes",
            "2-D projection; each point is one face. Clusters here are no evidence of leakage; see the probes.",
            _png(figures.code_maps(gallery.maps, gallery.labels, result["classes"])),
        )
    chance = 1 / len(result["classes"])
    recall = {name: estimate["value"] for name, estimate in result["recall"].items() if estimate is not None}
    yield (
        "Recall per expression",
        "Fraction of the faces of an expression that are classified correctly. Dotted line: chance.",
        _svg(figures.bar_chart(list(recall), list(recall.values()), "recall", chance)),
    )
    if gallery.people:
        names = [f"{person.name} ({person.n})" for person in gallery.people]
        accuracies = [person.accuracy for person in gallery.people]
        yield (
            "Accuracy per person",
            "Lowest accuracy first; number of faces in parentheses. Dotted line: chance.",
            _svg(figures.bar_chart(names, accuracies, "accuracy", chance)),
        )


def _example(face: "FaceExample") -> dict[str, str]:
    return {
        "picture": thumbnail(face.face),
        "truth": face.truth,
        "prediction": face.answer,
        "confidence": f"{face.probability:.0%}",
        "source": face.source,
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
