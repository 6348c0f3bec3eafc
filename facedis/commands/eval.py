"""`facedis eval`: evaluate a trained model."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.common.options import Given, settings_options
from facedis.commands.common.shared import (
    AsJson,
    ModelOption,
    Quiet,
    event_handler,
    faces_of,
    model_or_newest,
    results_folder,
    show,
)
from facedis.config import EvalConfig


@settings_options(EvalConfig)
def evaluate(
    given: Given,
    model: ModelOption = None,
    faces: Annotated[
        Path | None, typer.Option(help="Faces cache to evaluate on.", show_default="the one of the training")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for the results.",
            show_default="eval-SPLIT in the run folder, MODEL-eval-SPLIT for a packed model",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Also write a self-contained page with plots and faces.", show_default="none"),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Evaluate a trained model: accuracy, leakage into the rest code, retention and collapse.

    Every number is reported with its chance level, its number of faces and a 95 % interval. Probes are trained on
    frozen codes of some identities and tested on others. Writes result.json, confusion.png and, with --html, a page
    that contains faces.
    """
    config = given.resolve(EvalConfig)
    from facedis.atomic_io import refuse_unwritable
    from facedis.faces.cache.cache import FacesCache
    from facedis.reports.figures.evaluation_figures import confusion_png
    from facedis.reports.terminal.eval import render
    from facedis.result import write_result
    from facedis.tasks.evaluation.evaluation import evaluate as run_evaluation

    trained = model_or_newest(model, as_json, quiet)
    own = faces_of(trained, faces)
    place = output or results_folder("eval", trained, config.split, faces)
    refuse_unwritable(place)
    if html is not None:
        refuse_unwritable(html.parent)
    with FacesCache.open(own) as cache:
        evaluation = run_evaluation(trained, cache, config, event_handler(as_json, quiet))
        result = evaluation.to_dict() | {"output": str(place)}
        if html is not None:
            from facedis.reports.html.evaluation_page import write_evaluation
            from facedis.tasks.evaluation.gallery import gallery

            result["page"] = str(html)
            write_evaluation(result, gallery(evaluation.codes, cache, config.seed), html)
    title = f"{Path(trained.display_name).name} on {result['dataset']}, split {config.split}"
    confusion_png(result["confusion"], result["classes"], place / "confusion.png", title)
    write_result(result, place / "result.json")
    show(result, render, as_json, quiet)
