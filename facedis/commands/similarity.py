"""`facedis similarity`: how alike are faces, in expression and in everything else."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facedis.commands.shared import (
    AsJson,
    DeviceOption,
    ModelOption,
    PhotoCrop,
    Quiet,
    event_handler,
    model_or_newest,
    show,
)
from facedis.errors import ConfigError

if TYPE_CHECKING:
    from facedis.events import EventHandler
    from facedis.model.storage.checkpoint import Run
    from facedis.tasks.similarity.similarity import SimilarityResult

_MANY, _SAMPLE = "An image against many, lists of pairs", "Random pairs of a faces cache"
#: Files that hold many faces; a folder does too, and every other file is an image.
_MANY_FACES = (".h5", ".hdf5", ".parquet", ".npz", ".csv")


def similarity(
    image1: Annotated[
        Path | None, typer.Argument(help="An image with a face; none with --pairs or --sample.", show_default=False)
    ] = None,
    image2: Annotated[
        Path | None,
        typer.Argument(
            help="Another one; or a folder of images, a faces cache, or codes of `facedis embed` (.parquet, .npz), "
            "to find the faces most like IMAGE1.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[int | None, typer.Option(help="How many faces to list. Default: 10.", rich_help_panel=_MANY)] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Code to rank by: expression, rest or trunk. Default: expression.", rich_help_panel=_MANY),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="List of pairs: a CSV file with the columns image1 and image2, further ones are kept; or LFW's "
            "pairs.txt.",
            rich_help_panel=_MANY,
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Folder of the images in --pairs. Default: that of the list.", rich_help_panel=_MANY),
    ] = None,
    faces: Annotated[Path | None, typer.Option(help="The faces cache.", rich_help_panel=_SAMPLE)] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            help="Random pairs to list of each kind: same and different expression x same and different person.",
            rich_help_panel=_SAMPLE,
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="train, val, test or all. Default: all.", rich_help_panel=_SAMPLE)
    ] = None,
    bootstrap: Annotated[
        int | None, typer.Option(help="Resamples behind each interval. Default: 1000.", rich_help_panel=_SAMPLE)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the choice of faces and pairs. Default: 0.", rich_help_panel=_SAMPLE)
    ] = None,
    model: ModelOption = None,
    crop: PhotoCrop = None,
    false_accepts: Annotated[
        float | None,
        typer.Option(help="Share of unlike pairs above the threshold for alike. Default: 0.05."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write one self-contained page with the faces.")
    ] = None,
    table: Annotated[Path | None, typer.Option("--csv", help="Also write the pairs as a CSV file.")] = None,
    device: DeviceOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compare the expressions of faces: the cosine of their codes, and how usual that value is.

    Two images; an image against a folder, a faces cache or a file of codes; a list of pairs; or
    random pairs of a faces cache. A cosine alone says little, so it is placed among pairs of the
    run's own validation faces that show the same expression and among pairs that show different
    ones, and likewise among pairs of one person and of two. Rows and images that cannot be used are
    named, and the others go on.
    """
    given = dict(locals())
    _check(given)
    for path, suffixes in ((html, (".html", ".htm")), (table, (".csv",))):
        if path is not None and path.suffix.lower() not in suffixes:
            raise ConfigError(f"{path} does not end in {suffixes[0]}", "so that nothing else is overwritten by mistake")

    from facedis.reports.terminal.similarity import render

    compared = _compared(model_or_newest(model, as_json, quiet), given, event_handler(as_json, quiet))
    if html is not None:
        from facedis.reports.html.similarity_page import write_similarity

        write_similarity(compared.record, compared.faces, html)
    if table is not None:
        from facedis.reports.tables.similarity_csv import write_csv

        write_csv(compared.record, table)
    show(compared.record, render, as_json, quiet)


def _compared(run: "Run", given: dict[str, Any], handler: "EventHandler") -> "SimilarityResult":
    """The comparison that was asked for; what was not given is left to its defaults."""

    def chosen(*names: str, **more: Any) -> dict[str, Any]:
        return {name: given[name] for name in ("device", "false_accepts", *names) if given[name] is not None} | more

    if given["sample"] is not None:
        from facedis.faces.cache.cache import FacesCache
        from facedis.reports.html.similarity_page import PER_KIND
        from facedis.tasks.similarity.pair_sampling import sample

        with FacesCache.open(given["faces"]) as cache:
            more = _draws(given) | {"shown": PER_KIND if given["html"] else 0, "handler": handler}
            return sample(run, cache, given["sample"], **chosen("split", "seed", **more))
    if given["pairs"] is not None:
        from facedis.reports.html.similarity_page import PAIRS
        from facedis.tasks.similarity.pair_list import compare_pair_list

        more = _draws(given) | {"shown": PAIRS if given["html"] else 0, "handler": handler}
        return compare_pair_list(run, given["pairs"], **chosen("images", "crop", **more))
    if _is_picture(given["image2"]):
        from facedis.tasks.similarity.similarity import compare

        return compare(run, given["image1"], given["image2"], **chosen("crop"))
    from facedis.tasks.similarity.rank_faces import rank

    place = given["image2"] or given["faces"]
    return rank(run, given["image1"], place, **chosen("top", "by", "crop", handler=handler))


def _draws(given: dict[str, Any]) -> dict[str, int]:
    draws = given["bootstrap"]
    if draws is not None and draws < 100:
        raise ConfigError(f"--bootstrap is {draws}", "it must be at least 100")
    return {} if draws is None else {"draws": draws}


def _check(given: dict[str, Any]) -> None:
    """Refuse what does not go together, and options that would do nothing."""
    image1, image2, faces = given["image1"], given["image2"], given["faces"]
    if given["sample"] is not None or given["pairs"] is not None:
        mode = "sample" if given["sample"] is not None else "pairs"
        if image1 is not None or (given["sample"] is not None and given["pairs"] is not None):
            raise ConfigError(f"--{mode} takes its images from elsewhere", "leave the other images or list out")
        if mode == "sample" and faces is None:
            raise ConfigError("--sample needs a faces cache", "name one with --faces")
    elif image1 is None or (image2 is None) == (faces is None):
        raise ConfigError(
            "there is nothing to compare",
            "name two images, an image and a folder or --faces, --pairs FILE, or --faces F --sample N",
        )
    else:
        mode = "pair" if _is_picture(image2) else "ranking"
    unused = [name for name, modes in _USED_BY.items() if given[name] is not None and mode not in modes]
    if unused:
        raise ConfigError(f"--{unused[0].replace('_', '-')} says nothing here", f"it belongs to {_WORDS[unused[0]]}")


#: For which comparisons an option says something, and how they are called.
_USED_BY = {
    "top": ("ranking",),
    "by": ("ranking",),
    "images": ("pairs",),
    "faces": ("ranking", "sample"),
    "split": ("sample",),
    "bootstrap": ("pairs", "sample"),
    "seed": ("sample",),
    "crop": ("pair", "ranking", "pairs"),
}
_WORDS = {
    "top": "an image against a folder",
    "by": "an image against a folder",
    "images": "--pairs",
    "faces": "--sample, or one image",
    "split": "--sample",
    "bootstrap": "--sample or --pairs",
    "seed": "--sample",
    "crop": "images, not to faces that are cut out already",
}


def _is_picture(path: Path | None) -> bool:
    """Whether the second argument is an image and not many; by its name, for it may be missing."""
    return path is not None and not path.is_dir() and path.suffix.lower() not in _MANY_FACES
