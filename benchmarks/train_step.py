"""Training throughput compared with a bare training loop.

The lower bound is a forward and backward pass of trunk and branches on random tensors, without classifiers,
adversary, losses, optimizers or data. Both take turns, so that other load affects them equally.

    python benchmarks/train_step.py wild.h5 -o docs/results/train_step.json
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from pathlib import Path

import torch
from lightning_fabric import Fabric

from facedis.config import ModelConfig, TrainConfig
from facedis.faces.cache.cache import FacesCache
from facedis.model.network.disentangler import build
from facedis.training.data import training_data
from facedis.training.setup import Job
from facedis.training.trainer import Trainer


def floor_step(model: torch.nn.Module, images: torch.Tensor) -> None:
    """Forward and backward through trunk and branches."""
    model.zero_grad()
    features = model.trunk(images)
    (model.expression_branch(features).sum() + model.rest_branch(features).sum()).backward()


def timed(work, n: int) -> float:
    """Images per second of `work` on `n` images."""
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return n / (time.perf_counter() - start)


def main() -> None:
    """Print the rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faces", type=Path, help="a faces cache")
    parser.add_argument("--trunk", default="inception_resnet_v1")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--blocks", type=int, default=8, help="blocks of each kind, one step per block")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    config = TrainConfig(batch_size=arguments.batch)
    settings = ModelConfig(trunk=arguments.trunk, weights="none", image_size=arguments.size, decoder="none")
    fabric = Fabric(accelerator="auto", devices=1)
    with FacesCache.open(arguments.faces) as cache, tempfile.TemporaryDirectory() as folder:
        data = training_data(cache)
        torch.manual_seed(0)
        model, adversary = build(settings, data.sizes)
        bare, _ = build(settings, data.sizes)
        bare = bare.to(fabric.device).train().to(memory_format=torch.channels_last)
        images = torch.rand(arguments.batch, 3, arguments.size, arguments.size, device=fabric.device)
        images = images.contiguous(memory_format=torch.channels_last)
        trainer = Trainer(fabric, Job(arguments.faces, Path(folder), settings, config), data, model, adversary)
        trainer.encoder.wrapped.train()
        prepared = trainer.prepared(trainer.batches(0)[: arguments.blocks + 1])
        rates: dict[str, list[float]] = {"facedis": [], "bare": []}
        for block in range(arguments.blocks + 1):
            found = {
                "bare": timed(lambda: floor_step(bare, images), arguments.batch),
                "facedis": timed(lambda: trainer.step(next(prepared)), arguments.batch),
            }
            for name in rates if block else ():  # the first block warms up
                rates[name].append(found[name])
    ratios = [ours / floor for ours, floor in zip(rates["facedis"], rates["bare"], strict=True)]
    result = {
        "facedis_images_per_second": statistics.median(rates["facedis"]),
        "bare_images_per_second": statistics.median(rates["bare"]),
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "blocks": arguments.blocks,
        "batch": arguments.batch,
        "trunk": arguments.trunk,
        "size": arguments.size,
        "device": str(fabric.device),
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
