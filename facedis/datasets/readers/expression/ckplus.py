"""CK+ as distributed: sequences of frames from a neutral face to the peak of an expression."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from facedis.datasets.formats.tables import BadRow, expression_of_label, parse_int
from facedis.datasets.formats.walk import files_in, iter_folders, subfolders
from facedis.datasets.record import IMAGE_SUFFIXES, FaceRecord, Skipped
from facedis.errors import ConfigError, InputError
from facedis.taxonomy import EIGHT, SEVEN, SIX

#: The expressions by the numbers of the label files; 0 is the neutral first frame.
IDS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
#: Vocabulary by number of classes.
CLASSES = {6: SIX, 7: SEVEN, 8: EIGHT}
#: Number of subject-independent folds.
FOLDS = 10
_IMAGES, _LABELS = "cohn-kanade-images", "Emotion"
_SUBJECT = re.compile(r"S\d{3}")


class CkPlus:
    """`cohn-kanade-images/S005/001/*.png` and `Emotion/S005/001/*_emotion.txt`, nested or not.

    In each labelled sequence the last frames have the label and the first frame is neutral; the frames
    between are left out.

    Args:
        root: The folder of both trees, or one above it.
        classes: 8, or 7 without contempt, or 6 also without the neutral frames.
        frames: Number of last frames per sequence.
        fold: One of the ten subject-independent folds, 0 to 9: it becomes "test", the next one "val".
            With -1 no split is set.
    """

    name = "ckplus"
    cropped = False

    def __init__(self, root: Path, classes: int = 8, frames: int = 3, fold: int = -1) -> None:
        self.root = root
        self.frames, self.fold = frames, fold
        self.classes = ckplus_classes(classes)
        if frames < 1 or not -1 <= fold < FOLDS:
            raise ConfigError(f"the reader ckplus has frames={frames}, fold={fold}", "frames from 1, folds 0 to 9")

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if there are subject folders of images and of labels, else 0."""
        return 2 if _find_tree(root, _IMAGES) is not None and _find_tree(root, _LABELS) is not None else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield the selected frames, sorted by subject, sequence and frame; unlabelled sequences are skipped.

        Raises:
            InputError: One of the two trees is missing.
        """
        images, labels = _find_tree(self.root, _IMAGES), _find_tree(self.root, _LABELS)
        if images is None or labels is None:
            raise InputError(f"{self.root} lacks {_IMAGES} or {_LABELS}", "unpack both into one folder")
        sequences = [
            f"{subject}/{number}"
            for subject in subfolders(self.root / images)
            for number in subfolders(self.root / images / subject)
        ]
        expressions = {sequence: _read_label(self.root, f"{labels}/{sequence}") for sequence in sequences}
        labelled = {sequence[:4] for sequence, label in expressions.items() if isinstance(label, str)}
        splits = fold_splits(labelled, self.fold)
        for sequence, label in expressions.items():
            if isinstance(label, Skipped):
                yield label
            else:
                yield from self._frames(f"{images}/{sequence}", label, sequence[:4], splits.get(sequence[:4], ""))

    def _frames(self, folder: str, label: str, subject: str, split: str) -> Iterator[FaceRecord | Skipped]:
        names = [name for name in files_in(self.root / folder) if Path(name).suffix.lower() in IMAGE_SUFFIXES]
        if len(names) <= self.frames:
            yield Skipped(folder, 0, f"the sequence has no more than {self.frames} frames")
        elif label not in self.classes:
            yield Skipped(folder, 0, f"{label} is not one of the {len(self.classes)} classes")
        else:
            if "neutral" in self.classes:
                yield FaceRecord(f"{folder}/{names[0]}", "neutral", subject, split)
            for name in names[-self.frames :]:
                yield FaceRecord(f"{folder}/{name}", label, subject, split)


def ckplus_classes(number: int) -> tuple[str, ...]:
    """Return the vocabulary of `number` classes.

    Raises:
        ConfigError: The number is not 6, 7 or 8.
    """
    if number not in CLASSES:
        raise ConfigError(f"CK+ has no variant of {number} classes", "choose 6, 7 or 8")
    return CLASSES[number]


def fold_splits(subjects: Collection[str], fold: int) -> dict[str, str]:
    """Return the split by subject with `fold` as the test set; empty if `fold` is negative.

    As usual in the literature, the sorted labelled subjects are assigned to the ten folds in turn.
    """
    if fold < 0:
        return {}
    names = {fold: "test", (fold + 1) % FOLDS: "val"}
    return {subject: names.get(place % FOLDS, "train") for place, subject in enumerate(sorted(subjects))}


def _find_tree(root: Path, name: str) -> str | None:
    """The folder of subjects whose name begins with `name`, ignoring case; mirrors nest and rename the trees."""
    for folder in iter_folders(root, 3):
        last = folder.rpartition("/")[2].lower().replace("_", "-")
        if last.startswith(name.lower()) and any(_SUBJECT.fullmatch(each) for each in subfolders(root / folder)):
            return folder
    return None


def _read_label(root: Path, folder: str) -> str | Skipped:
    """The expression in the label file of `folder`."""
    files = [name for name in files_in(root / folder) if name.endswith("_emotion.txt")]
    if not files:
        return Skipped(folder, 0, "the sequence has no label")
    file = f"{folder}/{files[0]}"
    try:
        words = (root / file).read_text(encoding="ascii").split()
        return expression_of_label(IDS, parse_int(words[0] if words else "", "label"))
    except (BadRow, OSError, UnicodeDecodeError) as error:
        return Skipped(file, 1, str(error) if isinstance(error, BadRow) else "the label file cannot be read")
