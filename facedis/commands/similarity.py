"""`facedis similarity`: the similarity of faces in expression and in everything else."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from facedis.commands.common.shared import (
    AsJson,
    DeviceOption,
    ModelOption,
    PhotoCrop,
    Quiet,
    event_handler,
    model_or_newest,
    show,
)
from facedis.config.eval_config import Split
from facedis.errors import ConfigError

if TYPE_CHECKING:
    from facedis.events import EventHandler
    from facedis.model.storage.checkpoint import Run
    from facedis.tasks.similarity.similarity import SimilarityResult

_MANY, _SAMPLE = "Ranking and lists of pairs", "Random pairs of a faces cache"
#: Suffixes of files with many faces; every other file is an image.
_MANY_FACES = (".h5", ".hdf5", ".parquet", ".npz", ".csv")


def similarity(
    image1: Annotated[
        Path | None, typer.Argument(help="Image with a face; omitted with --pairs or --sample.", show_default=False)
    ] = None,
    image2: Annotated[
        Path | None,
        typer.Argument(
            help="Second image; or a folder of images, a faces cache, or codes of `facedis embed` (.parquet, .npz) to "
            "rank by similarity to IMAGE1.",
            show_default=False,
        ),
    ] = None,
    top_k: Annotated[
        int | None, typer.Option(help="Number of faces to list.", show_default="10", rich_help_panel=_MANY)
    ] = None,
    code: Annotated[
        Literal["expression", "rest", "trunk"] | None,
        typer.Option(help="Code to rank by.", show_default="expression", rich_help_panel=_MANY),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="List of pairs: a CSV file with the columns image1 and image2, or LFW's pairs.txt.",
            show_default="none",
            rich_help_panel=_MANY,
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Folder of the images in --pairs.", show_default="that of the list", rich_help_panel=_MANY),
    ] = None,
    faces: Annotated[
        Path | None, typer.Option(help="Faces cache.", show_default="none", rich_help_panel=_SAMPLE)
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            help="Number of random pairs of each kind: same/different expression, same/different person.",
            show_default="none",
            rich_help_panel=_SAMPLE,
        ),
    ] = None,
    split: Annotated[
        Split | None, typer.Option(help="Split to sample from.", show_default="all", rich_help_panel=_SAMPLE)
    ] = None,
    bootstrap_samples: Annotated[
        int | None,
        typer.Option(help="Bootstrap resamples of each interval.", show_default="1000", rich_help_panel=_SAMPLE),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Random seed of faces and pairs.", show_default="0", rich_help_panel=_SAMPLE)
    ] = None,
    model: ModelOption = None,
    crop: PhotoCrop = None,
    far: Annotated[
        float | None,
        typer.Option(
            help="False accept rate of the threshold: fraction of different-expression pairs above it.",
            show_default="0.05",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Also write a self-contained page with the faces.", show_default="none"),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", help="Also write the pairs as a CSV file.", show_default="none")
    ] = None,
    device: DeviceOption = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compare the expressions of faces by the cosine similarity of their codes.

    Compares two images; an image with a folder, a faces cache or a file of codes; a list of pairs; or random pairs of
    a faces cache. Each cosine is reported with its percentile among validation pairs of the same and of different
    expressions, and of the same and of different identities. Images that cannot be read are reported and the others
    continue.
    """
    given = dict(locals())
    _check(given)
    for path, suffixes in ((html, (".html", ".htm")), (table, (".csv",))):
        if path is not None and path.suffix.lower() not in suffixes:
            raise ConfigError(f"{path} does not end in {suffixes[0]}", "so that nothing else is overwritten by mistake")

    from facedis.reports.terminal.similarity import render

    result = _compare(model_or_newest(model, as_json, quiet), given, event_handler(as_json, quiet))
    record = result.to_dict()
    if html is not None:
        from facedis.reports.html.similarity_page import write_similarity

        write_similarity(record, result.images, html)
    if table is not None:
        from facedis.reports.tables.similarity_csv import write_csv

        write_csv(result.table_rows(), table)
    show(record, render, as_json, quiet)


def _compare(run: "Run", given: dict[str, Any], handler: "EventHandler") -> "SimilarityResult":
    """The comparison that the arguments ask for."""
    from facedis.tasks.similarity.similarity import SimilarityOptions, similarity

    def chosen(*names: str) -> dict[str, Any]:
        return {name: given[name] for name in names if given[name] is not None}

    options = SimilarityOptions(
        far=given["far"], handler=handler, **chosen("crop", "device"), **_bootstrap_samples(given)
    )
    if given["sample"] is not None:
        from facedis.faces.cache.cache import FacesCache
        from facedis.reports.html.similarity_page import PER_KIND
        from facedis.tasks.similarity.pair_sampling import sample_pairs

        options = replace(options, num_examples=PER_KIND if given["html"] else 0)
        with FacesCache.open(given["faces"]) as cache:
            return sample_pairs(run, cache, given["sample"], **chosen("split", "seed"), options=options)
    if given["pairs"] is not None:
        from facedis.reports.html.similarity_page import MAX_PAIRS
        from facedis.tasks.similarity.pair_list import compare_pair_list

        options = replace(options, num_examples=MAX_PAIRS if given["html"] else 0)
        return compare_pair_list(run, given["pairs"], given["images"], options)
    if _is_picture(given["image2"]):
        return similarity(run, given["image1"], given["image2"], options)
    from facedis.tasks.similarity.rank_faces import rank_faces

    gallery = given["image2"] or given["faces"]
    return rank_faces(run, given["image1"], gallery, **chosen("top_k", "code"), options=options)


def _bootstrap_samples(given: dict[str, Any]) -> dict[str, Any]:
    samples = given["bootstrap_samples"]
    if samples is not None and samples < 100:
        raise ConfigError(f"--bootstrap-samples is {samples}", "it must be at least 100")
    return {} if samples is None else {"bootstrap_samples": samples}


def _check(given: dict[str, Any]) -> None:
    """Refuse contradicting options, and options without effect."""
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
        raise ConfigError(f"--{unused[0].replace('_', '-')} has no effect here", f"it belongs to {_WORDS[unused[0]]}")


#: The comparisons that use an option, and their names in messages.
_USED_BY = {
    "top_k": ("ranking",),
    "code": ("ranking",),
    "images": ("pairs",),
    "faces": ("ranking", "sample"),
    "split": ("sample",),
    "bootstrap_samples": ("pairs", "sample"),
    "seed": ("sample",),
    "crop": ("pair", "ranking", "pairs"),
}
_WORDS = {
    "top_k": "an image and a folder",
    "code": "an image and a folder",
    "images": "--pairs",
    "faces": "--sample, or one image",
    "split": "--sample",
    "bootstrap_samples": "--sample or --pairs",
    "seed": "--sample",
    "crop": "images, not to cropped faces",
}


def _is_picture(path: Path | None) -> bool:
    """Whether the second argument is a single image, judged by its name."""
    return path is not None and not path.is_dir() and path.suffix.lower() not in _MANY_FACES
