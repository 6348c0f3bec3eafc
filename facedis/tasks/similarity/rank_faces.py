"""Retrieval of the faces most similar to a query image, from a folder, a faces cache or a file of codes."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from facedis.errors import ConfigError, InputError, RunError
from facedis.events import EventHandler, track, warn
from facedis.faces.alignment.align_images import CropOptions, align_images
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
    OUTPUTS,
    ComparedPair,
    SimilarityOptions,
    SimilarityResult,
    common_fields,
    compare_pairs,
    predict_expressions,
    several_faces_note,
)

#: Default number of faces listed.
TOP_K = 10

#: Suffixes of files of codes; CSV is included so that it gets its own error.
CODES_SUFFIXES = (".parquet", ".npz", ".csv")


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class RankingResult(SimilarityResult):
    """Faces ranked by their similarity to a query image.

    Attributes:
        faces: The gallery.
        by: Code that ranks the faces.
        left_out: Number of images without a face.
        problems: The first of them, with the reason.
    """

    faces: str
    by: str
    left_out: int
    problems: list[dict[str, str]]


def rank_faces(
    run: Run,
    image: Path | str,
    gallery: Path | str,
    top_k: int = TOP_K,
    code: str = "expression",
    options: SimilarityOptions | None = None,
) -> RankingResult:
    """Rank the faces of a gallery by the cosine of their codes to the code of an image.

    Args:
        run: The model.
        image: The query.
        gallery: Folder of images, faces cache, or .parquet or .npz file of `facedis embed`; read block by block.
        top_k: Number of faces to list.
        code: Code to rank by: expression, rest or trunk.
        options: How faces are cropped and compared; `crop` also applies to a folder.

    Returns:
        Pairs of the query with each face found, in descending order of the cosine.

    Raises:
        InputError: The image or the gallery cannot be used, or the codes are of another model.
        ConfigError: The code is unknown or `top_k` is less than 1.
        RunError: The model has no rest code to rank by.
    """
    options, image, gallery = options or SimilarityOptions(), Path(image), Path(gallery)
    _check_arguments(run, gallery, top_k, code)
    reference = ReferenceDistribution.load(run.path, options.far)
    codes_file = open_model_codes(run, gallery, code) if gallery.suffix.lower() in CODES_SUFFIXES else None
    crop = CropOptions.from_info(run.info["faces"])
    (face,) = align_images([image], crop, options.crop, options.device)
    query = encode_faces(run, np.stack([face.face]), pick_device(options.device), OUTPUTS)
    notes = [several_faces_note(image, face.n_faces)] if face.n_faces > 1 else []
    search = TopK(query[code][0], top_k)
    if codes_file is not None:
        matches = _search_codes(codes_file, search, code, options.handler)
    else:
        matches = _search_gallery(run, gallery, search, code, options)
    if matches.problems:
        first = ", ".join(matches.problems[0])
        warn(options.handler, f"left out {len(matches.problems):,} images, the first is {first}")
    return RankingResult(
        mode="ranking",
        n=matches.total,
        faces=str(gallery),
        by=code,
        left_out=len(matches.problems),
        problems=[{"image": name, "why": why} for name, why in matches.problems[:MAX_LISTED]],
        pairs=_pairs(run, str(image), query, matches, reference),
        images={str(image): face.face} | dict(zip(matches.images, matches.faces, strict=False)),
        **common_fields(run, reference, notes),
    )


def _check_arguments(run: Run, gallery: Path, top_k: int, code: str) -> None:
    if code not in CODES:
        raise ConfigError(f"--code is '{code}'", f"choose one of: {', '.join(CODES)}")
    if code == "rest" and run.model.rest_branch is None:
        raise RunError(f"{run.display_name} is a baseline without a rest code", "rank by --code expression or trunk")
    if top_k < 1:
        raise ConfigError(f"--top-k is {top_k}", "it must be at least 1")
    if not gallery.exists() and not gallery.suffix:
        raise InputError(f"there is no {gallery}", "name an image, a folder, a faces cache or a file of codes")


def open_model_codes(run: Run, path: Path, code: str) -> CodesFile:
    """Open a file of codes that was made by `run` and contains `code`.

    Raises:
        InputError: The file cannot be read, is of another model, or lacks the code.
    """
    file = open_codes(path)
    if file.metadata.get("fingerprint") != run.fingerprint:
        raise InputError(
            f"the codes in {path} are of another model, {file.metadata.get('model')}",
            "name that --model, or make them again with `facedis embed`",
        )
    if code not in file.codes:
        raise InputError(
            f"{path} contains no {code} codes", f"rank by --code {file.codes[0]}, or embed with --code all"
        )
    return file


@dataclass(frozen=True)
class _Matches:
    """The m nearest faces in descending order of the cosine.

    Attributes:
        total: Number of faces searched.
        images: Names of their images in the record.
        ids: (m,) arrays by `ID_COLUMNS`.
        codes: (m, D) codes by name, and the probabilities where they are known.
        faces: (S, S, 3) uint8 faces; empty for a file of codes.
        problems: Image and reason of each image without a face.
    """

    total: int
    images: list[str]
    ids: Mapping[str, np.ndarray]
    codes: Mapping[str, np.ndarray]
    faces: list[np.ndarray] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def _search_codes(file: CodesFile, search: TopK, code: str, handler: EventHandler) -> _Matches:
    with track(handler, "searching", file.total) as progress:
        for block in file.blocks(code):
            search.add(block)
            progress.advance(len(block))
    ids, root = file.ids(search.indices), Path(file.metadata.get("source", ""))
    codes = {name: file.take(name, search.indices) for name in file.codes}
    return _Matches(file.total, [str(root / image) for image in ids["image"]], ids, codes)


def _search_gallery(run: Run, gallery: Path, search: TopK, code: str, options: SimilarityOptions) -> _Matches:
    with ExitStack() as stack:
        if gallery.is_dir():
            crop = CropOptions.from_info(run.info["faces"])
            source = faces_from_folder(gallery, crop, options.crop, options.device)
        else:
            source = faces_from_cache(stack.enter_context(FacesCache.open(gallery)), "all", options.batch_size)
        return _search_faces(run, source, search, code, options)


def _search_faces(run: Run, source: FaceSource, search: TopK, code: str, options: SimilarityOptions) -> _Matches:
    device = pick_device(options.device)
    candidates: dict[int, _Candidate] = {}
    problems: list[tuple[str, str]] = []
    faces = images = 0
    with track(options.handler, "comparing", source.total) as progress:
        for block in source.blocks:
            if len(block.faces):
                codes = encode_faces(run, block.faces, device, OUTPUTS)
                search.add(codes[code])
                candidates = {
                    index: candidates[index] if index < faces else _Candidate.of(block, codes, index - faces)
                    for index in search.indices.tolist()
                }
            faces, images = faces + len(block.faces), images + block.n_images
            problems += block.problems
            progress.advance(block.n_images)
    if not faces:
        raise InputError(
            f"none of the {images:,} images of {source.path} has a usable face; the first is {', '.join(problems[0])}",
            "add --crop none if the images are cropped faces already",
        )
    chosen = [candidates[index] for index in search.indices.tolist()]
    ids = {name: np.array([each.ids[name] for each in chosen]) for name in ID_COLUMNS}
    codes = {name: np.stack([each.codes[name] for each in chosen]) for name in chosen[0].codes}
    names = [str(source.root / image) for image in ids["image"]]
    return _Matches(faces, names, ids, codes, [each.face for each in chosen], problems)


@dataclass(frozen=True)
class _Candidate:
    """One of the nearest faces so far, copied so that its block can be released."""

    ids: dict[str, Any]
    codes: dict[str, np.ndarray]
    face: np.ndarray

    @classmethod
    def of(cls, block: FaceBlock, codes: Mapping[str, np.ndarray], index: int) -> "_Candidate":
        """The face at `index` of a block."""
        ids = {name: values[index] for name, values in block.ids.items()}
        return cls(ids, {name: values[index].copy() for name, values in codes.items()}, block.faces[index].copy())


def _pairs(
    run: Run, image: str, query: Mapping[str, np.ndarray], matches: _Matches, reference: ReferenceDistribution
) -> list[ComparedPair]:
    m = len(matches.images)
    codes = {name: np.concatenate([query[name], values]) for name, values in matches.codes.items()}
    compared = compare_pairs(codes, np.zeros(m, int), np.arange(1, m + 1), reference)
    predicted = predict_expressions(run, codes["probabilities"]) if "probabilities" in codes else None
    return [
        ComparedPair(
            rank=rank,
            image1=image,
            image2=name,
            labels={key: str(matches.ids[key][rank - 1]) for key in ("expression", "identity", "split")},
            predicted=[predicted[0], predicted[rank]] if predicted else None,
            **values._asdict(),
        )
        for rank, (name, values) in enumerate(zip(matches.images, compared, strict=True), 1)
    ]
