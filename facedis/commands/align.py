"""`facedis align`: from a folder of images to a faces cache."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.common.options import Given, settings_options
from facedis.commands.common.shared import AsJson, Overwrite, Quiet, event_handler, show
from facedis.config import AlignConfig


@settings_options(AlignConfig)
def align(
    given: Given,
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a dataset (AffectNet, CK+, RAF-DB, FER2013, ...), of folders named after expressions, or "
            "with a labels.csv.",
            show_default="the bundled rendered faces",
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Faces cache to write.")] = Path("faces.h5"),
    check: Annotated[
        bool, typer.Option("--check", help="Only report the detected layout, counts and problems of the dataset.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Process one part of the images, such as 2/4, or auto under torchrun. The last part to finish joins "
            "all of them.",
            metavar="K/N",
            show_default="all images",
        ),
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Detect, crop and store the faces of a folder of images: images -> faces.h5.

    Every image becomes a row with a status, including images without a face and unreadable files. After an
    interruption, the same command continues where it stopped.
    """
    from facedis.faces.alignment.align_dataset import align as run_alignment
    from facedis.faces.alignment.shards import parse_shard
    from facedis.reports.terminal.align import render

    config = given.resolve(AlignConfig)
    if check:
        from facedis.faces.alignment.check import check_dataset as run_check
        from facedis.reports.terminal.align_check import render as render_check

        show(run_check(source, config, event_handler(as_json, quiet)), render_check, as_json, quiet)
        return
    part = parse_shard(shard) if shard else None
    result = run_alignment(source, output, config, event_handler(as_json, quiet), overwrite, part)
    show(result, render, as_json, quiet)
