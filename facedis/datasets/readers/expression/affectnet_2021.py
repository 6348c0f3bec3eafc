"""AffectNet as distributed since 2021: cropped faces with numpy annotations."""

from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.npy import read_scalar
from facedis.datasets.formats.tables import BadRow, expression_of_label, parse_int
from facedis.datasets.formats.walk import files_in
from facedis.datasets.record import IMAGE_SUFFIXES, FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import EIGHT

_SPLITS = {"train_set": "train", "val_set": "val", "valid_set": "val"}
_IMAGES = ("images", "images_cropped")
_LABEL = "_exp.npy"


class AffectNet2021:
    """`{train_set,val_set}/{images/<id>.jpg,annotations/<id>_exp.npy}`; the ids have gaps.

    Some copies have the names `valid_set` and `images_cropped`.
    """

    name = "affectnet-2021"
    cropped = True
    classes = EIGHT

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if one of the sets exists with its annotations, else 0."""
        return 2 if any((root / folder / "annotations").is_dir() for folder in _SPLITS) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per id, by rising number; images without a readable label are skipped.

        Raises:
            InputError: There is neither set.
        """
        folders = [folder for folder in _SPLITS if (self.root / folder).is_dir()]
        if not folders:
            raise InputError(f"{self.root} holds no train_set or val_set", "name the folder that holds them")
        for folder in folders:
            yield from self._read_set(folder)

    def _read_set(self, folder: str) -> Iterator[FaceRecord | Skipped]:
        images = next((name for name in _IMAGES if (self.root / folder / name).is_dir()), _IMAGES[0])
        paths = [Path(name) for name in files_in(self.root / folder / images)]
        files = {path.stem: path.name for path in paths if path.suffix in IMAGE_SUFFIXES}
        labels = self.root / folder / "annotations"
        labelled = {name[: -len(_LABEL)] for name in files_in(labels) if name.endswith(_LABEL)}
        for stem in sorted(files.keys() | labelled, key=_sort_key):
            image = f"{folder}/{images}/{files.get(stem, f'{stem}.jpg')}"
            try:
                if stem not in labelled:
                    raise BadRow(f"it has no {_LABEL}")
                label = parse_int(read_scalar(labels / f"{stem}{_LABEL}").strip(), "expression")
                yield FaceRecord(image, expression_of_label(EIGHT, label), split=_SPLITS[folder])
            except (ValueError, OSError) as error:
                reason = str(getattr(error, "strerror", None) or error)
                prefix = "" if isinstance(error, BadRow) else f"its {_LABEL} cannot be read: "
                yield Skipped(image, 0, prefix + reason)


def _sort_key(stem: str) -> tuple[int, str]:
    return (int(stem), stem) if stem.isdecimal() else (-1, stem)
