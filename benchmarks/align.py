"""How fast faces are found, and whether they are the faces that facenet-pytorch finds.

    python benchmarks/align.py FOLDER [--photos 1000] [--threads 2]

Prints photos a second of facedis's detector, of facenet-pytorch's photo by photo and in batches of
photos of equal size, and of its bare first network over the pyramid; then how many photos agree.
All take turns on the same photos, so that a busy machine slows them alike. A second of processor
time counts what was worked, waiting for others left out.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image
from torch.nn.functional import interpolate

from facedis.datasets.walk import images_below
from facedis.faces.detector import Detections, none_found
from facedis.faces.images import decode
from facedis.faces.mtcnn import Mtcnn
from facedis.faces.pyramid import scales_of

TURN = 64  # photos
SAME = 0.95  # intersection over union of the same face
MIN_FACE = 20


def main() -> None:
    """Run the comparison on the folder of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    decoded = (decode(options.folder / name).pixels for name in sorted(images_below(options.folder)))
    photos = [photo for photo, _ in zip((p for p in decoded if p is not None), range(options.photos), strict=False)]
    ours, original = Mtcnn("cpu", MIN_FACE), MTCNN(keep_all=True, min_face_size=MIN_FACE)
    contenders: dict[str, Callable[[list[np.ndarray]], list[Detections]]] = {
        "facedis": ours.detect,
        "facenet-pytorch, photo by photo": lambda part: [one_by_one(original, photo) for photo in part],
        "facenet-pytorch, equal sizes together": lambda part: in_batches(original, part),
        "bare P-Net over the pyramid": lambda part: bare_pyramid(original, part),
    }
    found = race(contenders, photos)
    agreement(found["facedis"], found["facenet-pytorch, photo by photo"])


def race(
    contenders: dict[str, Callable[[list[np.ndarray]], list[Detections]]], photos: list[np.ndarray]
) -> dict[str, list[Detections]]:
    """Let all detect all photos in turns, print their rates, and return what they found."""
    seconds, worked = dict.fromkeys(contenders, 0.0), dict.fromkeys(contenders, 0.0)
    found: dict[str, list[Detections]] = {name: [] for name in contenders}
    for run in contenders.values():
        run(photos[:4])  # the first call is slower
    for first in range(0, len(photos), TURN):
        for name, run in contenders.items():
            wall, cpu = time.perf_counter(), time.process_time()
            found[name] += run(photos[first : first + TURN])
            seconds[name] += time.perf_counter() - wall
            worked[name] += time.process_time() - cpu
    print(f"{len(photos)} photos, {torch.get_num_threads()} threads    photos a second    a second of processor time")
    for name in contenders:
        print(f"{name:38} {len(photos) / seconds[name]:14.1f} {len(photos) / worked[name]:28.1f}")
    return found


def one_by_one(original: MTCNN, photo: np.ndarray) -> Detections:
    """What facenet-pytorch finds in one photo."""
    return as_detections(*original.detect(Image.fromarray(photo), landmarks=True))


def in_batches(original: MTCNN, photos: list[np.ndarray]) -> list[Detections]:
    """What facenet-pytorch finds in photos given to it as batches of one size."""
    found: dict[int, Detections] = {}
    order = sorted(range(len(photos)), key=lambda place: photos[place].shape)
    for _, group in groupby(order, key=lambda place: photos[place].shape):
        places = list(group)
        several = original.detect(np.stack([photos[place] for place in places]), landmarks=True)
        found |= {place: as_detections(*each) for place, each in zip(places, zip(*several, strict=True), strict=True)}
    return [found[place] for place in range(len(photos))]


@torch.inference_mode()
def bare_pyramid(original: MTCNN, photos: list[np.ndarray]) -> list[Detections]:
    """Only the resizing to every scale and the first network."""
    for photo in photos:
        pixels = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
        height, width = photo.shape[:2]
        for scale in scales_of(height, width, MIN_FACE):
            small = interpolate(pixels, (int(height * scale + 1), int(width * scale + 1)), mode="area")
            original.pnet((small - 127.5) * 0.0078125)
    return []


def as_detections(boxes: np.ndarray | None, probabilities: np.ndarray, points: np.ndarray | None) -> Detections:
    """Arrays of what facenet-pytorch returns as objects."""
    if boxes is None:
        return none_found()
    return Detections(*(np.array(values.tolist(), np.float32) for values in (boxes, points, probabilities)))


def agreement(ours: list[Detections], theirs: list[Detections]) -> None:
    """Print in how many photos both found the same faces, and how far apart the worst are."""
    overlaps, distances, differ = [], [], []
    for place, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        best = [max(((overlap(box, other), n) for n, other in enumerate(a.boxes)), default=(0.0, 0)) for box in b.boxes]
        same = len(a) == len(b) and all(share >= SAME for share, _ in best)
        if not same:
            differ.append(place)
            continue
        overlaps += [share for share, _ in best]
        distances += [np.abs(a.landmarks[n] - b.landmarks[m]).max() for m, (_, n) in enumerate(best)]
    print(f"faces: {sum(map(len, ours))} and {sum(map(len, theirs))}")
    print(f"same faces (overlap >= {SAME}) in {len(ours) - len(differ)} of {len(ours)} photos", end="")
    print(f" = {1 - len(differ) / len(ours):.2%}; least overlap {min(overlaps):.6f},", end="")
    print(f" landmarks at most {max(distances):.4f} px apart")
    if differ:
        print(f"photos that differ: {differ}")


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    sides: Iterator[float] = iter(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    common = next(sides) * next(sides)
    return float(common / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common))


if __name__ == "__main__":
    main()
