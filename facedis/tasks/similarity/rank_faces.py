"""The faces most like one: of a folder, of a faces cache, or of a file of codes."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facedis.errors import ConfigError, InputError, RunError
from facedis.events import EventHandler, ignore_events, track, warn
from facedis.faces.alignment.align_images import align_images
from facedis.faces.alignment.sources import ID_COLUMNS, FaceBlock, FaceSource, faces_from_cache, faces_from_folder
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.verification.ranking import TopK
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.tasks.encoding.codes_file import CodesFile, open_codes
from facedis.tasks.encoding.embedding import MAX_LISTED
from facedis.tasks.encoding.encode import CODES, encode_faces
from facedis.tasks.similarity.reference_distribution import ReferenceDistribution
from facedis.tasks.similarity.similarity import (
    COMPARED_OUTPUTS,
    SimilarityResult,
    compare_pairs,
    predicted,
    similarity_record,
)

#: Faces listed where the user does not say how many.
TOP = 10
_BATCH = 128
#: Endings of files of codes; that of one that cannot be searched is told so.
CODES_SUFFIXES = (".parquet", ".npz", ".csv")


def rank(
    run: Run,
    image: Path,
    place: Path,
    top: int = TOP,
    by: str = "expression",
    crop: str | None = None,
    device: str = "auto",
    false_accepts: float | None = None,
    handler: EventHandler = ignore_events,
) -> SimilarityResult:
    """The faces whose codes are nearest to that of an image, the nearest first.

    Args:
        run: The model.
        image: The face to look for.
        place: A folder of images, a faces cache, or a .parquet or .npz file of `facedis embed`. Only
            a block of it is in memory at a time.
        top: How many.
        by: The code to rank by: expression, rest or trunk.
        crop: Of the image and of a folder's images; None as the run's own faces were.
        device: As in the settings.
        false_accepts: As in `compare`.
        handler: Told of the progress.

    Returns:
        Pairs of the image with each face found, with their `rank`.

    Raises:
        InputError: The image or the place cannot be used, or the codes are of another model.
        ConfigError: No such code, or `top` is not positive.
        RunError: The model has no rest code and is asked to rank by it.
    """
    if by not in CODES:
        raise ConfigError(f"--by is '{by}'", f"choose one of: {', '.join(CODES)}")
    if by == "rest" and run.model.rest_branch is None:
        raise RunError(f"{run.display_name} is a baseline without a rest code", "rank --by expression or trunk")
    if top < 1:
        raise ConfigError(f"--top is {top}", "it must be at least 1")
    if not place.exists() and not place.suffix:
        raise InputError(f"there is no {place}", "name an image, a folder, a faces cache or a file of codes")
    reference = ReferenceDistribution.load(run.path, false_accepts)
    codes_file = codes_in(run, place, by) if place.suffix.lower() in CODES_SUFFIXES else None
    (face,) = align_images(run, [image], crop, device)
    query = encode_faces(run, np.stack([face.face]), pick_device(device), COMPARED_OUTPUTS)
    notes = [f"{image} shows {face.n_faces} faces, the largest is compared"] if face.n_faces > 1 else []
    if codes_file is not None:
        found = _in_codes(codes_file, query, by, top, handler)
    else:
        with ExitStack() as stack:
            if place.is_dir():
                source = faces_from_folder(run, place, crop, device)
            else:
                source = faces_from_cache(stack.enter_context(FacesCache.open(place)), "all", _BATCH)
            found = _in_faces(run, source, query, by, top, device, handler)
    pairs = _pairs(run, str(image), query, found, reference)
    listed = [{"image": name, "why": why} for name, why in found.problems[:MAX_LISTED]]
    if found.problems:
        warn(handler, f"left out {len(found.problems):,} images, the first is {': '.join(found.problems[0])}")
    more = {"faces": str(place), "n": found.total, "by": by, "left_out": len(found.problems), "problems": listed}
    result = similarity_record(run, "ranking", pairs, reference, notes, **more)
    return SimilarityResult(result, {str(image): face.face} | dict(zip(found.names, found.faces, strict=False)))


@dataclass(frozen=True)
class _Found:
    """The m nearest faces, the nearest first.

    Attributes:
        total: Faces that were looked at.
        names: Their images, as they are called in the record.
        ids: (m,) arrays by `ID_COLUMNS`.
        codes: (m, D) arrays by name, with the probabilities where they are known.
        faces: (S, S, 3) uint8 of each; none of a file of codes.
        problems: (image, why) of images without a face.
    """

    total: int
    names: list[str]
    ids: Mapping[str, np.ndarray]
    codes: Mapping[str, np.ndarray]
    faces: list[np.ndarray]
    problems: list[tuple[str, str]]


def codes_in(run: Run, place: Path, by: str) -> CodesFile:
    """The file of codes `place`, made by `run` and with codes to rank `by` in it.

    Raises:
        InputError: It cannot be read, is of another model, or lacks those codes.
    """
    file = open_codes(place)
    if file.metadata.get("fingerprint") != run.fingerprint:
        raise InputError(
            f"the codes in {place} are of another model, {file.metadata.get('model')}",
            "name that --model, or make them again with `facedis embed`",
        )
    if by not in file.codes:
        raise InputError(f"{place} holds no {by} codes", f"rank --by {file.codes[0]}, or embed with --code all")
    return file


def _in_codes(file: CodesFile, query: Mapping[str, np.ndarray], by: str, top: int, handler: EventHandler) -> _Found:
    best = TopK(query[by][0], top)
    with track(handler, "searching", file.total) as progress:
        for block in file.blocks(by):
            best.add(block)
            progress.advance(len(block))
    ids, root = file.ids(best.indices), Path(file.metadata.get("source", ""))
    codes = {name: file.take(name, best.indices) for name in file.codes}
    return _Found(file.total, [str(root / image) for image in ids["image"]], ids, codes, [], [])


def _in_faces(
    run: Run, source: FaceSource, query: Mapping[str, np.ndarray], by: str, top: int, device: str, handler: EventHandler
) -> _Found:
    best, where = TopK(query[by][0], top), pick_device(device)
    kept: dict[int, _Face] = {}
    problems: list[tuple[str, str]] = []
    faces = looked = 0
    with track(handler, "comparing", source.total) as progress:
        for block in source.blocks:
            if len(block.faces):
                codes = encode_faces(run, block.faces, where, COMPARED_OUTPUTS)
                best.add(codes[by])
                new = [place for place in best.indices.tolist() if place >= faces]
                kept = {place: kept[place] for place in best.indices.tolist() if place < faces}
                kept |= {place: _Face.of(block, codes, place - faces) for place in new}
            faces, looked = faces + len(block.faces), looked + block.n_images
            problems += block.problems
            progress.advance(block.n_images)
    if not faces:
        raise InputError(
            f"none of the {looked:,} images of {source.path} has a face to use; the first is {': '.join(problems[0])}",
            "add --crop none if they are cropped faces already",
        )
    chosen = [kept[place] for place in best.indices.tolist()]
    ids = {name: np.array([face.ids[name] for face in chosen]) for name in ID_COLUMNS}
    codes = {name: np.stack([face.codes[name] for face in chosen]) for name in chosen[0].codes}
    names = [str(source.root / image) for image in ids["image"]]
    return _Found(faces, names, ids, codes, [face.face for face in chosen], problems)


@dataclass(frozen=True)
class _Face:
    """One of the nearest so far, taken out of its block so that the block need not stay."""

    ids: dict[str, Any]
    codes: dict[str, np.ndarray]
    face: np.ndarray

    @classmethod
    def of(cls, block: FaceBlock, codes: Mapping[str, np.ndarray], place: int) -> "_Face":
        ids = {name: values[place] for name, values in block.ids.items()}
        return cls(ids, {name: values[place].copy() for name, values in codes.items()}, block.faces[place].copy())


def _pairs(
    run: Run, image: str, query: Mapping[str, np.ndarray], found: _Found, reference: ReferenceDistribution
) -> list[dict[str, Any]]:
    m = len(found.names)
    codes = {name: np.concatenate([query[name], values]) for name, values in found.codes.items()}
    placed = compare_pairs(codes, np.zeros(m, int), np.arange(1, m + 1), reference)
    seen = predicted(run, codes["probabilities"]) if "probabilities" in codes else None
    return [
        {"rank": number, "image1": image, "image2": name}
        | {"labels": {key: str(found.ids[key][number - 1]) for key in ("expression", "identity", "split")}}
        | values
        | {"predicted": [seen[0], seen[number]] if seen else None}
        for number, (name, values) in enumerate(zip(found.names, placed, strict=True), 1)
    ]
