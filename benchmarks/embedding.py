"""Throughput of `facedis embed` compared with the bare trunk.

The lower bound is the forward pass of the trunk on a batch in memory: no reading, resizing, branches or
output file. A second one includes the branches. All take turns, so that other load affects them equally.

    python benchmarks/embedding.py wild.h5 --split val -o docs/results/embedding.json
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from pathlib import Path

import torch

from facedis.config import ModelConfig, TrainConfig
from facedis.faces.cache.cache import FacesCache
from facedis.model.device import pick_device
from facedis.model.network.disentangler import build
from facedis.model.storage.checkpoint import MODEL, Run
from facedis.tasks.encoding.embedding import embed
from facedis.tasks.inference import InferenceOptions


def untrained(cache: FacesCache, folder: Path, settings: ModelConfig) -> Run:
    """A run with random weights."""
    (folder / MODEL).write_bytes(b"random")
    model, _ = build(settings, {"expression": len(cache.info.classes)})
    info = {"faces": {"grey": False}}
    return Run(folder, str(folder), info, cache.info.classes, settings, TrainConfig(), model.eval(), None)


@torch.inference_mode()
def bare(run: Run, images: torch.Tensor, n: int, branches: tuple[str, ...]) -> None:
    """Compute the trunk features of `n` images, and the codes of `branches`."""
    for start in range(0, n, len(images)):
        features = run.model.trunk(images[: n - start])
        for name in branches:
            getattr(run.model, f"{name}_branch")(features)


def rate(work, n: int) -> float:
    """Images per second of `work` on `n` images."""
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return n / (time.perf_counter() - began)


def main() -> None:
    """Print rates and ratios, for codes of each kind."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faces", type=Path, help="a faces cache")
    parser.add_argument("--split", default="all")
    parser.add_argument("--trunk", default="inception_resnet_v1")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--suffix", default=".npz")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    settings = ModelConfig(trunk=arguments.trunk, weights="none", image_size=arguments.size, decoder="none")
    branches = {"trunk": (), "expression": ("expression",), "both": ("expression", "rest")}
    torch.manual_seed(0)
    with FacesCache.open(arguments.faces) as cache, tempfile.TemporaryDirectory() as name:
        folder, n = Path(name), len(cache.rows(arguments.split, labelled=False))
        run = untrained(cache, folder, settings)
        device = pick_device("auto")
        run.model.to(device)
        images = torch.rand(arguments.batch, 3, arguments.size, arguments.size, device=device)
        images = images.contiguous(memory_format=torch.channels_last)
        works = {"floor": lambda: bare(run, images, n, ())}
        for code, needed in branches.items():
            options = {"code": code, "split": arguments.split}
            options["options"] = InferenceOptions(batch_size=arguments.batch)
            output = folder / f"codes{arguments.suffix}"
            works[f"embed_{code}"] = lambda o=options, f=output: embed(run, arguments.faces, f, **o)
            if needed:
                works[f"floor_{code}"] = lambda needed=needed: bare(run, images, n, needed)
        bare(run, images, len(images), ("expression", "rest"))  # warms up
        rates = {name: [] for name in works}
        for _ in range(arguments.passes):
            for name, work in works.items():
                rates[name].append(rate(work, n))
    median = {name: statistics.median(found) for name, found in rates.items()}
    result = {
        "images_per_second": median,
        "ratio_to_the_trunk": {code: median[f"embed_{code}"] / median["floor"] for code in branches},
        "ratio_to_trunk_and_branches": {
            code: median[f"embed_{code}"] / median[f"floor_{code}"] for code, needed in branches.items() if needed
        },
        "all_passes": rates,
        "images": n,
        "batch": arguments.batch,
        "trunk": arguments.trunk,
        "size": arguments.size,
        "file": arguments.suffix,
        "device": str(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }
    print(json.dumps(result, indent=2))
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
