"""Lay rendered faces out as CK+ lies on disk, so that the whole way from align to swap-eval can be tried without it.

    facedis align                                     # unpacks the bundled faces
    python examples/ckplus_tree.py ~/.cache/facedis/synthetic-faces-2/grid ck+
    facedis align ck+ --dataset ckplus:fold=0 -o ck.h5

A sequence begins with the neutral face of a person and ends with an expression of the same person in the same
light; the frames between are dissolves. It is the layout of CK+, not its content: nobody moved here.
"""

import argparse
import csv
from pathlib import Path

from PIL import Image

#: The expressions by the numbers that CK+ gives them in its label files.
NUMBERS = {"anger": 1, "contempt": 2, "disgust": 3, "fear": 4, "happiness": 5, "sadness": 6, "surprise": 7}
#: How much of the expression is in each frame.
FRAMES = (0.0, 0.3, 0.6, 0.9, 0.95, 1.0)


def arrange(source: Path, target: Path, people: int | None = None) -> int:
    """Write the tree and return how many people are in it.

    Args:
        source: The folder of a rendered grid: one picture of each expression of everybody.
        target: Gets `cohn-kanade-images` and `Emotion`.
        people: Only so many of them.
    """
    with (source / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = {(row["identity"], row["expression"]): source / row["image"] for row in rows}
    names = sorted({row["identity"] for row in rows})[:people]
    for number, name in enumerate(names, 1):
        neutral = Image.open(pictures[name, "neutral"]).convert("L")
        for sequence, (expression, label) in enumerate(NUMBERS.items(), 1):
            peak = Image.open(pictures[name, expression]).convert("L")
            write_sequence(target, f"S{number:03}/{sequence:03}", (neutral, peak), label)
    return len(names)


def write_sequence(target: Path, place: str, ends: tuple[Image.Image, Image.Image], label: int) -> None:
    """The frames of one sequence from its first picture to its last, and the file with its label."""
    stem = place.replace("/", "_")
    images, labels = target / "cohn-kanade-images" / place, target / "Emotion" / place
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    for frame, share in enumerate(FRAMES, 1):
        Image.blend(*ends, share).save(images / f"{stem}_{frame:08}.png")
    (labels / f"{stem}_{len(FRAMES):08}_emotion.txt").write_text(f"   {label:.7e}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of a rendered grid")
    parser.add_argument("target", type=Path, help="folder to make")
    parser.add_argument("--people", type=int, help="only so many of them")
    options = parser.parse_args()
    print(f"{options.target}: {arrange(options.source, options.target, options.people)} people")


if __name__ == "__main__":
    main()
