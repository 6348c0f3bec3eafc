"""What an alignment is going to do, settled before the first image is worked on."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facedis.config import AlignConfig, as_dict
from facedis.datasets.autodetect import create_reader
from facedis.datasets.record import FaceRecord, Reader, Skipped, is_utf8
from facedis.datasets.scan import scan_dataset, skip_reasons
from facedis.errors import InputError
from facedis.events import EventHandler, ignore_events, warn
from facedis.faces.alignment.split import assign_splits
from facedis.faces.cache.cache import VERSION, CacheInfo
from facedis.faces.io.images import decode_image
from facedis.taxonomy import EIGHT, smallest_vocabulary

#: Side of a face cut out of a photograph, in pixels: what the VGGFace2 weights were trained on.
FACE_SIZE = 160
_MAX_NATIVE_SIZE = 1024
#: Reasons for skipped rows that are told one by one.
_MAX_WARNINGS = 5


@dataclass(frozen=True)
class AlignPlan:
    """A dataset and how it becomes a faces cache.

    Attributes:
        root: The folder that was read.
        reader: Who read it.
        skipped: What the reader could make no record of.
        records: One for each row, in order.
        splits: One for each row.
        info: What the cache will say about itself.
    """

    root: Path
    reader: Reader
    skipped: Sequence[Skipped]
    records: Sequence[FaceRecord]
    splits: Sequence[str]
    info: CacheInfo

    def source(self, row: int) -> Path | Callable[[], bytes]:
        """Where the image of `row` comes from, for `images.decode_image`."""
        return image_source(self.root, self.reader, self.records[row])


def image_source(root: Path, reader: Reader | None, record: FaceRecord) -> Path | Callable[[], bytes]:
    """The file of an image, or what reads its bytes out of a container."""
    return partial(reader.image_bytes, record) if record.container else root / record.image


def make_plan(source: Path | None, config: AlignConfig, handler: EventHandler = ignore_events) -> AlignPlan:
    """Read the dataset at `source` (None: the bundled faces) and settle what `config` leaves open.

    Raises:
        InputError: The folder is missing, is not a dataset, or holds no readable image.
        ConfigError: The reader is unknown or the choice of one unclear.
    """
    root = bundled_folder(handler) if source is None else Path(source)
    if not is_utf8(str(root.resolve())):  # the cache says where it is from
        raise InputError(f"the name of the folder {root.resolve()} is not UTF-8", "rename it")
    reader = create_reader(root, config.dataset)
    records, skipped = scan_dataset(reader)
    warn_skipped(skipped, handler)
    crop = _resolve_crop(reader, config)
    if crop != "none" and config.detector == "annotations":
        _check_annotations(reader, records, crop)
    splits = assign_splits(records, config.val_fraction, config.test_fraction, config.seed)
    shaping = {
        "version": VERSION,
        "dataset": reader.name,
        "classes": _classes(records, getattr(reader, "classes", ())),
        "crop": crop,
        "size": config.image_size or (FACE_SIZE if crop != "none" else _native_size(root, reader, records)),
        "margin": 0.0 if crop == "none" else config.margin,
        "detector": "none" if crop == "none" else config.detector,
    }
    policies = (
        {}
        if crop == "none"
        else {name: getattr(config, name) for name in ("min_face_size", "no_face", "multiple_faces")}
    )
    given = shaping["detector"] == "annotations"
    fingerprint = _fingerprint(records, splits, shaping | policies, given)
    del shaping["version"]
    shaping["factors"] = getattr(reader, "factor_names", ())
    info = CacheInfo(
        **shaping, source=str(root.resolve()), fingerprint=fingerprint, settings=json.dumps(as_dict(config))
    )
    return AlignPlan(root, reader, skipped, records, splits, info)


def warn_skipped(skipped: Sequence[Skipped], handler: EventHandler) -> None:
    """Warn of rows that became no record: how many for each reason, and where the first is."""
    told = list(skip_reasons(skipped))
    for why, count, first in told[:_MAX_WARNINGS]:
        others = f" and {count - 1:,} more" if count > 1 else ""
        place = f"{first.file}, line {first.line}" if first.line else first.file
        warn(handler, f"skipped {place}{others}: {why}")
    if left := sum(count for _, count, _ in told[_MAX_WARNINGS:]):
        warn(handler, f"skipped {left:,} rows for other reasons; `facedis align --check` lists them all")


def bundled_folder(handler: EventHandler) -> Path:
    """The folder of the bundled faces."""
    from facedis.synthetic.bundled import unpack

    return unpack(handler)


def _resolve_crop(reader: Reader, config: AlignConfig) -> str:
    if config.crop != "auto":
        return config.crop
    return "none" if reader.cropped or config.detector == "none" else "box"


def _check_annotations(reader: Reader, records: Sequence[FaceRecord], crop: str) -> None:
    """Refuse where the dataset brings for no image what a crop is made by."""
    what = "landmarks" if crop == "similarity" else "box"
    if all(getattr(record, what) is None for record in records):
        plural = {"box": "face boxes"}.get(what, what)
        raise InputError(f"the {reader.name} dataset gives no {plural}", "leave out --detector given")


def _classes(records: Sequence[FaceRecord], fixed: tuple[str, ...]) -> tuple[str, ...]:
    present = {record.expression for record in records} - {""}
    return fixed or (smallest_vocabulary(present) if present else EIGHT)


def _native_size(root: Path, reader: Reader, records: Sequence[FaceRecord]) -> int:
    """The shorter side of the first readable image, in pixels."""
    first = ""
    for record in records:
        decoded = decode_image(image_source(root, reader, record))
        if decoded.pixels is not None:
            return min(*decoded.pixels.shape[:2], _MAX_NATIVE_SIZE)
        first = first or f"{record.image}: {decoded.reason}"
    raise InputError(f"none of the {len(records)} images of {root} can be read", f"the first is {first}")


def _fingerprint(records: Sequence[FaceRecord], splits: Sequence[str], shaping: dict[str, object], given: bool) -> str:
    """Equal for two alignments that give the same rows."""
    digest = hashlib.sha256(json.dumps(shaping, sort_keys=True).encode())
    for record, split in zip(records, splits, strict=True):
        row = (record.image, record.expression, record.identity, split, record.box)
        digest.update(json.dumps((*row, record.landmarks) if given else row).encode())
    return digest.hexdigest()
