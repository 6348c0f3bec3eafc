"""Comparison of a list of image pairs; rows that cannot be used are reported and skipped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from facedis.datasets.image_pairs import ImagePair, read_pairs
from facedis.datasets.record import Skipped
from facedis.errors import InputError
from facedis.events import EventHandler, track, warn
from facedis.faces.alignment.align_images import CropOptions, iter_aligned
from facedis.faces.io.prefetch_decode import prefetch_decoded
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.verification.pairs import Pairs, auc
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.result import Estimate
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
)

#: Pairs whose faces are in memory at the same time.
BLOCK_SIZE = 512
#: Maximum number of warnings about single rows.
MAX_WARNINGS = 5
_WORKERS = 2
_YES, _NO = {"1", "true", "yes", "same", "genuine"}, {"0", "false", "no", "different", "impostor", "diff"}


@dataclass(frozen=True)
class RowProblem:
    """Why a row of a list cannot be used; `image` is "" if the row itself is malformed."""

    line: int
    image: str
    why: str

    def message(self, path: Path) -> str:
        """The problem as a sentence."""
        image = f"{self.image}: " if self.image else ""
        return f"{path}, line {self.line}: {image}{self.why}"


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class PairListResult(SimilarityResult):
    """Compared pairs of a list.

    Attributes:
        list: The list.
        left_out: Number of rows that cannot be used.
        problems: Every reason, by line.
        auc: For each binary column of the list, the AUC of each code.
    """

    list: str
    left_out: int
    problems: Sequence[RowProblem]
    auc: Mapping[str, Mapping[str, Estimate | None]]


def compare_pair_list(
    run: Run, path: Path | str, images: Path | str | None = None, options: SimilarityOptions | None = None
) -> PairListResult:
    """Compare the pairs of a list.

    Args:
        run: The model.
        path: A CSV file with the columns image1 and image2, or LFW's pairs.txt.
        images: Folder of the images; None for the folder of the list.
        options: How faces are cropped and compared.

    Returns:
        The pairs with their `line` and `labels`. `auc` has the AUC of each code for each column in which every pair has
        a binary label (1 or 0, true or false, yes or no, same or different, genuine or impostor).

    Raises:
        InputError: The list cannot be read, or none of its rows can be used.
    """
    options, path = options or SimilarityOptions(), Path(path)
    reference = ReferenceDistribution.load(run.path, options.far)
    rows = list(read_pairs(path, None if images is None else Path(images)))
    listed = [row for row in rows if isinstance(row, ImagePair)]
    problems = [RowProblem(row.line, "", row.reason) for row in rows if isinstance(row, Skipped)]
    pairs: list[ComparedPair] = []
    examples: dict[str, np.ndarray] = {}
    with track(options.handler, "comparing", len(listed)) as progress:
        for start in range(0, len(listed), BLOCK_SIZE):
            block = listed[start : start + BLOCK_SIZE]
            faces = _encode(run, block, options)
            problems += faces.problems
            usable = [pair for pair in block if str(pair.path1) in faces.codes and str(pair.path2) in faces.codes]
            for pair in usable[: max(0, options.num_examples - len(pairs))]:
                examples |= {name: faces.images[str(file)] for name, file in _images(pair)}
            pairs += _compare(run, usable, faces.codes, reference)
            progress.advance(len(block))
    problems.sort(key=lambda problem: problem.line)
    _warn(problems, path, options.handler)
    if not pairs:
        reason = problems[0].message(path) if problems else f"{path} has no pair"
        raise InputError(f"no pair of {path} can be compared: {reason}", "name images with a face in each row")
    return PairListResult(
        mode="pairs",
        n=len(pairs),
        list=str(path),
        left_out=len({problem.line for problem in problems}),
        problems=problems,
        auc={column: _auc(pairs, same, options.bootstrap_samples) for column, same in _binary_columns(pairs)},
        pairs=pairs,
        images=examples,
        **common_fields(run, reference),
    )


@dataclass(frozen=True)
class _EncodedImages:
    """Codes and face of every usable image of a block by its path, and the problems of its rows."""

    codes: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    images: dict[str, np.ndarray] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)


def _encode(run: Run, block: Sequence[ImagePair], options: SimilarityOptions) -> _EncodedImages:
    """Encode the images of a block, each image once."""
    paths = list(dict.fromkeys(str(file) for pair in block for _, file in _images(pair)))
    device, encoded, reasons = pick_device(options.device), _EncodedImages(), dict[str, str]()
    images = prefetch_decoded(map(Path, paths), _WORKERS)
    crop = CropOptions.from_info(run.info["faces"])
    for aligned in iter_aligned(images, len(paths), crop, options.crop, device=options.device):
        reasons |= {paths[index]: why for index, why in aligned.problems}
        if len(aligned.indices):
            codes = encode_faces(run, aligned.faces, device, OUTPUTS)
            for k, index in enumerate(aligned.indices.tolist()):
                encoded.codes[paths[index]] = {name: values[k] for name, values in codes.items()}
                encoded.images[paths[index]] = aligned.faces[k]
    encoded.problems.extend(
        RowProblem(pair.line, name, reasons[str(file)])
        for pair in block
        for name, file in dict(_images(pair)).items()
        if str(file) in reasons
    )
    return encoded


def _images(pair: ImagePair) -> list[tuple[str, Path]]:
    return [(pair.image1, pair.path1), (pair.image2, pair.path2)]


def _compare(
    run: Run,
    pairs: Sequence[ImagePair],
    encoded: Mapping[str, Mapping[str, np.ndarray]],
    reference: ReferenceDistribution,
) -> Iterator[ComparedPair]:
    if not pairs:
        return
    faces = [encoded[str(file)] for pair in pairs for _, file in _images(pair)]  # first, second, first, ...
    codes = {name: np.stack([face[name] for face in faces]) for name in faces[0]}
    compared = compare_pairs(codes, np.arange(0, len(faces), 2), np.arange(1, len(faces), 2), reference)
    predicted = predict_expressions(run, codes["probabilities"])
    for k, (pair, values) in enumerate(zip(pairs, compared, strict=True)):
        yield ComparedPair(
            line=pair.line,
            image1=pair.image1,
            image2=pair.image2,
            labels=pair.labels,
            predicted=predicted[2 * k : 2 * k + 2],
            **values._asdict(),
        )


def _binary_columns(pairs: Sequence[ComparedPair]) -> Iterator[tuple[str, np.ndarray]]:
    """Columns with a binary label in every pair and with both values, as (m,) bool."""
    for column in pairs[0].labels:
        values = [pair.labels.get(column, "").lower() for pair in pairs]
        if {*values} <= _YES | _NO and {*values} & _YES and {*values} & _NO:
            yield column, np.array([value in _YES for value in values])


def _auc(pairs: Sequence[ComparedPair], same: np.ndarray, bootstrap_samples: int) -> dict[str, Estimate | None]:
    """AUC of each code; images are resampled because pairs that share an image are not independent."""
    names = list(chain.from_iterable((pair.image1, pair.image2) for pair in pairs))
    images, indices = np.unique(names, return_inverse=True)
    labelled, plan = Pairs(indices[::2], indices[1::2], same), Bootstrap(n_resamples=bootstrap_samples)
    compared = {code: [getattr(pair, code) for pair in pairs] for code in CODES}
    return {
        code: auc(np.array([value.cosine for value in values]), labelled, images, plan)
        for code, values in compared.items()
        if values[0] is not None
    }


def _warn(problems: Sequence[RowProblem], path: Path, handler: EventHandler) -> None:
    for problem in problems[:MAX_WARNINGS]:
        warn(handler, problem.message(path))
    if len(problems) > MAX_WARNINGS:
        more = len(problems) - MAX_WARNINGS
        warn(handler, f"{more:,} more rows of {path} cannot be used; the record lists them all")
