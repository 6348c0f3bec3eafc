"""`facedis faces`: inspect, verify and convert a faces cache."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from facedis.commands.common.shared import AsJson, Quiet, event_handler, show
from facedis.config.eval_config import Split
from facedis.errors import CacheError, ConfigError

app = typer.Typer(no_args_is_help=True, help="Inspect, verify and convert a faces cache.")
CacheArgument = Annotated[Path, typer.Argument(help="Faces cache made by `facedis align`.")]
_FACES = Path("faces.h5")


@app.command()
def info(cache: CacheArgument = _FACES, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Show the counts of a faces cache: splits, expressions, identities and statuses."""
    from facedis.faces.cache.summary import summarise_cache
    from facedis.reports.terminal.faces import render_summary

    show(summarise_cache(cache), render_summary, as_json, quiet)


@app.command()
def sheet(
    cache: CacheArgument = _FACES,
    by: Annotated[
        Literal["expression", "status"], typer.Option(help="One row per expression or per status.")
    ] = "expression",
    columns: Annotated[int, typer.Option(help="Maximum number of faces per row.", min=1)] = 12,
    split: Annotated[Split, typer.Option(help="Split to take faces from.")] = "all",
    seed: Annotated[int, typer.Option(help="Random seed of the choice of faces.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="PNG file to write.", show_default="CACHE-BY.png")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a contact sheet of random faces."""
    from PIL import Image

    from facedis.atomic_io import atomic_write
    from facedis.faces.cache.contact_sheet import contact_sheet
    from facedis.result import record

    output = output or Path(f"{cache.stem}-{by}.png")
    if output.suffix.lower() != ".png":
        raise ConfigError(f"{output} is not a PNG file", "choose a name that ends with .png")
    picture = Image.fromarray(contact_sheet(cache, by, columns, split, seed))
    with atomic_write(output) as temporary:
        picture.save(temporary)
    result = record("sheet", faces=str(cache), output=str(output), width=picture.width, height=picture.height)
    show(result, lambda _: [f"Written: {output}"], as_json, quiet)


@app.command()
def verify(
    cache: CacheArgument = _FACES,
    images: Annotated[
        bool,
        typer.Option("--images", help="Also read every image of the source again and list those that changed."),
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check every row of a faces cache, and whether its source has changed. Exit code 2 if it is damaged."""
    from facedis.faces.alignment.verify import verify_cache
    from facedis.reports.terminal.faces import render_verification

    result = verify_cache(cache, event_handler(as_json, quiet), images)
    show(result, render_verification, as_json, quiet)
    if not result["whole"]:
        bad = [check["what"] for check in result["checks"] if check["bad"]]
        raise CacheError(
            f"{cache} is damaged: not true that {bad[0]}", "make it again with `facedis align --overwrite`"
        )


@app.command()
def pack(
    cache: CacheArgument = _FACES,
    storage: Annotated[
        Literal["raw", "png", "jpeg"],
        typer.Option(help="raw (fastest), png (same pixels in less space) or jpeg (least space)."),
    ] = "png",
    quality: Annotated[int, typer.Option(help="JPEG quality.", min=1, max=100)] = 95,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Faces cache to write.", show_default="CACHE-STORAGE.h5")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Store a faces cache in another format."""
    from facedis.faces.cache.transcode import transcode
    from facedis.reports.terminal.faces import render_packing

    output = output or cache.with_name(f"{cache.stem}-{storage}.h5")
    result = transcode(cache, output, storage, quality, handler=event_handler(as_json, quiet))
    show(result, render_packing, as_json, quiet)
