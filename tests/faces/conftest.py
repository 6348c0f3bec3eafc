"""Photographs for detectors: rendered faces, so that nobody's picture is needed."""

import numpy as np
import pytest
from PIL import Image

from facedis.taxonomy import EIGHT


@pytest.fixture(scope="session")
def portraits(pictures):
    """Eight pictures of 192 px with one face each: (192, 192, 3) uint8."""
    found = [sorted(pictures.glob(f"*_{name}_0.webp"))[number % 3] for number, name in enumerate(EIGHT)]
    return [np.asarray(Image.open(path).resize((192, 192), Image.Resampling.BICUBIC)) for path in found]


@pytest.fixture(scope="session")
def group(portraits):
    """(192, 460, 3) uint8: two faces, the right one smaller and a little further from the middle."""
    small = np.asarray(Image.fromarray(portraits[1]).resize((140, 140), Image.Resampling.BOX))
    canvas = np.full((192, 460, 3), 200, np.uint8)
    canvas[:, 40:232] = portraits[0]
    canvas[30:170, 310:450] = small
    return canvas


@pytest.fixture(scope="session")
def folder(portraits, group, tmp_path_factory):
    """A dataset of 30 rows: one portrait after another, and in between everything that can go wrong."""
    root = tmp_path_factory.mktemp("dataset")
    rows = []
    for number in range(22):
        rows.append((f"{number:02}.png", EIGHT[number % 8], f"p{number % 5}"))
        Image.fromarray(portraits[number % 8]).save(root / rows[-1][0])
    Image.fromarray(group).save(root / "group.png")
    Image.new("RGB", (120, 90), "teal").save(root / "empty-room.png")
    Image.new("L", (37, 27), 90).save(root / "small.png")
    Image.new("L", (12, 12), 90).save(root / "tiny.png")
    (root / "text.jpg").write_text("not an image")
    (root / "nothing.png").touch()
    names = ["group.png", "empty-room.png", "small.png", "tiny.png", "text.jpg", "nothing.png", "absent.png"]
    rows += [(name, "neutral", "") for name in names]
    rows.append(("unlabelled.png", "", "p1"))
    Image.fromarray(portraits[3]).save(root / "unlabelled.png")
    lines = ["image,expression,identity", *(",".join(row) for row in rows)]
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root
