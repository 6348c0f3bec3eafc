"""AffectNet as it came again in 2021: cropped faces and four small numpy files for each."""

from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.npy import read_scalar
from facedis.datasets.formats.tables import BadRow, expression_of_label, parse_int
from facedis.datasets.record import IMAGE_SUFFIXES, FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import EIGHT

_SPLITS = {"train_set": "train", "val_set": "val", "valid_set": "val"}
_IMAGES = ("images", "images_cropped")
_LABEL = "_exp.npy"


class AffectNet2021:
    """`{train_set,val_set}/{images/<id>.jpg,annotations/<id>_exp.npy}`; the ids have holes.

    Some copies say `valid_set` and `images_cropped`. The faces are cut out already.
    """

    name = "affectnet-2021"
    cropped = True
    classes = EIGHT

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where one of the sets is there with its annotations."""
        return 2 if any((root / folder / "annotations").is_dir() for folder in _SPLITS) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record an id, by rising number; an image without a readable label is skipped.

        Raises:
            InputError: There is neither set.
        """
        folders = [folder for folder in _SPLITS if (self.root / folder).is_dir()]
        if not folders:
            raise InputError(f"{self.root} holds no train_set or val_set", "name the folder that holds them")
        for folder in folders:
            yield from self._of(folder)

    def _of(self, folder: str) -> Iterator[FaceRecord | Skipped]:
        images = next((name for name in _IMAGES if (self.root / folder / name).is_dir()), _IMAGES[0])
        files = {path.stem: path.name for path in _files(self.root / folder / images) if path.suffix in IMAGE_SUFFIXES}
        labels = self.root / folder / "annotations"
        labelled = {path.name[: -len(_LABEL)] for path in _files(labels) if path.name.endswith(_LABEL)}
        for stem in sorted(files.keys() | labelled, key=_by_number):
            image = f"{folder}/{images}/{files.get(stem, f'{stem}.jpg')}"
            try:
                if stem not in labelled:
                    raise BadRow(f"there is no {_LABEL} for it")
                label = parse_int(read_scalar(labels / f"{stem}{_LABEL}").strip(), "expression")
                yield FaceRecord(image, expression_of_label(EIGHT, label), split=_SPLITS[folder])
            except (ValueError, OSError) as problem:
                why = str(getattr(problem, "strerror", None) or problem)
                yield Skipped(image, 0, why if isinstance(problem, BadRow) else f"its {_LABEL} cannot be read: {why}")


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []


def _by_number(stem: str) -> tuple[int, str]:
    return (int(stem), stem) if stem.isdecimal() else (-1, stem)
