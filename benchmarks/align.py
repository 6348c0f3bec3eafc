"""Detection rate and agreement with facenet-pytorch.

    python benchmarks/align.py FOLDER [--photos 1000] [--threads 2] [-o docs/results/align.md]

Measures images per second of facedis's detector, of facenet-pytorch for single images and for batches of
images of equal size, of the package `mtcnn` if it is installed (on every fifth image), and of the bare
first network over the pyramid as the lower bound; then the number of images with the same detections. All
detectors take turns on the same images, so that other load affects them equally.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from facenet_pytorch import MTCNN
from machine import machine, sentence
from PIL import Image
from torch.nn.functional import interpolate

from facedis.atomic_io import write_text
from facedis.datasets.formats.walk import iter_images
from facedis.faces.detection.detector import Detections, no_detections
from facedis.faces.detection.mtcnn import Mtcnn
from facedis.faces.detection.mtcnn_tf import MtcnnTensorFlow
from facedis.faces.detection.pyramid import pyramid_scales
from facedis.faces.io.images import decode_image
from facedis.result import record, write_result

TURN = 64  # photos
SPARSE = 5  # the slowest detector runs on one of this many images
SAME = 0.95  # intersection over union of the same face
MIN_FACE = 20
OURS, THEIRS, BATCHES, TENSORFLOW, FLOOR = (
    "facedis",
    "facenet-pytorch, single images",
    "facenet-pytorch, batches of equal size",
    "mtcnn (TensorFlow)",
    "P-Net alone over the pyramid",
)
#: Target rates relative to facenet-pytorch on single images, and to the lower bound.
WANTED = {THEIRS: 1.7, FLOOR: 0.8}
WANTED_SAME = 0.995

Found = list[Detections]


class Candidate(NamedTuple):
    """A detector, and the number of images per image on which it runs."""

    run: Callable[[list[np.ndarray]], Found]
    each: int = 1


def main() -> None:
    """Run the comparison on the folder of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=0, help="0: one per core")
    parser.add_argument("-o", "--output", type=Path, help="Markdown file; a JSON file is written next to it")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    decoded = (decode_image(options.folder / name).pixels for name in sorted(iter_images(options.folder)))
    photos = [photo for photo, _ in zip((p for p in decoded if p is not None), range(options.photos), strict=False)]
    result = compare(photos)
    text = page(result)
    print(text)
    if options.output:
        write_result(result, options.output.with_suffix(".json"))
        write_text(options.output, text)


def compare(photos: list[np.ndarray]) -> dict[str, Any]:
    """Return the record of the comparison."""
    about, contestants = machine(), candidates("cuda" if torch.cuda.is_available() else "cpu")
    rates, found = measure_rates(contestants, photos)
    ours = rates[OURS]["photos_per_second"]
    ratios = {name: ours / rates[name]["photos_per_second"] for name in rates if name != OURS}
    same = agreement(found[OURS], found[THEIRS])
    return record(
        "benchmark",
        name="align",
        n=len(photos),
        min_face=MIN_FACE,
        pixels=int(np.median([photo.shape[0] * photo.shape[1] for photo in photos])),
        rates=rates,
        ratios=ratios,
        agreement=same,
        reached={name: ratios[name] >= least for name, least in WANTED.items()}
        | {"agreement": same["share"] >= WANTED_SAME},
        machine=about,
    )


def candidates(device: str) -> dict[str, Candidate]:
    """All installed detectors by name."""
    ours, original = Mtcnn(device, MIN_FACE), MTCNN(keep_all=True, min_face_size=MIN_FACE, device=device)
    there = {
        OURS: Candidate(ours.detect),
        THEIRS: Candidate(lambda part: [one_by_one(original, photo) for photo in part]),
        BATCHES: Candidate(lambda part: in_batches(original, part)),
    }
    if find_spec("mtcnn") and find_spec("tensorflow"):
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(torch.get_num_threads())
        there[TENSORFLOW] = Candidate(MtcnnTensorFlow(device, MIN_FACE).detect, SPARSE)
    there[FLOOR] = Candidate(lambda part: bare_pyramid(original, part))
    return there


def measure_rates(
    contestants: dict[str, Candidate], photos: list[np.ndarray]
) -> tuple[dict[str, dict[str, float]], dict[str, Found]]:
    """Run all detectors in turns; returns their rates and detections."""
    seconds, worked = dict.fromkeys(contestants, 0.0), dict.fromkeys(contestants, 0.0)
    found: dict[str, Found] = {name: [] for name in contestants}
    seen = dict.fromkeys(contestants, 0)
    for contender in contestants.values():
        contender.run(photos[:4])  # the first call is slower
    for first in range(0, len(photos), TURN):
        for name, (run, each) in contestants.items():
            part = photos[first : first + TURN : each]
            wall, cpu = time.perf_counter(), time.process_time()
            found[name] += run(part)
            seconds[name] += time.perf_counter() - wall
            worked[name] += time.process_time() - cpu
            seen[name] += len(part)
    rates = {
        name: {
            "n": seen[name],
            "photos_per_second": seen[name] / seconds[name],
            "photos_per_processor_second": seen[name] / worked[name],
        }
        for name in contestants
    }
    return rates, found


def one_by_one(original: MTCNN, photo: np.ndarray) -> Detections:
    """Detections of facenet-pytorch in one image."""
    return as_detections(*original.detect(Image.fromarray(photo), landmarks=True))


def in_batches(original: MTCNN, photos: list[np.ndarray]) -> list[Detections]:
    """Detections of facenet-pytorch in batches of images of equal size."""
    found: dict[int, Detections] = {}
    order = sorted(range(len(photos)), key=lambda place: photos[place].shape)
    for _, group in groupby(order, key=lambda place: photos[place].shape):
        places = list(group)
        several = original.detect(np.stack([photos[place] for place in places]), landmarks=True)
        found |= {place: as_detections(*each) for place, each in zip(places, zip(*several, strict=True), strict=True)}
    return [found[place] for place in range(len(photos))]


@torch.inference_mode()
def bare_pyramid(original: MTCNN, photos: list[np.ndarray]) -> list[Detections]:
    """Resize to all scales and run the first network only."""
    device = next(original.pnet.parameters()).device
    for photo in photos:
        pixels = torch.from_numpy(photo).to(device).permute(2, 0, 1)[None].float()
        height, width = photo.shape[:2]
        for scale in pyramid_scales(height, width, MIN_FACE):
            small = interpolate(pixels, (int(height * scale + 1), int(width * scale + 1)), mode="area")
            original.pnet((small - 127.5) * 0.0078125)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return []


def as_detections(boxes: np.ndarray | None, probabilities: np.ndarray, points: np.ndarray | None) -> Detections:
    """Convert the output of facenet-pytorch."""
    if boxes is None:
        return no_detections()
    return Detections(*(np.array(values.tolist(), np.float32) for values in (boxes, points, probabilities)))


def agreement(ours: Found, theirs: Found) -> dict[str, Any]:
    """Number of images with the same faces in both, and the largest deviations among them."""
    overlaps, distances, differ = [], [], []
    for place, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        best = [max(((overlap(box, other), n) for n, other in enumerate(a.boxes)), default=(0.0, 0)) for box in b.boxes]
        same = len(a) == len(b) and all(share >= SAME for share, _ in best)
        if not same:
            differ.append({"photo": place, "faces": [len(a), len(b)], "overlaps": [share for share, _ in best]})
            continue
        overlaps += [share for share, _ in best]
        distances += [np.abs(a.landmarks[n] - b.landmarks[m]).max() for m, (_, n) in enumerate(best)]
    return {
        "overlap": SAME,
        "same": len(ours) - len(differ),
        "share": 1 - len(differ) / len(ours),
        "faces": [sum(map(len, ours)), sum(map(len, theirs))],
        "least_overlap": min(overlaps, default=None),
        "landmarks_apart": float(max(distances, default=0)),
        "differ": differ,
    }


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    sides: Iterator[float] = iter(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    common = next(sides) * next(sides)
    return float(common / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common))


def page(result: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    rates, ratios, same = result["rates"], result["ratios"], result["agreement"]
    lines = [
        "# Face detection: speed and agreement",
        "",
        f"{result['n']:,} images with {result['pixels'] / 1e6:.2f} million pixels (median), minimum face size "
        f"{result['min_face']} px; the detectors alternate in blocks of {TURN} images.",
        "",
        "|  | Images | Images/s | Images per second of processor time | Speedup of facedis |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for name, rate in rates.items():
        times = f"{ratios[name]:.2f}" if name in ratios else "–"
        wall, cpu = rate["photos_per_second"], rate["photos_per_processor_second"]
        lines.append(f"| {name} | {rate['n']:,} | {wall:.1f} | {cpu:.1f} | {times} |")
    lines += [""] + [
        f"- Target: {least} times the rate of {name}. {_verdict(result['reached'][name])}: {ratios[name]:.2f}."
        for name, least in WANTED.items()
    ]
    lines += [
        f"- Target: the same faces as facenet-pytorch (overlap of the boxes at least {same['overlap']}) on "
        f"{100 * WANTED_SAME:g} % of the images. {_verdict(result['reached']['agreement'])}: {same['same']:,} of "
        f"{result['n']:,}, {100 * same['share']:.2f} %. "
        f"Detected faces: {same['faces'][0]:,} and {same['faces'][1]:,}; minimum IoU of matching faces "
        f"{same['least_overlap']:.4f}, maximum landmark distance {same['landmarks_apart']:.3f} px.",
        "",
        "P-Net alone over the pyramid is the resizing to every scale and the first network as in facenet-pytorch, "
        "a lower bound for this method. facedis computes the scales from prefix "
        "sums and folds the pooling into the first convolution, which lowers this bound.",
    ]
    lines += ["", f"Generated by `benchmarks/align.py`. {sentence(result['machine'])}.", ""]
    return "\n".join(lines)


def _verdict(reached: bool) -> str:
    return "Reached" if reached else "Missed"


if __name__ == "__main__":
    main()
