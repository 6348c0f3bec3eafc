"""Write rendered faces in the layout of CK+, to try the complete pipeline without that dataset.

    facedis align                                     # extracts the bundled faces
    python examples/ckplus_tree.py ~/.cache/facedis/rendered-faces-2/grid ck+
    facedis align ck+ --dataset ckplus:fold=0 -o ck.h5

A sequence starts with the neutral face of a person and ends with an expression of the same person in the same light;
the frames in between are blended. Only the layout is that of CK+.
"""

import argparse
import csv
from pathlib import Path

from PIL import Image

#: Numbers of the expressions in the label files of CK+.
NUMBERS = {"anger": 1, "contempt": 2, "disgust": 3, "fear": 4, "happiness": 5, "sadness": 6, "surprise": 7}
#: Weight of the expression in each frame.
FRAMES = (0.0, 0.3, 0.6, 0.9, 0.95, 1.0)


def arrange(source: Path, target: Path, people: int | None = None) -> int:
    """Write the tree; returns the number of people.

    Args:
        source: Folder of a rendered grid.
        target: Folder for `cohn-kanade-images` and `Emotion`.
        people: Maximum number of people.
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
    """Write the frames of one sequence and its label file."""
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
    parser.add_argument("target", type=Path, help="output folder")
    parser.add_argument("--people", type=int, help="maximum number of people")
    options = parser.parse_args()
    print(f"{options.target}: {arrange(options.source, options.target, options.people)} people")


if __name__ == "__main__":
    main()
