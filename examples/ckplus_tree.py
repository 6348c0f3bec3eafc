"""Write rendered faces in the layout of CK+, to try all commands from align to swap-eval without the dataset.

    facedis align                                     # unpacks the bundled faces
    python examples/ckplus_tree.py ~/.cache/facedis/rendered-faces-2/grid ck+
    facedis align ck+ --dataset ckplus:fold=0 -o ck.h5

A sequence begins with the neutral face of an identity and ends with an expression of the same identity in the
same light; the frames between are blends of the two.
"""

import argparse
import csv
from pathlib import Path

from PIL import Image

#: Numbers of the expressions in CK+'s label files.
NUMBERS = {"anger": 1, "contempt": 2, "disgust": 3, "fear": 4, "happiness": 5, "sadness": 6, "surprise": 7}
#: Weight of the expression in each frame.
FRAMES = (0.0, 0.3, 0.6, 0.9, 0.95, 1.0)


def arrange(source: Path, target: Path, people: int | None = None) -> int:
    """Write the tree and return the number of identities.

    Args:
        source: Folder of a rendered grid, with one image per identity and expression.
        target: Output folder of `cohn-kanade-images` and `Emotion`.
        people: Maximum number of identities.
    """
    with (source / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    images_by_label = {(row["identity"], row["expression"]): source / row["image"] for row in rows}
    names = sorted({row["identity"] for row in rows})[:people]
    for number, name in enumerate(names, 1):
        neutral = Image.open(images_by_label[name, "neutral"]).convert("L")
        for sequence, (expression, label) in enumerate(NUMBERS.items(), 1):
            peak = Image.open(images_by_label[name, expression]).convert("L")
            write_sequence(target, f"S{number:03}/{sequence:03}", (neutral, peak), label)
    return len(names)


def write_sequence(target: Path, sequence: str, ends: tuple[Image.Image, Image.Image], label: int) -> None:
    """Write the frames of one sequence between its first and last image, and its label file."""
    stem = sequence.replace("/", "_")
    images, labels = target / "cohn-kanade-images" / sequence, target / "Emotion" / sequence
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    for frame, weight in enumerate(FRAMES, 1):
        Image.blend(*ends, weight).save(images / f"{stem}_{frame:08}.png")
    (labels / f"{stem}_{len(FRAMES):08}_emotion.txt").write_text(f"   {label:.7e}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of a rendered grid")
    parser.add_argument("target", type=Path, help="output folder")
    parser.add_argument("--people", type=int, help="maximum number of identities")
    options = parser.parse_args()
    print(f"{options.target}: {arrange(options.source, options.target, options.people)} people")


if __name__ == "__main__":
    main()
