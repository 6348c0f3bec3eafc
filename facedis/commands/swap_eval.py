"""`facedis swap-eval`: judge the swaps of a trained run."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import (
    AsJson,
    DeviceOption,
    ModelOption,
    Quiet,
    SettingsFile,
    event_handler,
    faces_of,
    model_or_newest,
    results_folder,
    settings,
    show,
)


def swap_eval(
    model: ModelOption = None,
    faces: Annotated[
        Path | None, typer.Option(help="Faces cache. Default: the one that the run was trained on.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="train, val, test or all. Default: test.")] = None,
    judge: Annotated[
        Path | None,
        typer.Option(help="Run folder of a classifier of expressions that had no part in the training of the run."),
    ] = None,
    face_judge: Annotated[
        str | None,
        typer.Option(
            help="Run folder of a judge of people (benchmarks/judges.py), or vggface2, the face recognition network."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for the results. Default: swap-eval-SPLIT in the run, of other faces swap-eval-SPLIT-FACES; "
            "of a packed model NAME-swap-eval-SPLIT here. Where that holds results on yet other faces, a few digits "
            "are added.",
        ),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also write a contact sheet of random swaps, never chosen: PNG, JPEG or WebP.")
    ] = None,
    pairs: Annotated[int | None, typer.Option(help="Most swaps of a kind: across people, within one person.")] = None,
    shown: Annotated[int | None, typer.Option(help="Swaps on the contact sheet.")] = None,
    faces_used: Annotated[int | None, typer.Option(help="Most faces that swaps are made of.")] = None,
    one_setting: Annotated[
        str | None,
        typer.Option(
            help="yes, no or auto (CK+ and JAFFE): whether a person's photographs share pose and light, so that one of "
            "them is the truth of a swap within the person. Rendered faces know it themselves."
        ),
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Faces at a time.")] = None,
    bootstrap: Annotated[int | None, typer.Option(help="Resamples behind each interval.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the choice of faces and swaps, and of the resamples.")] = None,
    device: DeviceOption = None,
    config: SettingsFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Judge the swaps of a trained run: is it the other expression, still the same person, and how near the truth?

    Two judges that had no part in the training say what they see; a judge that shares weights with
    the run is refused. Without a judge only the pictures and codes themselves are compared. Every
    number stands beside what copying, a reconstruction and a real face get, with a 95 % interval
    over people. Writes result.json and swaps.png.
    """
    options = dict(
        split=split,
        pairs=pairs,
        shown=shown,
        faces_used=faces_used,
        one_setting=one_setting,
        batch=batch,
        bootstrap=bootstrap,
        seed=seed,
        device=device,
    )
    from facedis.config import SwapEvalConfig

    chosen = settings(SwapEvalConfig, "swap-eval", config, options)

    from facedis.atomic_io import refuse_unwritable
    from facedis.faces.cache.cache import FacesCache
    from facedis.reports.figures.swap_eval_figure import swaps_png
    from facedis.reports.provenance import check_image_format
    from facedis.reports.terminal.swap_eval import render, sheet_of
    from facedis.result import write_result
    from facedis.tasks.swapping.evaluators import load_expression_evaluator, load_identity_evaluator
    from facedis.tasks.swapping.swap_evaluation import evaluate_swaps
    from facedis.tasks.swapping.swap_metrics import Evaluators

    trained, tell = model_or_newest(model, as_json, quiet), event_handler(as_json, quiet)
    own = faces_of(trained, faces)
    place = output or results_folder("swap-eval", trained, chosen.split, faces)
    refuse_unwritable(place)
    if sheet is not None:
        refuse_unwritable(sheet.parent)
        check_image_format(sheet)
    judges = Evaluators(
        None if judge is None else load_expression_evaluator(judge, trained, chosen.device),
        None if face_judge is None else load_identity_evaluator(face_judge, trained, chosen.device, tell),
    )
    with FacesCache.open(own) as cache:
        result, shown = evaluate_swaps(trained, cache, chosen, judges, tell)
    result["output"], result["sheet"] = str(place), None if sheet is None else str(sheet)
    if sheet is not None:
        sheet_of(shown, sheet)
    swaps_png(result, place / "swaps.png")
    write_result(result, place / "result.json")
    show(result, render, as_json, quiet)
