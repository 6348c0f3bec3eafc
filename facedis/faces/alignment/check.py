"""Check of a dataset before alignment: its layout, its problems and their usual causes."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from facedis.config import AlignConfig
from facedis.datasets.autodetect import create_reader
from facedis.datasets.expected_counts import count_records, expected_counts_for
from facedis.datasets.record import FaceRecord, Reader, Skipped
from facedis.datasets.scan import ScanResult, scan_dataset, skip_reasons
from facedis.events import EventHandler, ignore_events, track
from facedis.faces.alignment.plan import bundled_folder, image_source
from facedis.faces.io.images import DecodedImage
from facedis.faces.io.prefetch_decode import prefetch_decoded
from facedis.result import record
from facedis.taxonomy import EIGHT

#: Maximum number of examples per problem in the result record.
MAX_LISTED = 20
#: Maximum number of counts named in one finding.
MAX_NAMED = 3


def check_dataset(source: Path | None, config: AlignConfig, handler: EventHandler = ignore_events) -> dict[str, Any]:
    """Read a dataset and decode all its images, without writing a cache.

    Args:
        source: Folder of the dataset; None for the bundled faces.
        config: Name of the reader and number of workers.
        handler: Receives the progress.

    Returns:
        The result record of kind "check".

    Raises:
        InputError: The folder does not exist or is not a dataset.
        ConfigError: The reader is unknown or ambiguous.
    """
    root = bundled_folder(handler) if source is None else Path(source)
    reader = create_reader(root, config.dataset)
    scan = scan_dataset(reader)
    images = _decode_all(root, reader, scan.records, config.workers, handler)
    found = {
        "counts": list(_counts(reader, scan.records)),
        "images": images.status,
        "duplicates": _duplicates(scan.records, images.digests),
        "people_across": _identities_across_splits(scan.records),
        "pairs": _pairs(reader, scan.records),
    }
    return record(
        "check",
        dataset=reader.name,
        source=str(root),
        cropped=reader.cropped,
        rows=len(scan.records),
        people=len({each.identity for each in scan.records} - {""}),
        splits=_splits(scan.records),
        problems=images.problems,
        **_skipped(scan),
        **found,
        findings=list(_findings(reader, scan, found)),
    )


class _ImageStats:
    """Statuses, problems and pixel digests of the decoded images."""

    def __init__(self) -> None:
        self.status: Counter[str] = Counter()
        self.problems: list[dict[str, str]] = []
        self.digests: list[bytes | None] = []

    def add(self, image: str, decoded: DecodedImage) -> None:
        self.status[decoded.status] += 1
        if decoded.pixels is None:
            self.digests.append(None)
            if len(self.problems) < MAX_LISTED:
                self.problems.append({"image": image, "status": decoded.status, "reason": decoded.reason})
        else:
            shape = str(decoded.pixels.shape).encode()
            self.digests.append(hashlib.blake2b(decoded.pixels.tobytes(), digest_size=16, key=shape).digest())


def _decode_all(
    root: Path, reader: Reader, records: Sequence[FaceRecord], workers: int, handler: EventHandler
) -> _ImageStats:
    stats = _ImageStats()
    with track(handler, "check", len(records)) as progress:
        began = time.perf_counter()
        sources = (image_source(root, reader, each) for each in records)
        with closing(prefetch_decoded(sources, workers)) as decoded:
            for done, (each, image) in enumerate(zip(records, decoded, strict=True), 1):
                stats.add(each.image, image)
                rate = done / max(time.perf_counter() - began, 1e-9)
                progress.advance(facts={"images/s": rate})
    return stats


def _splits(records: Sequence[FaceRecord]) -> dict[str, dict[str, int]]:
    """Count the rows per split of the dataset and expression."""
    numbers = Counter((each.split or "none", each.expression or "unlabelled") for each in records)
    splits = [split for split in ("train", "val", "test", "none") if any(where == split for where, _ in numbers)]
    names = [name for name in (*EIGHT, "unlabelled") if any(each == name for _, each in numbers)]
    return {split: {name: numbers[split, name] for name in names} for split in splits}


def _skipped(scan: ScanResult) -> dict[str, Any]:
    grouped = [
        {"why": why, "count": count, "file": first.file, "line": first.line}
        for why, count, first in skip_reasons(scan.skipped)
    ]
    return {"skipped": len(scan.skipped), "reasons": grouped}


def _counts(reader: Reader, records: Sequence[FaceRecord]) -> Iterator[dict[str, Any]]:
    """Yield each published count with the count of this copy."""
    numbers, published = count_records(records), expected_counts_for(reader)
    for count in published:
        meaning = count.explain(numbers[count.key], published)
        yield {
            "what": count.key,
            "found": numbers[count.key],
            "published": list(count.expected),
            "agrees": not meaning,
            "meaning": meaning,
        }


def _duplicates(records: Sequence[FaceRecord], digests: Sequence[bytes | None]) -> dict[str, Any]:
    """Count the images with equal pixels: all, those in different splits, and those with different expressions."""
    first: dict[bytes, FaceRecord] = {}
    images = across = contradicting = 0
    pairs: list[list[str]] = []
    for each, digest in zip(records, digests, strict=True):
        if digest is None or (other := first.setdefault(digest, each)) is each:
            continue
        images += 1
        across += other.split != each.split
        contradicting += other.expression != each.expression
        if len(pairs) < MAX_LISTED:
            pairs.append([other.image, each.image])
    return {"images": images, "across_splits": across, "contradicting": contradicting, "pairs": pairs}


def _identities_across_splits(records: Sequence[FaceRecord]) -> dict[str, Any]:
    """Find the identities in more than one split of the dataset."""
    splits_by_identity: dict[str, set[str]] = {}
    for each in records:
        if each.identity and each.split:
            splits_by_identity.setdefault(each.identity, set()).add(each.split)
    names = sorted(name for name, splits in splits_by_identity.items() if len(splits) > 1)
    return {"people": len(names), "names": names[:MAX_LISTED]}


def _pairs(reader: Reader, records: Sequence[FaceRecord]) -> dict[str, int] | None:
    """Count the genuine and impostor pairs of the dataset's pair list; None without one."""
    if not hasattr(reader, "pairs"):
        return None
    images = {Path(each.image).stem for each in records}
    pairs = list(reader.pairs())
    valid = [pair for pair in pairs if not isinstance(pair, Skipped)]
    absent = sum(not {pair.first, pair.second} <= images for pair in valid)
    genuine = sum(pair.genuine for pair in valid)
    return {
        "genuine": genuine,
        "impostor": len(valid) - genuine,
        "absent": absent,
        "skipped": len(pairs) - len(valid),
    }


def _findings(reader: Reader, scan: ScanResult, found: dict[str, Any]) -> Iterator[str]:
    """Yield one sentence per problem, with its usual cause."""
    status, duplicates = found["images"], found["duplicates"]
    meanings: dict[str, list[str]] = {}
    for count in found["counts"]:
        if not count["agrees"]:
            meanings.setdefault(count["meaning"], []).append(count["what"])
    for meaning, keys in meanings.items():
        more = f" and {len(keys) - MAX_NAMED} more" if len(keys) > MAX_NAMED else ""
        yield f"{', '.join(keys[:MAX_NAMED])}{more}: {meaning}"
    if status["missing"]:
        yield "missing images: unpack all parts of the download; some shared copies lack single images"
    if status["unreadable"]:
        yield "unreadable images: interrupted downloads, or files that are broken in every copy (AffectNet has one)"
    if duplicates["across_splits"]:
        yield "equal images in different splits: the test set overlaps the training set, so accuracies are too high"
    if duplicates["contradicting"]:
        yield "equal images with different expressions: at least one of the labels is wrong"
    if found["people_across"]["people"]:
        yield "people in several splits: the splits are not subject-disjoint, so accuracies are too high"
    if found["pairs"] and found["pairs"]["absent"]:
        yield "pairs without their images: the list belongs to another version of the dataset"
    if scan.skipped:
        yield "skipped rows are left out of the cache; the reasons are listed above"
    if not any(each.expression for each in scan.records):
        yield "no expressions: the faces can be used for identity only"
    elif not any(each.identity for each in scan.records):
        yield "no identities: identity leakage cannot be measured on this dataset"
    if reader.name == "affectnet-folders":
        yield "the meaning of numbered folders is not documented in them: compare the count of each class"
