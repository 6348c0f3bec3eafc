"""A list of pairs of images compared row by row; a row that cannot be used costs that row and nothing else."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from facedis.datasets.image_pairs import ImagePair, read_pairs
from facedis.datasets.record import Skipped
from facedis.errors import InputError
from facedis.events import EventHandler, ignore_events, track, warn
from facedis.faces.alignment.align_images import iter_aligned
from facedis.faces.io.prefetch_decode import prefetch_decoded
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.verification.pairs import Pairs, auc
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.result import Estimate
from facedis.tasks.encoding.encode import CODES, encode_faces
from facedis.tasks.similarity.reference_distribution import ReferenceDistribution
from facedis.tasks.similarity.similarity import (
    COMPARED_OUTPUTS,
    SimilarityResult,
    compare_pairs,
    predicted,
    similarity_record,
)

#: Pairs whose faces are in memory together.
BLOCK = 512
#: Problem rows that are told one by one.
TOLD = 5
_WORKERS = 2
_YES, _NO = {"1", "true", "yes", "same", "genuine"}, {"0", "false", "no", "different", "impostor", "diff"}


def compare_pair_list(
    run: Run,
    path: Path,
    images: Path | None = None,
    crop: str | None = None,
    device: str = "auto",
    false_accepts: float | None = None,
    shown: int = 0,
    draws: int = 1_000,
    handler: EventHandler = ignore_events,
) -> SimilarityResult:
    """Compare the pairs of a list.

    Args:
        run: The model.
        path: A CSV file with the columns image1 and image2, or LFW's pairs.txt.
        images: Folder of the images; None for that of the list.
        crop: How faces are cut out; None as the run's own were.
        device: As in the settings.
        false_accepts: As in `compare`.
        shown: Of how many of the first pairs the faces are kept.
        draws: Resamples behind an interval.
        handler: Told of the progress and of rows that cannot be used.

    Returns:
        The pairs with their `line` and `labels`. Where a column says of each pair yes or no (1 or 0,
        true or false, same or different), `auc` tells how well each code tells the two apart.

    Raises:
        InputError: The list cannot be read, or not one of its rows can be used.
    """
    reference = ReferenceDistribution.load(run.path, false_accepts)
    rows = list(read_pairs(path, images))
    wanted = [row for row in rows if isinstance(row, ImagePair)]
    problems = [{"line": row.line, "image": "", "why": row.reason} for row in rows if isinstance(row, Skipped)]
    pairs: list[dict[str, Any]] = []
    faces: dict[str, np.ndarray] = {}
    with track(handler, "comparing", len(wanted)) as progress:
        for start in range(0, len(wanted), BLOCK):
            block = wanted[start : start + BLOCK]
            known, pixels, bad = _faces_of(run, block, crop, device)
            problems += bad
            good = [pair for pair in block if str(pair.path1) in known and str(pair.path2) in known]
            for pair in good[: max(0, shown - len(pairs))]:
                faces |= {name: pixels[str(where)] for name, where in _named(pair)}
            pairs += _compared(run, good, known, reference)
            progress.advance(len(block))
    problems.sort(key=lambda problem: problem["line"])
    _tell(problems, path, handler)
    if not pairs:
        first = _sentence(problems[0], path) if problems else f"{path} names no pair"
        raise InputError(f"no pair of {path} can be compared: {first}", "name images with a face in each row")
    told = {column: _told(pairs, same, draws) for column, same in _judgements(pairs)}
    more = {"list": str(path), "left_out": len({problem["line"] for problem in problems}), "problems": problems}
    return SimilarityResult(similarity_record(run, "pairs", pairs, reference, auc=told, **more), faces)


def _faces_of(
    run: Run, block: Sequence[ImagePair], crop: str | None, device: str
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, np.ndarray], list[dict[str, Any]]]:
    """Codes and face of every image of a block by its path, each image read once, and what is wrong with which row."""
    paths = list(dict.fromkeys(str(where) for pair in block for _, where in _named(pair)))
    where, codes, pixels, why = pick_device(device), {}, {}, {}
    images = prefetch_decoded(map(Path, paths), _WORKERS)
    for cut in iter_aligned(run, images, len(paths), crop, device=device):
        why |= {paths[place]: reason for place, reason in cut.problems}
        if len(cut.indices):
            found = encode_faces(run, cut.faces, where, COMPARED_OUTPUTS)
            for number, place in enumerate(cut.indices.tolist()):
                codes[paths[place]] = {name: values[number] for name, values in found.items()}
                pixels[paths[place]] = cut.faces[number]
    problems = [
        {"line": pair.line, "image": name, "why": why[str(path)]}
        for pair in block
        for name, path in dict(_named(pair)).items()
        if str(path) in why
    ]
    return codes, pixels, problems


def _named(pair: ImagePair) -> list[tuple[str, Path]]:
    return [(pair.image1, pair.path1), (pair.image2, pair.path2)]


def _compared(
    run: Run, good: Sequence[ImagePair], known: dict[str, dict[str, np.ndarray]], reference: ReferenceDistribution
) -> list[dict[str, Any]]:
    if not good:
        return []
    ends = [known[str(where)] for pair in good for _, where in _named(pair)]  # first, second, first, ...
    codes = {name: np.stack([end[name] for end in ends]) for name in ends[0]}
    placed = compare_pairs(codes, np.arange(0, len(ends), 2), np.arange(1, len(ends), 2), reference)
    seen = predicted(run, codes["probabilities"])
    return [
        {"line": pair.line, "image1": pair.image1, "image2": pair.image2, "labels": pair.labels}
        | values
        | {"predicted": seen[2 * number : 2 * number + 2]}
        for number, (pair, values) in enumerate(zip(good, placed, strict=True))
    ]


def _judgements(pairs: Sequence[dict[str, Any]]) -> Iterator[tuple[str, np.ndarray]]:
    """The columns that say yes or no of every pair, and both of some, as (m,) bool."""
    for column in pairs[0]["labels"]:
        values = [pair["labels"].get(column, "").lower() for pair in pairs]
        if {*values} <= _YES | _NO and {*values} & _YES and {*values} & _NO:
            yield column, np.array([value in _YES for value in values])


def _told(pairs: Sequence[dict[str, Any]], same: np.ndarray, draws: int) -> dict[str, Estimate | None]:
    """The AUC of each code; the images are drawn, because pairs that share one are not independent."""
    names = list(chain.from_iterable((pair["image1"], pair["image2"]) for pair in pairs))
    images, places = np.unique(names, return_inverse=True)
    kinds, plan = Pairs(places[::2], places[1::2], same), Bootstrap(n_resamples=draws)
    return {
        code: auc(np.array([pair[code]["cosine"] for pair in pairs]), kinds, images, plan)
        for code in CODES
        if pairs[0][code] is not None
    }


def _tell(problems: Iterable[dict[str, Any]], path: Path, handler: EventHandler) -> None:
    told = iter(problems)
    for problem in islice(told, TOLD):
        warn(handler, _sentence(problem, path))
    if left := sum(1 for _ in told):
        warn(handler, f"{left:,} more rows of {path} cannot be used; the record lists them all")


def _sentence(problem: dict[str, Any], path: Path) -> str:
    image = f"{problem['image']}: " if problem["image"] else ""
    return f"{path}, line {problem['line']}: {image}{problem['why']}"
