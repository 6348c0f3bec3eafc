"""`facedis swap-eval`: evaluate the swapped faces of a trained model."""

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
from facedis.config import SwapEvalConfig


@settings_options(SwapEvalConfig)
def swap_eval(
    given: Given,
    model: ModelOption = None,
    faces: Annotated[
        Path | None, typer.Option(help="Faces cache to swap between.", show_default="the one of the training")
    ] = None,
    expression_model: Annotated[
        Path | None,
        typer.Option(
            help="Run folder of an expression classifier that is independent of the model.", show_default="none"
        ),
    ] = None,
    identity_model: Annotated[
        str | None,
        typer.Option(
            help="Run folder of an identity model (benchmarks/train_evaluators.py), or vggface2 (face recognition).",
            show_default="none",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for the results.",
            show_default="swap-eval-SPLIT in the run folder, MODEL-swap-eval-SPLIT for a packed model",
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Also write a contact sheet of random swaps: PNG, JPEG or WebP.", show_default="none"),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Evaluate the swapped faces of a trained model: expression, identity and, where known, the true swap.

    Expression and identity are judged by two models that are independent of the evaluated one; a model that shares
    weights with it is refused. Without them only images and codes are compared. Every number is reported beside the
    values for copying, reconstruction and real faces, with a 95 % interval over identities. Writes result.json and
    swaps.png.
    """
    config = given.resolve(SwapEvalConfig)
    from facedis.atomic_io import refuse_unwritable
    from facedis.faces.cache.cache import FacesCache
    from facedis.faces.io.provenance import check_image_format
    from facedis.reports.figures.swap_eval_figure import write_swap_figure
    from facedis.reports.figures.swap_sheet import write_swap_sheet
    from facedis.reports.terminal.swap_eval import render
    from facedis.result import write_result
    from facedis.tasks.swapping.evaluators import load_expression_evaluator, load_identity_evaluator
    from facedis.tasks.swapping.swap_evaluation import evaluate_swaps
    from facedis.tasks.swapping.swap_metrics import Evaluators

    trained, tell = model_or_newest(model, as_json, quiet), event_handler(as_json, quiet)
    own = faces_of(trained, faces)
    place = output or results_folder("swap-eval", trained, config.split, faces)
    refuse_unwritable(place)
    if sheet is not None:
        refuse_unwritable(sheet.parent)
        check_image_format(sheet)
    evaluators = Evaluators(
        None if expression_model is None else load_expression_evaluator(expression_model, trained, config.device),
        None if identity_model is None else load_identity_evaluator(identity_model, trained, config.device, tell),
    )
    with FacesCache.open(own) as cache:
        result = evaluate_swaps(trained, cache, config, evaluators, tell)
    record = result.to_dict() | {"output": str(place), "sheet": None if sheet is None else str(sheet)}
    if sheet is not None:
        write_swap_sheet(result.examples, sheet)
    write_swap_figure(record, place / "swaps.png")
    write_result(record, place / "result.json")
    show(record, render, as_json, quiet)
