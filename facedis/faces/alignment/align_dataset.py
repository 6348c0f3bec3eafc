"""Alignment of a dataset: detect, crop and store every face in a faces cache, resumably."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from facedis import plugins
from facedis.config import AlignConfig
from facedis.datasets.record import Skipped
from facedis.errors import CacheError, InputError, OutputError
from facedis.events import EventHandler, ignore_events, note, track, warn
from facedis.faces.alignment.aligner import Aligner
from facedis.faces.alignment.plan import AlignPlan, make_plan
from facedis.faces.alignment.shards import Shard, join_if_complete, shard_path, shard_plan
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import USABLE, CacheInfo, partial_path, read_info, refuse_pending
from facedis.faces.cache.cache_writer import CacheWriter
from facedis.faces.cache.summary import split_counts, status_counts
from facedis.faces.cropping.crop import CropSettings
from facedis.faces.io.prefetch_decode import prefetch_decoded
from facedis.locks import exclusive_lock
from facedis.result import Result

#: Rows per chunk, the unit of detection, of writing and of resuming. Chunks are counted from the first
#: row, so that a resumed run forms the same batches as an uninterrupted one.
CHUNK_ROWS = 64
#: Bytes per chunk without a detector, where most of the time is writing.
CHUNK_BYTES = 8_000_000
#: Seconds to wait for another process that joins the shards.
JOIN_TIMEOUT = 600
#: Maximum number of problem rows in the result record.
MAX_LISTED = 20


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class AlignmentResult(Result):
    """A finished alignment.

    Attributes:
        dataset: Name of the reader.
        source: Folder of the dataset.
        rows: Images of the dataset.
        n: Images with a face.
        status: Number of rows by status.
        classes: Expressions.
        splits: Number of faces by split and expression.
        crop: "box", "similarity" or "none".
        size: Side of a face in pixels.
        detector: Name of the detector; "none" if the images are cropped faces.
        identities: Number of known identities.
        problems: The first rows without a face, each with `image` and `status`.
        skipped: Number of rows of the dataset that are not in the cache.
        skipped_rows: The first of them.
        rate: Images per second; None if no row was pending.
        output: Path of the faces cache.
    """

    kind: ClassVar[str] = "alignment"

    dataset: str
    source: str
    rows: int
    n: int
    status: Mapping[str, int]
    classes: tuple[str, ...]
    splits: Mapping[str, Mapping[str, int]]
    crop: str
    size: int
    detector: str
    identities: int
    problems: Sequence[Mapping[str, str]]
    skipped: int
    skipped_rows: Sequence[Mapping[str, Any]]
    rate: float | None
    output: str

    def table_rows(self) -> Sequence[Mapping[str, Any]]:
        """One row per split, with the number of faces of each expression."""
        return [{"split": split, **counts} for split, counts in self.splits.items()]

    def summary(self) -> Mapping[str, object]:
        """Numbers of images and the file."""
        return {"dataset": self.dataset, "rows": self.rows, "output": self.output}


def align(
    source: Path | None,
    output: Path,
    config: AlignConfig,
    handler: EventHandler = ignore_events,
    overwrite: bool = False,
    shard: Shard | None = None,
) -> AlignmentResult:
    """Align the images at `source` and write the faces cache `output`.

    Rows are written to `<output>.partial`, which is renamed to `output` when it is complete. A
    partial file of the same images and settings is resumed. One process at a time writes an output.

    Args:
        source: Folder of a dataset; None for the bundled faces.
        output: Output HDF5 file.
        config: Alignment settings.
        handler: Receives the progress events.
        overwrite: Replace an existing `output`, complete or not, of other images or settings.
        shard: Align only this part of the rows, in a file next to `output`. The process that
            completes the last shard joins all of them to `output`.

    Returns:
        The result, whose record is of kind "alignment".

    Raises:
        InputError: `source` is not a dataset or has no usable image.
        ConfigError: An unknown reader or detector.
        OutputError: `output` has other contents, cannot be written, or is being written by another process.
        CacheError: An incomplete `output` cannot be resumed, or a finished one is damaged.
    """
    plan = make_plan(source, config, handler)
    if shard is None:
        return _align(plan, Path(output), config, handler, overwrite)
    if _is_finished(Path(output), plan.info.fingerprint, overwrite):
        note(handler, f"{output} is complete already")
        return _result(Path(output), None, plan.skipped)
    result = _align(shard_plan(plan, shard), shard_path(Path(output), shard), config, handler, overwrite)
    with exclusive_lock(Path(output), JOIN_TIMEOUT):
        joined = join_if_complete(Path(output), shard.total, plan.info.fingerprint)
    if not joined:
        return result
    note(handler, f"all {shard.total} shards are complete and joined to {output}")
    return _result(Path(output), result.rate, plan.skipped)


def _align(
    plan: AlignPlan, output: Path, config: AlignConfig, handler: EventHandler, overwrite: bool
) -> AlignmentResult:
    info, n = plan.info, len(plan.records)
    note(handler, f"{plan.root}: {n:,} images, read as {info.dataset}, crop {info.crop}, {info.size} px")
    if _is_finished(output, info.fingerprint, overwrite):
        note(handler, f"{output} is complete already")
        return _result(output, None, plan.skipped)
    aligner = Aligner(
        CropSettings(info.crop, info.size, info.margin),
        _build_detector(plan, config),
        config.no_face,
        config.multiple_faces,
    )
    rate = None
    with exclusive_lock(output):
        if not _is_finished(output, info.fingerprint, overwrite):  # by a process that has ended since
            rate = _write(output, plan, aligner, config, handler, overwrite)
    return _result(output, rate, plan.skipped)


def _write(
    output: Path, plan: AlignPlan, aligner: Aligner, config: AlignConfig, handler: EventHandler, overwrite: bool
) -> float | None:
    """Create or resume the cache and complete it; return the images per second."""
    with closing(_open_writer(output, plan, handler, overwrite)) as writer:
        rate = _align_pending(writer, plan, aligner, config.workers, handler)
        status = writer.status
        _check_usable(plan, status, output)
        _warn_about_gaps(plan, status, config, handler)
        writer.finish()
    return rate


def _is_finished(output: Path, fingerprint: str, overwrite: bool) -> bool:
    if output.is_dir():
        raise OutputError(f"{output} is a folder", "choose a file name with -o")
    if overwrite:
        return False
    other = "it holds other images or settings; choose another -o or --overwrite"
    if output.exists():
        try:
            same = read_info(output).fingerprint == fingerprint
        except CacheError as error:
            raise OutputError(error.message, "choose another -o or --overwrite") from error
        if not same:
            raise OutputError(f"{output} exists already", other)
        refuse_pending(output)
        return True
    partial = partial_path(output)
    if partial.exists() and _read_fingerprint(partial) not in (None, fingerprint):
        raise OutputError(f"the unfinished {partial} is in the way", other)
    return False


def _read_fingerprint(partial: Path) -> str | None:
    """Read the fingerprint; None if the file cannot be opened, which resuming reports."""
    try:
        return read_info(partial).fingerprint
    except CacheError:
        return None


def _build_detector(plan: AlignPlan, config: AlignConfig) -> Any:
    if plan.info.crop == "none":
        return None
    return plugins.load_by_name(plugins.DETECTORS, config.detector)(config.device, config.min_face_size)


def _open_writer(output: Path, plan: AlignPlan, handler: EventHandler, overwrite: bool) -> CacheWriter:
    partial = partial_path(output)
    if overwrite or not partial.exists():
        CacheWriter.create(output, plan.info, plan.records, plan.splits)
    writer = CacheWriter.resume(output)
    done = len(plan.records) - len(writer.pending)
    if done:
        note(handler, f"resuming {partial}: {done:,} of {len(plan.records):,} rows are done")
    return writer


def _align_pending(
    writer: CacheWriter, plan: AlignPlan, aligner: Aligner, workers: int, handler: EventHandler
) -> float | None:
    """Align the pending rows chunk by chunk; return the images per second, None if no row is pending."""
    chunks = _chunks(writer.pending, len(plan.records), plan.info)
    todo = sum(len(chunk) for chunk in chunks)
    if not todo:
        return None
    with track(handler, "align", todo) as progress:
        began = time.perf_counter()
        sources = (plan.source(row) for chunk in chunks for row in chunk)
        with closing(prefetch_decoded(sources, workers)) as images:
            for chunk in chunks:
                writer.write(
                    chunk.start,
                    aligner.align(islice(images, len(chunk)), len(chunk), plan.records[chunk.start : chunk.stop]),
                )
                rate = (progress.done + len(chunk)) / (time.perf_counter() - began)
                progress.advance(len(chunk), {"images/s": rate})
    return rate


def _chunks(pending: np.ndarray, n: int, info: CacheInfo) -> list[range]:
    """Return the chunks of the `n` rows that contain a pending row."""
    size = CHUNK_ROWS if info.crop != "none" else max(CHUNK_BYTES // (3 * info.size**2), 1)
    return [range(start, min(start + size, n)) for start in np.unique(pending // size * size).tolist()]


def _check_usable(plan: AlignPlan, status: np.ndarray, output: Path) -> None:
    """Raise an error and delete the file if no row has a face."""
    if np.isin(status, USABLE).any():
        return
    with suppress(OSError):
        partial_path(output).unlink()
    if (status == "no_face").any():
        raise InputError(
            f"no face was found in any of the {len(status):,} images of {plan.root}",
            "add --crop none if they are cropped faces already, or --no-face full-image",
        )
    names, counts = np.unique(status, return_counts=True)
    what = ", ".join(f"{count:,} {name}" for name, count in zip(names, counts, strict=True))
    raise InputError(f"none of the images of {plan.root} can be used ({what})", "name a folder of photographs")


def _warn_about_gaps(plan: AlignPlan, status: np.ndarray, config: AlignConfig, handler: EventHandler) -> None:
    """Warn if no face was detected, or if a requested split is empty."""
    if plan.info.crop != "none" and not np.isin(status, ("ok", "several")).any():
        warn(handler, f"no face was found in any image of {plan.root}; full images are used for all of them")
    divided = not any(entry.split for entry in plan.records)
    wanted = {"train": 1.0, "val": config.val_fraction, "test": config.test_fraction}
    empty = [split for split, share in wanted.items() if share > 0 and split not in plan.splits]
    if divided and empty:
        warn(handler, f"no identity was assigned to the split {' or '.join(empty)}; try another --seed")


def _result(output: Path, rate: float | None, skipped: Sequence[Skipped]) -> AlignmentResult:
    with FacesCache.open(output) as cache:
        bad = np.flatnonzero(~cache.usable)[:MAX_LISTED]
        return AlignmentResult(
            dataset=cache.info.dataset,
            source=cache.info.source,
            rows=len(cache),
            n=int(cache.usable.sum()),
            status=status_counts(cache),
            classes=cache.info.classes,
            splits=split_counts(cache),
            crop=cache.info.crop,
            size=cache.info.size,
            detector=cache.info.detector,
            identities=len(set(cache.identities[cache.usable]) - {""}),
            problems=[{"image": str(cache.sources[row]), "status": str(cache.status[row])} for row in bad],
            skipped=len(skipped),
            skipped_rows=[asdict(row) for row in skipped[:MAX_LISTED]],
            rate=rate,
            output=str(output),
        )
