"""A faces cache of 100,000 rows: memory, random reads, shards, and the gain of a second process.

    python benchmarks/align_scale.py FOLDER [--rows 100000] [-o docs/results/align_scale.md]

The images of FOLDER are repeated by links up to the number of rows. No detector runs
(`--detector none`): it would take an hour and does not affect these measurements. The gain of a second
process can only be measured on idle cores: `--gain-only` repeats that part and updates an existing record.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine, sentence

from facedis.atomic_io import write_text
from facedis.config import AlignConfig
from facedis.datasets.formats.walk import iter_images
from facedis.events import Event
from facedis.faces.alignment.align_dataset import align
from facedis.faces.alignment.plan import FACE_SIZE
from facedis.faces.alignment.shards import Shard, join_shards, shard_path
from facedis.faces.alignment.verify import verify_cache
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import read_info
from facedis.result import record, write_result

SHARDS = 4
BATCH = 64
READS = 400  # batches
EVERY, ITS_OWN = "shared cores", "one core per process"
SETTLED = 5_000  # rows after which memory must be constant
#: Targets.
MOST_GROWTH, LEAST_READS, MOST_JOIN, LEAST_GAIN = 200e6, 10.0, 1.0, 1.6


def main() -> None:
    """Create the dataset, run all measurements and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--gain-rows", type=int, default=3_000, help="rows for the speedup by a second process")
    parser.add_argument("--gain-only", action="store_true")
    parser.add_argument("--where", type=Path, help="folder for 16 GB of temporary files")
    parser.add_argument("-o", "--output", type=Path, help="Markdown file; a JSON file is written next to it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.where) as place:
        if options.gain_only:
            gain = second_process(options.folder, Path(place), options.gain_rows)
            result = json.loads(options.output.with_suffix(".json").read_text()) | {"second_process": gain}
            result["reached"]["second_process"] = gain[EVERY]["gain"] >= LEAST_GAIN
        else:
            result = measure(options.folder, Path(place), options.rows, options.gain_rows)
    text = page(result)
    print(text)
    if options.output:
        write_result(result, options.output.with_suffix(".json"))
        write_text(options.output, text)


def measure(folder: Path, place: Path, rows: int, gain_rows: int) -> dict[str, Any]:
    """Return the record of all measurements."""
    about = machine()
    gain = second_process(folder, place, gain_rows)
    repeat(folder, place / "many", rows)
    memory = resident_memory(place / "many", place / "one.h5")
    reads = random_reads(place / "one.h5")
    shards = joined(place / "many", place / "one.h5", place)
    reached = {
        "memory": memory["growth"] <= MOST_GROWTH,
        "reads": reads["times_the_trunk"] >= LEAST_READS,
        "join": shards["seconds"] < MOST_JOIN,
        "second_process": gain[EVERY]["gain"] >= LEAST_GAIN,
    }
    return record(
        "benchmark",
        name="align_scale",
        n=rows,
        size=FACE_SIZE,
        memory=memory,
        reads=reads,
        join=shards,
        second_process=gain,
        reached=reached,
        machine=about,
    )


def repeat(folder: Path, root: Path, rows: int) -> None:
    """A dataset of `rows` links to the images of `folder`, with a labels.csv."""
    (root / "images").mkdir(parents=True)
    images = [folder / image for image in sorted(iter_images(folder))]
    lines = ["image,expression,identity"]
    for row in range(rows):
        image = images[row % len(images)]
        name = f"{row:06}{image.suffix}"
        (root / "images" / name).symlink_to(image.resolve())
        lines.append(f"{name},{('happiness', 'sadness')[row % 2]},p{row % len(images)}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")


def resident_memory(source: Path, output: Path) -> dict[str, Any]:
    """Resident memory during alignment, about every thousand rows."""
    held: list[tuple[int, int]] = []

    def handler(event: Event) -> None:
        if event.kind == "advance" and (not held or event.done - held[-1][0] >= 1000):
            held.append((event.done, resident()))

    before, began = resident(), time.perf_counter()
    result = align(source, output, AlignConfig(detector="none", image_size=FACE_SIZE), handler)
    settled = [size for done, size in held if done >= SETTLED] or [held[-1][1]]
    return {
        "before": before,
        "at": [list(each) for each in held],
        "settled_low": min(settled),
        "settled_high": max(settled),
        "growth": max(settled) - min(settled),
        "seconds": time.perf_counter() - began,
        "rate": result.rate,
        "status": result.status,
        "bytes": output.stat().st_size,
    }


def resident() -> int:
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def random_reads(path: Path) -> dict[str, Any]:
    """Faces per second in random batches, from memory and from disk, and the throughput of the trunk."""
    trunk = trunk_rate()
    with FacesCache.open(path) as cache:
        rows = np.random.default_rng(0).permutation(cache.rows())[: BATCH * READS]
        forget(path)
        from_disk = read_rate(cache, rows)
        rates = [read_rate(cache, rows) for _ in range(3)]
    return {
        "batch": BATCH,
        "faces": len(rows),
        "faces_per_second": max(rates),
        "faces_per_second_from_disk": from_disk,
        "trunk_forward": trunk["forward"],
        "trunk_training": trunk["training"],
        "times_the_trunk": max(rates) / trunk["forward"],
        "times_the_trunk_from_disk": from_disk / trunk["forward"],
    }


def read_rate(cache: FacesCache, rows: np.ndarray) -> float:
    """Faces a second in batches of `rows`."""
    began = time.perf_counter()
    for _ in cache.batches(rows, BATCH):
        pass
    return len(rows) / (time.perf_counter() - began)


def forget(path: Path) -> None:
    """Drop the file from the page cache, so that it is read from disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def trunk_rate(batches: int = 3) -> dict[str, float]:
    """Images a second of the default trunk: forward only, and forward and backward."""
    import torch

    from facedis.config import ModelConfig
    from facedis.model.network.disentangler import build

    trunk = build(ModelConfig(weights="none", image_size=FACE_SIZE, decoder="none"), 8)[0].trunk
    trunk = trunk.to(memory_format=torch.channels_last)
    images = torch.rand(BATCH // 2, 3, FACE_SIZE, FACE_SIZE).contiguous(memory_format=torch.channels_last)
    rates = {}
    for name, work in (("forward", forward), ("training", forward_and_back)):
        work(trunk, images)
        began = time.perf_counter()
        for _ in range(batches):
            work(trunk, images)
        rates[name] = batches * len(images) / (time.perf_counter() - began)
    return rates


def forward(trunk: Any, images: Any) -> None:
    """Forward pass as in evaluation."""
    import torch

    with torch.inference_mode():
        trunk.eval()(images)


def forward_and_back(trunk: Any, images: Any) -> None:
    """Forward and backward pass as in training."""
    trunk.train()(images).sum().backward()


def joined(source: Path, whole: Path, place: Path) -> dict[str, Any]:
    """Align in shards, two at a time; time to join them, and equality with the single cache."""
    output, every = place / "shared.h5", sorted(os.sched_getaffinity(0))
    for first in range(1, SHARDS + 1, 2):
        finish([start(source, output, f"{number}/{SHARDS}", every) for number in (first, first + 1)])
    places = [shard_path(output, Shard(number, SHARDS)) for number in range(1, SHARDS + 1)]
    again, began = place / "again.h5", time.perf_counter()
    join_shards(again, places, read_info(output).fingerprint)
    seconds = time.perf_counter() - began
    return {
        "shards": SHARDS,
        "seconds": seconds,
        "bytes": again.stat().st_size,
        "same": same(again, whole),
        "whole": verify_cache(again)["whole"],
    }


def same(one: Path, two: Path) -> bool:
    """Whether both caches have the same rows."""
    with FacesCache.open(one) as a, FacesCache.open(two) as b:
        rows = np.arange(len(a))
        columns = ("label", "identity", "split", "source", "status", "grey", "box")
        return all(np.array_equal(a.column(name), b.column(name), equal_nan=name == "box") for name in columns) and all(
            np.array_equal(first, second)
            for (_, first), (_, second) in zip(a.batches(rows, 1000), b.batches(rows, 1000), strict=True)
        )


def second_process(folder: Path, place: Path, rows: int) -> dict[str, dict[str, Any]]:
    """Seconds of one process and of two, where each may use every core and where each has a core of its own."""
    repeat(folder, place / "few", rows)
    every = sorted(os.sched_getaffinity(0))
    ways = {EVERY: [every, every], ITS_OWN: [every[:1], every[-1:]]}
    return {name: one_against_two(place / "few", place / name.replace(" ", "-"), cores) for name, cores in ways.items()}


def one_against_two(source: Path, place: Path, cores: list[list[int]], turns: int = 4) -> dict[str, Any]:
    """Whole commands: one process for all rows, then two for half of them each, in turns; the best of each."""
    load, alone, together = os.getloadavg()[0], [], []
    for turn in range(turns):
        alone.append(timed(source, place / f"alone-{turn}.h5", {"": cores[0]}))
        together.append(timed(source, place / f"two-{turn}.h5", {"1/2": cores[0], "2/2": cores[1]}))
    one, two = min(alone), min(together)
    return {
        "rows": sum(1 for _ in (source / "images").iterdir()),
        "load": round(load, 1),
        "alone": [list(each) for each in alone],
        "together": [list(each) for each in together],
        "gain": one[0] / two[0],
        "cores_alone": one[1] / one[0],
        "cores_together": two[1] / two[0],
    }


def timed(source: Path, output: Path, shards: dict[str, list[int]]) -> tuple[float, float]:
    """Seconds until all processes have ended, and seconds of processor time that they used together."""
    wall, cpu = time.perf_counter(), children()
    finish([start(source, output, shard, cores) for shard, cores in shards.items()])
    return time.perf_counter() - wall, children() - cpu


def children() -> float:
    """Seconds of processor time of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def start(source: Path, output: Path, shard: str, cores: list[int]) -> subprocess.Popen:
    """Start `facedis align` on some of the cores, with one decoding thread."""
    words = ["align", source, "-o", output, "--detector", "none", "--image-size", FACE_SIZE, "--workers", 1, "-q"]
    words += ["--shard", shard] if shard else []
    started = subprocess.Popen([sys.executable, "-m", "facedis", *map(str, words)])
    os.sched_setaffinity(started.pid, cores)
    return started


def finish(started: list[subprocess.Popen]) -> None:
    """Wait for all of them.

    Raises:
        RuntimeError: One failed.
    """
    if any([each.wait() for each in started]):
        raise RuntimeError("an alignment failed")


def page(result: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    memory, reads, shards, gain = (result[name] for name in ("memory", "reads", "join", "second_process"))
    done = {name: "Reached" if reached else "Missed" for name, reached in result["reached"].items()}
    lines = [
        "# A cache of 100,000 rows" if result["n"] == 100_000 else f"# A cache of {result['n']:,} rows",
        "",
        f"Images repeated by links to {result['n']:,} rows of {result['size']} px, with `--detector none`, because a "
        "detector would take an hour without an effect on these measurements.",
        "",
        "|  | Measured | Target |  |",
        "| :-- | --: | --: | :-- |",
        f"| resident memory after row {SETTLED:,} | {memory['settled_low'] / 1e6:,.0f} to "
        f"{memory['settled_high'] / 1e6:,.0f} MB | range of {MOST_GROWTH / 1e6:.0f} MB | {done['memory']} |",
        f"| random batches of {reads['batch']}, file cached in memory | {reads['faces_per_second']:,.0f} faces/s, "
        f"{reads['times_the_trunk']:,.0f} times the trunk | {LEAST_READS:.0f} times | {done['reads']} |",
        f"| random batches, from disk | {reads['faces_per_second_from_disk']:,.0f} faces/s, "
        f"{reads['times_the_trunk_from_disk']:,.0f} times the trunk | – | |",
        f"| joining {shards['shards']} shards | {shards['seconds']:.2f} s | {MOST_JOIN:.0f} s | {done['join']} |",
        f"| speedup by a second process, {EVERY} | {gain[EVERY]['gain']:.2f} times | {LEAST_GAIN} times "
        f"| {done['second_process']} |",
        f"| speedup by a second process, {ITS_OWN} | {gain[ITS_OWN]['gain']:.2f} times | – | |",
        "",
        f"- The trunk (batches of {BATCH // 2} images of {result['size']} px) processes {reads['trunk_forward']:.1f} "
        f"images/s forward and {reads['trunk_training']:.1f} in training.",
        f"- The cache was created at {memory['rate']:,.0f} images/s and has {memory['bytes'] / 1e9:.1f} GB; the joined "
        f"one has {shards['bytes'] / 1e6:.1f} MB and references its shards. Both have the same rows: "
        f"{'yes' if shards['same'] else 'no'}; `facedis faces verify` passes: {'yes' if shards['whole'] else 'no'}.",
        "- Second process: complete commands including start-up, one decoding thread each:",
        *(
            f"    - {name}, {each['rows']:,} rows, load {each['load']}: one {seconds(each['alone'])} s, two "
            f"{seconds(each['together'])} s; the fastest used {each['cores_alone']:.2f} and "
            f"{each['cores_together']:.2f} cores."
            for name, each in gain.items()
        ),
        f"- The maximum speedup with shared cores is {result['machine']['cores']} / {gain[EVERY]['cores_alone']:.2f} = "
        f"{result['machine']['cores'] / gain[EVERY]['cores_alone']:.2f}, because one process decodes in parallel and "
        "already uses more than one core.",
        "",
        f"Generated by `benchmarks/align_scale.py`. {sentence(result['machine'])}.",
        "",
    ]
    return "\n".join(lines)


def seconds(runs: list[list[float]]) -> str:
    """The seconds of each, as text."""
    return ", ".join(f"{wall:.1f}" for wall, _ in runs)


if __name__ == "__main__":
    main()
