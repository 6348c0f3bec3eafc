"""`facedis eval`: measure a trained run."""

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


def evaluate(
    model: ModelOption = None,
    faces: Annotated[
        Path | None, typer.Option(help="Faces cache. Default: the one that the run was trained on.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="train, val, test or all. Default: val.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for the results. Default: eval-SPLIT in the run, of other faces eval-SPLIT-FACES; of a packed "
            "model NAME-eval-SPLIT here. Where that holds results on yet other faces, a few digits are added.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write one self-contained page with plots and faces.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Faces encoded at a time.")] = None,
    probes: Annotated[
        str | None, typer.Option(help="Fresh probes: all, or linear, which takes half the time. Default: all.")
    ] = None,
    probe_rows: Annotated[int | None, typer.Option(help="Most faces that a fresh probe is trained on.")] = None,
    bootstrap: Annotated[int | None, typer.Option(help="Resamples behind each interval.")] = None,
    flip: Annotated[
        bool | None, typer.Option("--flip", help="Average what a face gives with what its mirror image gives.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the choice of faces and pairs, and of the resamples.")] = None,
    device: DeviceOption = None,
    config: SettingsFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure a trained run: accuracy, what leaks into the rest code, what it keeps, whether it collapsed.

    Every number comes with its chance level, its number of faces and a 95 % interval. Fresh probes
    are trained on the codes of one set of people and tested on another. Writes result.json,
    confusion.png and, with --html, a page that can be sent to somebody: it holds faces.
    """
    options = dict(
        split=split,
        batch=batch,
        probes=probes,
        probe_rows=probe_rows,
        bootstrap=bootstrap,
        flip=flip,
        seed=seed,
        device=device,
    )
    from facedis.config import EvalConfig

    chosen = settings(EvalConfig, "eval", config, options)

    from facedis.atomic_io import refuse_unwritable
    from facedis.faces.cache.cache import FacesCache
    from facedis.reports.figures.evaluation_figures import confusion_png
    from facedis.reports.terminal.eval import render
    from facedis.result import write_result
    from facedis.tasks.evaluation.evaluation import measure

    trained = model_or_newest(model, as_json, quiet)
    own = faces_of(trained, faces)
    place = output or results_folder("eval", trained, chosen.split, faces)
    refuse_unwritable(place)
    if html is not None:
        refuse_unwritable(html.parent)
    with FacesCache.open(own) as cache:
        result, table = measure(trained, cache, chosen, event_handler(as_json, quiet))
        result["output"] = str(place)
        if html is not None:
            from facedis.reports.html.evaluation_page import write_evaluation
            from facedis.tasks.evaluation.gallery import gallery

            result["page"] = str(html)
            write_evaluation(result, gallery(table, cache, chosen.seed), html)
    title = f"{Path(trained.display_name).name} on {result['dataset']}, split {chosen.split}"
    confusion_png(result["confusion"], result["classes"], place / "confusion.png", title)
    write_result(result, place / "result.json")
    show(result, render, as_json, quiet)
