"""`facedis align`: a folder of photographs to a faces cache."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import AsJson, DeviceOption, Overwrite, Quiet, SettingsFile, event_handler, settings, show

_FACES, _SPLITS = "Finding and cutting out faces", "Train, validation and test"


def align(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a dataset as it lies on disk (AffectNet, CK+, RAF-DB, FER2013, ...), of folders named "
            "after expressions, or with a labels.csv. Without it the bundled, rendered faces.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The faces cache to make.")] = Path("faces.h5"),
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Name of the reader, with its options where wanted: ckplus:classes=7,fold=0. "
            "Default: the one that knows the folder's layout."
        ),
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(
            help="box (with a margin, what pretrained weights expect), similarity (upright by five landmarks), none "
            "(the images are faces already), auto (none where the reader knows that, else box).",
            rich_help_panel=_FACES,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Side of a face in pixels. Default: 160, with --crop none its own.", rich_help_panel=_FACES),
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Around the face, in pixels of a 160 px crop.", rich_help_panel=_FACES)
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(
            help="mtcnn, mtcnn-tf (extra package), given (the dataset's own boxes), none, or a plugin's.",
            rich_help_panel=_FACES,
        ),
    ] = None,
    min_face: Annotated[
        int | None, typer.Option(help="Smallest face to find, in pixels of the photograph.", rich_help_panel=_FACES)
    ] = None,
    no_face: Annotated[
        str | None,
        typer.Option(help="Photograph without a face: skip it, or take it whole.", rich_help_panel=_FACES),
    ] = None,
    several: Annotated[
        str | None,
        typer.Option(help="Which of several faces: largest, central or most-certain.", rich_help_panel=_FACES),
    ] = None,
    val_share: Annotated[
        float | None,
        typer.Option(help="Share of the people for validation, where the data has no split.", rich_help_panel=_SPLITS),
    ] = None,
    test_share: Annotated[
        float | None, typer.Option(help="Share of the people for the test, likewise.", rich_help_panel=_SPLITS)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Decides who goes where.", rich_help_panel=_SPLITS)] = None,
    workers: Annotated[int | None, typer.Option(help="Threads that decode images.")] = None,
    device: DeviceOption = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only look: what the folder is, what is wrong with it, what that usually means."),
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Do a part of the images only, such as 2/4, or auto under torchrun; the last one to finish joins "
            "all parts without copying.",
            metavar="K/N",
        ),
    ] = None,
    overwrite: Overwrite = False,
    config: SettingsFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find, cut out and store the faces of a folder of photographs: images -> faces.h5.

    Every image becomes a row with a status, also those without a face or unreadable. Stopped at any
    moment, the same command goes on where it stopped.
    """
    options = dict(locals())
    from facedis.config import AlignConfig
    from facedis.faces.alignment.align_dataset import align as run_alignment
    from facedis.faces.alignment.shards import parse_shard
    from facedis.reports.terminal.align import render

    chosen = settings(
        AlignConfig, "align", config, {key: options[key] for key in AlignConfig.__dataclass_fields__ if key in options}
    )
    if check:
        from facedis.faces.alignment.check import check_dataset as run_check
        from facedis.reports.terminal.align_check import render as render_check

        show(run_check(source, chosen, event_handler(as_json, quiet)), render_check, as_json, quiet)
        return
    part = parse_shard(shard) if shard else None
    result = run_alignment(source, output, chosen, event_handler(as_json, quiet), overwrite, part)
    show(result, render, as_json, quiet)
