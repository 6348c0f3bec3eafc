"""`facedis faces`: look into a faces cache."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import AsJson, Quiet, event_handler, show
from facedis.errors import CacheError, ConfigError

_SHEET, _VERIFY, _PACK = "The contact sheet", "Verifying", "Packing"


def faces(
    action: Annotated[
        str,
        typer.Argument(
            help="info (counts), sheet (a picture of faces row by row), verify (whether it is whole), or pack "
            "(write it again in another storage).",
            metavar="ACTION",
        ),
    ],
    cache: Annotated[Path, typer.Argument(help="The faces cache.")] = Path("faces.h5"),
    by: Annotated[
        str, typer.Option(help="A row for each expression, or for each status.", rich_help_panel=_SHEET)
    ] = "expression",
    each: Annotated[int, typer.Option(help="Most faces in a row.", rich_help_panel=_SHEET)] = 12,
    split: Annotated[str, typer.Option(help="train, val, test or all.", rich_help_panel=_SHEET)] = "all",
    seed: Annotated[int, typer.Option(help="Decides which faces are drawn.", rich_help_panel=_SHEET)] = 0,
    images: Annotated[
        bool,
        typer.Option(
            "--images",
            help="Also read every image of the source again, and say which would give another face today.",
            rich_help_panel=_VERIFY,
        ),
    ] = False,
    storage: Annotated[
        str,
        typer.Option(
            help="raw (fastest), png (the same pixels in less space) or jpeg (least space).", rich_help_panel=_PACK
        ),
    ] = "png",
    quality: Annotated[int, typer.Option(help="Of JPEG files, 1 to 100.", rich_help_panel=_PACK)] = 95,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write. Default: the cache's name with what was asked for."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Look into a faces cache: counts, contact sheets, integrity; or store it in less space.

    `verify_cache` reads every row, says which of them cannot be right, and whether the source has changed
    since; a damaged cache ends with exit code 2.
    """
    if action == "info":
        _info(cache, as_json, quiet)
    elif action == "sheet":
        _sheet(cache, output or Path(f"{cache.stem}-{by}.png"), (by, each, split, seed), as_json, quiet)
    elif action == "verify":
        _verify(cache, images, as_json, quiet)
    elif action == "pack":
        _pack(cache, output or cache.with_name(f"{cache.stem}-{storage}.h5"), (storage, quality), as_json, quiet)
    else:
        raise ConfigError(f"facedis faces cannot '{action}'", "choose one of: info, sheet, verify, pack")


def _info(cache: Path, as_json: bool, quiet: bool) -> None:
    from facedis.faces.cache.summary import summarise_cache
    from facedis.reports.terminal.faces import render_summary

    show(summarise_cache(cache), render_summary, as_json, quiet)


def _sheet(cache: Path, output: Path, chosen: tuple[str, int, str, int], as_json: bool, quiet: bool) -> None:
    from PIL import Image

    from facedis.atomic_io import atomic_write
    from facedis.faces.cache.contact_sheet import contact_sheet
    from facedis.result import record

    picture = Image.fromarray(contact_sheet(cache, *chosen))
    if output.suffix.lower() != ".png":
        raise ConfigError(f"{output} is no PNG file", "choose a name that ends with .png")
    with atomic_write(output) as temporary:
        picture.save(temporary)
    result = record("sheet", faces=str(cache), output=str(output), width=picture.width, height=picture.height)
    show(result, lambda _: [f"Written: {output}"], as_json, quiet)


def _verify(cache: Path, images: bool, as_json: bool, quiet: bool) -> None:
    from facedis.faces.alignment.verify import verify_cache
    from facedis.reports.terminal.faces import render_verification

    result = verify_cache(cache, event_handler(as_json, quiet), images)
    show(result, render_verification, as_json, quiet)
    if not result["whole"]:
        bad = [check["what"] for check in result["checks"] if check["bad"]]
        raise CacheError(
            f"{cache} is damaged: not true that {bad[0]}", "make it again with `facedis align --overwrite`"
        )


def _pack(cache: Path, output: Path, chosen: tuple[str, int], as_json: bool, quiet: bool) -> None:
    from facedis.faces.cache.transcode import transcode
    from facedis.reports.terminal.faces import render_packing

    show(transcode(cache, output, *chosen, handler=event_handler(as_json, quiet)), render_packing, as_json, quiet)
