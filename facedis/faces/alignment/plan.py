"""Plan of an alignment: records, splits and settings, resolved before the first image is processed."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from facedis.config import FACE_SIZE, AlignConfig, as_dict
from facedis.datasets.autodetect import create_reader
from facedis.datasets.record import FaceRecord, Reader, Skipped, is_utf8
from facedis.datasets.scan import scan_dataset, skip_reasons
from facedis.errors import InputError
from facedis.events import EventHandler, ignore_events, warn
from facedis.faces.alignment.split import assign_splits
from facedis.faces.cache.cache_format import VERSION, CacheInfo
from facedis.faces.io.images import decode_image
from facedis.taxonomy import EIGHT, smallest_vocabulary

_MAX_NATIVE_SIZE = 1024
#: Maximum number of reasons for skipped rows with a warning of their own.
_MAX_WARNINGS = 5


@dataclass(frozen=True)
class AlignPlan:
    """A dataset and how it is aligned.

    Attributes:
        root: Folder of the dataset.
        reader: Reader of the dataset.
        skipped: Rows without a record, with reasons.
        records: One record per row.
        splits: One split per row.
        info: Attributes of the cache.
    """

    root: Path
    reader: Reader
    skipped: Sequence[Skipped]
    records: Sequence[FaceRecord]
    splits: Sequence[str]
    info: CacheInfo

    def source(self, row: int) -> Path | Callable[[], bytes]:
        """Return the source of the image of `row` for `decode_image`."""
        return image_source(self.root, self.reader, self.records[row])


def image_source(root: Path, reader: Reader | None, record: FaceRecord) -> Path | Callable[[], bytes]:
    """Return the file of an image, or a function that reads its bytes from a container."""
    if record.container:
        return partial(getattr(reader, "image_bytes"), record)  # noqa: B009  # readers of containers have this method
    return root / record.image


def make_plan(source: Path | None, config: AlignConfig, handler: EventHandler = ignore_events) -> AlignPlan:
    """Read the dataset at `source` (None: the bundled faces) and resolve the "auto" values of `config`.

    Raises:
        InputError: The folder does not exist, is not a dataset, or contains no readable image.
        ConfigError: The reader is unknown or ambiguous.
    """
    root = bundled_folder(handler) if source is None else Path(source)
    if not is_utf8(str(root.resolve())):  # it becomes an attribute of the cache
        raise InputError(f"the name of the folder {root.resolve()} is not UTF-8", "rename it")
    reader = create_reader(root, config.dataset)
    records, skipped = scan_dataset(reader)
    warn_skipped(skipped, handler)
    crop = _resolve_crop(reader, config)
    if crop != "none" and config.detector == "annotations":
        _check_annotations(reader, records, crop)
    splits = assign_splits(records, config.val_fraction, config.test_fraction, config.seed)
    detector = "none" if crop == "none" else config.detector
    shaping: dict[str, Any] = {
        "classes": _classes(records, getattr(reader, "classes", ())),
        "size": config.image_size or (FACE_SIZE if crop != "none" else _native_size(root, reader, records)),
        "crop": crop,
        "margin": 0.0 if crop == "none" else config.margin,
        "detector": detector,
        "dataset": reader.name,
    }
    policies = (
        {}
        if crop == "none"
        else {name: getattr(config, name) for name in ("min_face_size", "no_face", "multiple_faces")}
    )
    fingerprint = _fingerprint(records, splits, {"version": VERSION, **shaping, **policies}, detector == "annotations")
    info = CacheInfo(
        **shaping,
        source=str(root.resolve()),
        fingerprint=fingerprint,
        settings=json.dumps(as_dict(config)),
        factors=getattr(reader, "factor_names", ()),
    )
    return AlignPlan(root, reader, skipped, records, splits, info)


def warn_skipped(skipped: Sequence[Skipped], handler: EventHandler) -> None:
    """Warn about skipped rows: the number per reason, and the location of the first."""
    grouped = list(skip_reasons(skipped))
    for why, count, first in grouped[:_MAX_WARNINGS]:
        others = f" and {count - 1:,} more" if count > 1 else ""
        location = f"{first.file}, line {first.line}" if first.line else first.file
        warn(handler, f"skipped {location}{others}: {why}")
    if left := sum(count for _, count, _ in grouped[_MAX_WARNINGS:]):
        warn(handler, f"skipped {left:,} rows for other reasons; `facedis align --check` lists them all")


def bundled_folder(handler: EventHandler) -> Path:
    """Return the folder of the bundled faces, unpacking them if necessary."""
    from facedis.synthetic.bundled import unpack

    return unpack(handler)


def _resolve_crop(reader: Reader, config: AlignConfig) -> str:
    if config.crop != "auto":
        return config.crop
    return "none" if reader.cropped or config.detector == "none" else "box"


def _check_annotations(reader: Reader, records: Sequence[FaceRecord], crop: str) -> None:
    """Check that the dataset annotates what the crop needs.

    Raises:
        InputError: No image has the annotation.
    """
    what = "landmarks" if crop == "similarity" else "box"
    if all(getattr(record, what) is None for record in records):
        plural = {"box": "face boxes"}.get(what, what)
        raise InputError(f"the {reader.name} dataset has no {plural}", "leave out --detector annotations")


def _classes(records: Sequence[FaceRecord], fixed: tuple[str, ...]) -> tuple[str, ...]:
    present = {record.expression for record in records} - {""}
    return fixed or (smallest_vocabulary(present) if present else EIGHT)


def _native_size(root: Path, reader: Reader, records: Sequence[FaceRecord]) -> int:
    """Return the shorter side of the first readable image in pixels."""
    first = ""
    for record in records:
        decoded = decode_image(image_source(root, reader, record))
        if decoded.pixels is not None:
            return min(*decoded.pixels.shape[:2], _MAX_NATIVE_SIZE)
        first = first or f"{record.image}: {decoded.reason}"
    raise InputError(f"none of the {len(records)} images of {root} can be read", f"the first is {first}")


def _fingerprint(records: Sequence[FaceRecord], splits: Sequence[str], shaping: dict[str, object], given: bool) -> str:
    """Hash everything that affects a row: equal for two alignments with the same rows."""
    digest = hashlib.sha256(json.dumps(shaping, sort_keys=True).encode())
    for record, split in zip(records, splits, strict=True):
        row = (record.image, record.expression, record.identity, split, record.box)
        digest.update(json.dumps((*row, record.landmarks) if given else row).encode())
    return digest.hexdigest()
