"""CK+ as its authors give it: sequences of frames from a neutral face to the height of an expression."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from facedis.datasets.formats.tables import BadRow, expression_of_label, parse_int
from facedis.datasets.formats.walk import iter_folders, subfolders
from facedis.datasets.record import IMAGE_SUFFIXES, FaceRecord, Skipped
from facedis.errors import ConfigError, InputError
from facedis.taxonomy import EIGHT, SEVEN, SIX

#: The expressions by the numbers of the label files; 0 is the neutral first frame.
IDS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
CLASSES = {6: SIX, 7: SEVEN, 8: EIGHT}
FOLDS = 10
_SUBJECT = re.compile(r"S\d{3}")


class CkPlus:
    """`cohn-kanade-images/S005/001/*.png` and `Emotion/S005/001/*_emotion.txt`, nested or not.

    Of each labelled sequence the last frames show the expression and the first one is neutral; the
    frames between are left out.

    Args:
        root: The folder with both trees, or one above it.
        classes: 8, or 7 without contempt, or 6 without the neutral frames too.
        frames: How many last frames of a sequence show its expression.
        fold: One of the ten subject-independent folds, 0 to 9: it becomes "test", the next one
            "val". Without it the people are divided as in any dataset without splits.
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
        """2 where subjects lie in `cohn-kanade-images` and labels in another folder."""
        return 2 if _tree(root, "cohn-kanade-images") is not None and _tree(root, "Emotion") is not None else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """The chosen frames, sorted by subject, sequence and frame; a sequence without a label is skipped.

        Raises:
            InputError: One of the two trees is missing.
        """
        images, labels = _tree(self.root, "cohn-kanade-images"), _tree(self.root, "Emotion")
        if images is None or labels is None:
            raise InputError(
                f"{self.root} holds not both cohn-kanade-images and Emotion", "unpack both beside each other"
            )
        sequences = [
            f"{subject}/{number}"
            for subject in subfolders(self.root / images)
            for number in subfolders(self.root / images / subject)
        ]
        expressions = {sequence: _label(self.root, f"{labels}/{sequence}") for sequence in sequences}
        labelled = {sequence[:4] for sequence, label in expressions.items() if isinstance(label, str)}
        splits = fold_splits(labelled, self.fold)
        for sequence, label in expressions.items():
            if isinstance(label, Skipped):
                yield label
            else:
                yield from self._frames(f"{images}/{sequence}", label, sequence[:4], splits.get(sequence[:4], ""))

    def _frames(self, folder: str, label: str, subject: str, split: str) -> Iterator[FaceRecord | Skipped]:
        there = (path for path in (self.root / folder).iterdir() if not path.name.startswith("."))
        names = sorted(path.name for path in there if path.suffix.lower() in IMAGE_SUFFIXES)
        if len(names) <= self.frames:
            yield Skipped(folder, 0, f"the sequence has not more than {self.frames} frames")
        elif label not in self.classes:
            yield Skipped(folder, 0, f"{label} is not one of the {len(self.classes)} classes asked for")
        else:
            if "neutral" in self.classes:
                yield FaceRecord(f"{folder}/{names[0]}", "neutral", subject, split)
            for name in names[-self.frames :]:
                yield FaceRecord(f"{folder}/{name}", label, subject, split)


def ckplus_classes(number: int) -> tuple[str, ...]:
    """The vocabulary of `number` classes.

    Raises:
        ConfigError: It is not 6, 7 or 8.
    """
    if number not in CLASSES:
        raise ConfigError(f"CK+ has no variant of {number} classes", "choose 6, 7 or 8")
    return CLASSES[number]


def fold_splits(subjects: Sequence[str] | set[str], fold: int) -> dict[str, str]:
    """The split of every subject where `fold` is the test set; nothing where `fold` is negative.

    The folds are those of the literature: the labelled subjects in rising order, dealt out in turn.
    """
    if fold < 0:
        return {}
    names = {fold: "test", (fold + 1) % FOLDS: "val"}
    return {subject: names.get(place % FOLDS, "train") for place, subject in enumerate(sorted(subjects))}


def _tree(root: Path, name: str) -> str | None:
    """The folder called `name`, or like it in a mirror's nesting, that holds the subjects."""
    for folder in iter_folders(root, 3):
        last = folder.rpartition("/")[2].lower().replace("_", "-")
        if last.startswith(name.lower()) and any(_SUBJECT.fullmatch(each) for each in subfolders(root / folder)):
            return folder
    return None


def _label(root: Path, folder: str) -> str | Skipped:
    """The expression that the one label file in `folder` gives."""
    path = root / folder
    files = (
        sorted(file for file in path.glob("*_emotion.txt") if not file.name.startswith(".")) if path.is_dir() else []
    )
    if not files:
        return Skipped(folder, 0, "the sequence has no label")
    try:
        words = files[0].read_text(encoding="ascii").split()
        return expression_of_label(IDS, parse_int(words[0] if words else "", "label"))
    except (BadRow, OSError, UnicodeDecodeError) as problem:
        why = str(problem) if isinstance(problem, BadRow) else "the label file cannot be read"
        return Skipped(files[0].relative_to(root).as_posix(), 1, why)
