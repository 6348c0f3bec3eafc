"""Faces from wherever they lie, a block at a time: a faces cache, or a folder of photographs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facedis.datasets.autodetect import create_reader
from facedis.datasets.formats.walk import iter_images
from facedis.datasets.record import NOT_UTF8, FaceRecord, Reader, is_utf8
from facedis.datasets.scan import scan_dataset
from facedis.errors import CacheError, ConfigError, InputError
from facedis.faces.alignment.align_images import iter_aligned
from facedis.faces.alignment.plan import image_source
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.loader import prefetch_batches
from facedis.faces.io.prefetch_decode import prefetch_decoded
from facedis.model.storage.checkpoint import Run

#: What is known of a face beside its codes: row of the cache or place in the folder, image, labels.
ID_COLUMNS = ("row", "image", "expression", "identity", "split")
_WORKERS = 2


@dataclass(frozen=True)
class FaceBlock:
    """Some faces in a row.

    Attributes:
        faces: (k, S, S, 3) uint8.
        ids: (k,) arrays by the names of `ID_COLUMNS`; str but for `row`, "" where unknown.
        n_images: Number of images processed.
        problems: (image, why) of each image without a face.
        n_multiple: Number of images with more than one face.
    """

    faces: np.ndarray
    ids: dict[str, np.ndarray]
    n_images: int
    problems: list[tuple[str, str]] = field(default_factory=list)
    n_multiple: int = 0


@dataclass(frozen=True)
class FaceSource:
    """Faces to go through once.

    Attributes:
        path: The cache or the folder.
        root: Folder that the images' paths start from.
        dataset: Name of the reader, "" for a folder of images that none knows.
        total: Images.
        blocks: All of them; to be gone through once.
    """

    path: Path
    root: Path
    dataset: str
    total: int
    blocks: Iterator[FaceBlock]


def faces_from_cache(cache: FacesCache, split: str, batch: int) -> FaceSource:
    """The usable faces of a split ("all": of all), with an expression or without.

    Raises:
        CacheError: There is none.
    """
    rows = cache.rows(split, labelled=False)
    if not len(rows):
        raise CacheError(
            f"{cache.path} has no usable face{'' if split == 'all' else f' in the split {split!r}'}",
            "choose another --split",
        )
    return FaceSource(
        cache.path, Path(cache.info.source), cache.info.dataset, len(rows), _blocks_of_cache(cache, rows, batch)
    )


def faces_from_folder(run: Run, folder: Path, crop: str | None, device: str = "auto") -> FaceSource:
    """The faces of all images in a folder; of a dataset that a reader knows, with its labels.

    Args:
        run: Says how faces are cut out.
        folder: Any folder with images in it.
        crop: As in `align_photographs`; None also lets a dataset of cropped faces be.
        device: As in `align_photographs`.

    Raises:
        InputError: There is no such folder or no image in it.
    """
    records, reader = _read_records(folder)
    if crop is None and reader is not None and reader.cropped:
        crop = "none"
    blocks = _blocks_of_folder(run, folder, records, reader, (crop, device))
    return FaceSource(folder, folder, reader.name if reader else "", len(records), blocks)


def _blocks_of_cache(cache: FacesCache, rows: np.ndarray, batch: int) -> Iterator[FaceBlock]:
    names = np.array([*cache.info.classes, ""])  # a label of -1 takes the one at the end
    for piece, faces in prefetch_batches(cache, [rows[start : start + batch] for start in range(0, len(rows), batch)]):
        ids = {
            "row": piece,
            "image": cache.sources[piece],
            "expression": names[cache.labels[piece]],
            "identity": cache.identities[piece],
            "split": cache.splits[piece],
        }
        yield FaceBlock(faces, ids, len(piece))


def _blocks_of_folder(
    run: Run, folder: Path, records: Sequence[FaceRecord], reader: Reader | None, how: tuple[str | None, str]
) -> Iterator[FaceBlock]:
    crop, device = how
    images = prefetch_decoded((_decodable_source(folder, reader, record) for record in records), _WORKERS)
    try:
        for chunk in iter_aligned(run, images, len(records), crop, device=device):
            chosen = [records[place] for place in chunk.indices]
            ids = {"row": chunk.indices} | {
                name: np.array([getattr(record, name) for record in chosen], str) for name in ID_COLUMNS[1:]
            }
            problems = [(records[place].image, why) for place, why in chunk.problems]
            yield FaceBlock(chunk.faces, ids, chunk.n_images, problems, int(chunk.multiple.sum()))
    finally:
        images.close()


def _decodable_source(folder: Path, reader: Reader | None, record: FaceRecord) -> Path | Callable[[], bytes]:
    return image_source(folder, reader, record) if is_utf8(record.image) else _raise_not_utf8


def _raise_not_utf8() -> bytes:
    raise ValueError(NOT_UTF8)


def _read_records(folder: Path) -> tuple[list[FaceRecord], Reader | None]:
    """The images of a folder; a layout that no reader knows, or several do, is just a folder of images."""
    try:
        reader = create_reader(folder)
        return scan_dataset(reader).records, reader
    except (InputError, ConfigError):
        images = sorted(iter_images(folder)) if folder.is_dir() else []
    if not images:
        what = "holds no image" if folder.is_dir() else "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {what}", "name a folder of photographs")
    return [FaceRecord(image) for image in images], None
