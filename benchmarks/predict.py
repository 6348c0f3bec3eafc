"""Latency of the first prediction of `facedis predict`, and its throughput.

    python benchmarks/predict.py PHOTOS --run RUN

The first prediction is the wall time of the process `facedis predict PHOTO`. It is compared with two
minimal scripts with the same weights: one with facenet-pytorch's MTCNN, and one that imports only torch and
Pillow and facedis's detector and trunk as modules. All processes take turns, so that other load affects
them equally.

The throughput is measured with one `facedis predict --json` over many images, from the first line to the
last, detection and decoding included.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from machine import machine, sentence
from PIL import Image

from facedis.datasets.formats.walk import iter_images
from facedis.model.storage.checkpoint import load_run

#: Targets: latency relative to the script with facenet-pytorch, and faces per second.
FIRST, RATE = 1.3, 40.0

#: Script with facenet-pytorch; its arguments are the image, the TorchScript network and the crop settings.
_BY_HAND = """
import sys, torch
from PIL import Image
from facenet_pytorch import MTCNN
photo, network, size, margin = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
image = Image.open(photo).convert("RGB")
net = torch.jit.load(network)
finder = MTCNN(image_size=size, margin=margin, post_process=False, keep_all=True)
with torch.inference_mode(), torch.jit.optimized_execution(False):
    faces = finder(image)
    print(net(faces / 255).softmax(1).tolist())
"""
#: The same with minimal imports.
_BAREST = """
import sys, torch, numpy as np
from PIL import Image
from facedis.faces.cropping.crop import CropSettings, crop_face
from facedis.faces.detection.mtcnn import Mtcnn
photo, network, size, margin, crop = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
image = np.array(Image.open(photo).convert("RGB"))
net = torch.jit.load(network)
(found,) = Mtcnn("cpu").detect([image])
settings = CropSettings(crop, size, margin)
faces = np.stack([crop_face(image, *each, settings) for each in zip(found.boxes, found.landmarks)])
with torch.inference_mode(), torch.jit.optimized_execution(False):
    print(net(torch.from_numpy(faces).permute(0, 3, 1, 2) / 255).softmax(1).tolist())
"""


def main() -> None:
    """Run the benchmark, print the result, and write it with -o."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="Folder of photographs.")
    parser.add_argument("--run", type=Path, required=True, help="Run folder of the model.")
    parser.add_argument("--repeats", type=int, default=9, help="Processes of each kind.")
    parser.add_argument("--images", type=int, default=1_000, help="Photographs of the steady state.")
    parser.add_argument("-o", "--output", type=Path, help="Folder for predict.json and predict.md.")
    arguments = parser.parse_args()
    result = {"kind": "benchmark", "what": "predict", "machine": machine()}
    names = sorted(iter_images(arguments.photos))
    step = max(len(names) // arguments.images, 1)
    chosen = [str(arguments.photos / name) for name in names[::step]][: arguments.images]
    result |= first_answer(arguments.run, chosen[0], arguments.repeats) | steady(arguments.run, chosen)
    print(json.dumps(result, indent=2))
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "predict.json").write_text(json.dumps(result, indent=2) + "\n")
        (arguments.output / "predict.md").write_text(page(result))


def first_answer(run: Path, photo: str, repeats: int) -> dict:
    """Median seconds of whole processes with one photograph, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        network = str(Path(folder) / "network.pt")
        words = [photo, network, *as_script(run, network)]
        commands = {
            "facedis": [sys.executable, "-m", "facedis", "predict", photo, "--run", str(run), "--json"],
            "by_hand": [sys.executable, "-c", _BY_HAND, *words],
            "barest": [sys.executable, "-c", _BAREST, *words],
            "import_torch": [sys.executable, "-c", "import torch"],
        }
        for command in commands.values():  # warm up the page cache and check for failures
            subprocess.run(command, capture_output=True, check=True)
        seconds, worked = {name: [] for name in commands}, {name: [] for name in commands}
        for _ in range(repeats):
            for name, command in commands.items():
                began, before = time.perf_counter(), processor_seconds()
                subprocess.run(command, capture_output=True, check=True)
                seconds[name].append(time.perf_counter() - began)
                worked[name].append(processor_seconds() - before)
    median, work = ({name: statistics.median(values) for name, values in taken.items()} for taken in (seconds, worked))
    return {
        "first_answer": median,
        "first_answer_all": seconds,
        "first_answer_processor": work,
        "ratio_to_by_hand": median["facedis"] / median["by_hand"],
        "ratio_to_barest": median["facedis"] / median["barest"],
    }


def processor_seconds() -> float:
    """CPU time in seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def as_script(run: Path, path: str) -> tuple[str, str, str]:
    """Write trunk, branch and head of `run` as TorchScript; size, margin and crop of its faces."""
    import torch
    from torch import nn

    from facedis.faces.alignment.align_images import CropOptions

    loaded = load_run(run)
    model, size, crop = loaded.model, loaded.config.image_size, CropOptions.from_info(loaded.info["faces"]).config()

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk, self.branch, self.head = model.trunk, model.expression_branch, model.expression_head

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            images = nn.functional.interpolate(images, (size, size), mode="bilinear", antialias=True)
            return self.head(self.branch(self.trunk(images)))

    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, but needs no model code
        torch.jit.trace(Network().eval(), torch.rand(2, 3, crop.image_size, crop.image_size)).save(path)
    return str(crop.image_size), str(crop.margin), crop.crop


def steady(run: Path, photos: list[str]) -> dict:
    """Faces a second between the first line and the last."""
    command = [sys.executable, "-m", "facedis", "predict", "-", "--run", str(run), "--json"]
    before = processor_seconds()
    with tempfile.TemporaryFile("w+") as listed:
        listed.write("\n".join(photos))
        listed.seek(0)
        process = subprocess.Popen(command, stdin=listed, stdout=subprocess.PIPE, text=True)
        counted, moments = [], []
        for line in process.stdout:
            moments.append(time.perf_counter())
            counted.append(len(json.loads(line)["faces"]))
    if process.wait() or len(counted) != len(photos):
        raise SystemExit("facedis predict failed")
    # Lines are printed batch by batch; the first batch is not counted.
    block = next(place for place in range(1, len(moments)) if moments[place] - moments[place - 1] > 0.1)
    seconds = moments[-1] - moments[block - 1]
    sizes = [Image.open(photo).size for photo in photos]
    return {
        "photographs": len(photos),
        "median_width": statistics.median(width for width, _ in sizes),
        "median_height": statistics.median(height for _, height in sizes),
        "faces": sum(counted),
        "faces_per_second": sum(counted[block:]) / seconds,
        "faces_per_processor_second": sum(counted) / (processor_seconds() - before),
        "photographs_per_second": len(counted[block:]) / seconds,
    }


def page(result: dict) -> str:
    """The record as a Markdown page."""
    first, work, about = result["first_answer"], result["first_answer_processor"], result["machine"]
    rows = [
        ("`facedis predict IMAGE`", "facedis"),
        ("a script with facenet-pytorch's MTCNN", "by_hand"),
        ("a minimal script with facedis's detector", "barest"),
        ("`import torch` alone", "import_torch"),
    ]
    lines = [
        "# Prediction: latency and throughput\n",
        "Complete processes with one image, medians of "
        f"{len(result['first_answer_all']['facedis'])} alternating runs:\n",
        "|  | Seconds | Seconds of processor time |",
        "| :-- | --: | --: |",
        *(f"| {name} | {first[key]:.2f} | {work[key]:.2f} |" for name, key in rows),
        "",
        f"- Target: at most {FIRST} times the script with facenet-pytorch. "
        f"{_verdict(result['ratio_to_by_hand'] <= FIRST)}: {result['ratio_to_by_hand']:.2f} times. "
        f"The minimal script: {result['ratio_to_barest']:.2f} times.",
        f"- Target: {RATE:.0f} faces/s including decoding and detection. "
        f"{_verdict(result['faces_per_second'] >= RATE)}: {result['faces_per_second']:.1f} faces/s, "
        f"{result['faces_per_processor_second']:.1f} per second of processor time including start-up "
        f"({result['faces']:,} faces in {result['photographs']:,} images of "
        f"{result['median_width']:.0f} x {result['median_height']:.0f} pixels, the median).",
        "",
        "The weights of the detector and the operator for non-maximum suppression are loaded without importing their "
        "packages: `import torchvision` takes as long as `import torch`.",
        "",
        f"Generated by `benchmarks/predict.py`. {sentence(about)}.",
    ]
    return "\n".join(lines) + "\n"


def _verdict(reached: bool) -> str:
    return "Reached" if reached else "Missed"


if __name__ == "__main__":
    main()
