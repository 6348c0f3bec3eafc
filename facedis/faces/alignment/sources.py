"""Faces in blocks, read from a faces cache or cropped from a folder of images."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facedis.datasets.autodetect import create_reader
from facedis.datasets.formats.walk import iter_images
from facedis.datasets.record import NOT_UTF8, FaceRecord, Reader, is_utf8
from facedis.datasets.scan import scan_dataset
from facedis.errors import CacheError, ConfigError, InputError
from facedis.faces.alignment.align_images import CropOptions, iter_aligned
from facedis.faces.alignment.plan import image_source
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.loader import prefetch_batches
from facedis.faces.io.prefetch_decode import prefetch_decoded

#: Columns that identify a face: row of the cache or index in the folder, image, labels.
ID_COLUMNS = ("row", "image", "expression", "identity", "split")
_WORKERS = 2


@dataclass(frozen=True)
class FaceBlock:
    """A block of k consecutive faces.

    Attributes:
        faces: (k, S, S, 3) uint8.
        ids: (k,) array for each of `ID_COLUMNS`; str except for "row", "" where unknown.
        n_images: Number of images processed.
        problems: (image, reason) of each image without a face.
        n_multiple: Number of images with more than one face.
    """

    faces: np.ndarray
    ids: dict[str, np.ndarray]
    n_images: int
    problems: list[tuple[str, str]] = field(default_factory=list)
    n_multiple: int = 0


@dataclass(frozen=True)
class FaceSource:
    """Faces to iterate over once.

    Attributes:
        path: The cache or the folder.
        root: Folder that the paths of the images are relative to.
        dataset: Name of the reader; "" for a folder that no reader recognises.
        total: Number of images.
        blocks: Iterator over all blocks.
    """

    path: Path
    root: Path
    dataset: str
    total: int
    blocks: Iterator[FaceBlock]


def faces_from_cache(cache: FacesCache, split: str, batch_size: int) -> FaceSource:
    """Iterate over the usable faces of a split ("all": every split), labelled or not.

    Raises:
        CacheError: The split has no usable face.
    """
    rows = cache.rows(split, labelled=False)
    if not len(rows):
        raise CacheError(
            f"{cache.path} has no usable face{'' if split == 'all' else f' in the split {split!r}'}",
            "choose another --split",
        )
    blocks = _blocks_of_cache(cache, rows, batch_size)
    return FaceSource(cache.path, Path(cache.info.source), cache.info.dataset, len(rows), blocks)


def faces_from_folder(path: Path, options: CropOptions, crop: str | None, device: str = "auto") -> FaceSource:
    """Iterate over the faces of all images in a folder, with labels if a reader recognises the dataset.

    Args:
        path: Folder with images.
        options: How the training faces were cropped.
        crop: As in `CropOptions.config`; None leaves the images of a dataset of cropped faces uncropped.
        device: As in `CropOptions.config`.

    Raises:
        InputError: The folder does not exist or contains no image.
    """
    records, reader = _read_records(path)
    if crop is None and reader is not None and reader.cropped:
        crop = "none"
    sources = [_decodable_source(path, reader, record) for record in records]
    return FaceSource(
        path, path, reader.name if reader else "", len(records), _crop_blocks(records, sources, options, crop, device)
    )


def _blocks_of_cache(cache: FacesCache, rows: np.ndarray, batch_size: int) -> Iterator[FaceBlock]:
    names = np.array([*cache.info.classes, ""])  # the label -1 selects the last entry
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    for batch, faces in prefetch_batches(cache, batches):
        ids = {
            "row": batch,
            "image": cache.sources[batch],
            "expression": names[cache.labels[batch]],
            "identity": cache.identities[batch],
            "split": cache.splits[batch],
        }
        yield FaceBlock(faces, ids, len(batch))


def _crop_blocks(
    records: Sequence[FaceRecord],
    sources: Sequence[Path | Callable[[], bytes]],
    options: CropOptions,
    crop: str | None,
    device: str,
) -> Iterator[FaceBlock]:
    with closing(prefetch_decoded(sources, _WORKERS)) as images:
        for chunk in iter_aligned(images, len(records), options, crop, device=device):
            found = [records[index] for index in chunk.indices]
            ids = {"row": chunk.indices} | {
                name: np.array([getattr(record, name) for record in found], str) for name in ID_COLUMNS[1:]
            }
            problems = [(records[index].image, reason) for index, reason in chunk.problems]
            yield FaceBlock(chunk.faces, ids, chunk.n_images, problems, int(chunk.multiple.sum()))


def _decodable_source(root: Path, reader: Reader | None, record: FaceRecord) -> Path | Callable[[], bytes]:
    """Return the source of an image; that of a name which is not UTF-8 raises the reason when it is decoded."""
    return image_source(root, reader, record) if is_utf8(record.image) else _raise_not_utf8


def _raise_not_utf8() -> bytes:
    raise ValueError(NOT_UTF8)


def _read_records(root: Path) -> tuple[list[FaceRecord], Reader | None]:
    """Read the records of a dataset, or of a plain folder of images if not exactly one reader matches."""
    try:
        reader = create_reader(root)
        return scan_dataset(reader).records, reader
    except (InputError, ConfigError):
        images = sorted(iter_images(root)) if root.is_dir() else []
    if not images:
        problem = "holds no image" if root.is_dir() else "is not a folder" if root.exists() else "does not exist"
        raise InputError(f"{root} {problem}", "name a folder of images")
    return [FaceRecord(image) for image in images], None
