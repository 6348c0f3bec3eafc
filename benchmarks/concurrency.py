"""Pairs of processes that write the same output, started at random offsets.

    python benchmarks/concurrency.py [--pairs 40] [--cases align train-name ...] [--seed 0] [--json FILE]

Both processes of a pair run the command line, forked from one process that has imported everything, so
that the offsets fall into the work and not into the imports. Each output is compared with that of one
process alone. Faces are small patterns, the trunk has two layers, and images are not cropped.
"""

import argparse
import csv
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import h5py
import numpy as np
from PIL import Image
from torch import nn

from facedis.cli import main as command_line
from facedis.faces.alignment import align_dataset
from facedis.faces.cache.cache_format import STATUSES
from facedis.model.network import disentangler
from facedis.model.network.trunk import Trunk

#: Images that are aligned, and that are trained on; pixels per side.
IMAGES, FEW, SIDE = 2_000, 120, 32
EXPRESSIONS = ("neutral", "happiness", "anger")
TRAIN = ("--preset", "small", "--image-size", SIDE, "--epochs", 2, "--batch-size", 16, "--set", "model.decoder=none")
#: Seeds of the two runs of a pair, which make them different.
SEEDS = (1, 2)
REFUSED = "is being written by another process"


@dataclass(frozen=True)
class Ended:
    """Exit code and stderr of a process."""

    code: int
    err: str


def start(*words: object, log: Path) -> int:
    """Fork a process that runs `facedis` with `words`; return its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with log.open("w") as file:
            os.dup2(file.fileno(), 2)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        sys.argv = ["facedis", *map(str, words)]
        command_line()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def run_pair(first: list[object], second: list[object], offset: float, folder: Path) -> tuple[Ended, Ended]:
    """Run two commands, the second `offset` seconds after the first."""
    logs = folder / "first.log", folder / "second.log"
    children = [start(*first, log=logs[0])]
    time.sleep(offset)
    children.append(start(*second, log=logs[1]))
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    one, two = (Ended(code, log.read_text()) for code, log in zip(codes, logs, strict=True))
    return one, two


def make_images(folder: Path, count: int) -> Path:
    """Write `count` noisy patterns with a labels.csv."""
    rng, rows = np.random.default_rng(0), []
    folder.mkdir()
    for number in range(count):
        person, label = number % 40, number // 40 % len(EXPRESSIONS)
        face = rng.normal(90, 20, (SIDE, SIDE, 3))
        face[4 + 9 * label : 10 + 9 * label] += 100
        Image.fromarray(face.clip(1, 255).astype(np.uint8)).save(folder / f"{number:04}.png")
        split = "train" if person < 24 else "val" if person < 32 else "test"
        rows.append((f"{number:04}.png", EXPRESSIONS[label], f"p{person}", split))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "expression", "identity", "split"), *rows])
    return folder


class Bench:
    """The inputs, the outputs of single processes, and the counts."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random, self.counts = folder, random.Random(seed), Counter[str]()
        self.faces = folder / "faces.h5"
        self.align_words = self._align_words(make_images(folder / "images", IMAGES))
        self.align_seconds = self._alone(*self.align_words, self.faces)
        self.rows = cache_content(self.faces)
        self._alone(*self._align_words(make_images(folder / "few", FEW)), folder / "few.h5")
        self.train_words = ["train", "--faces", folder / "few.h5", *TRAIN, "--device", "cpu", "--quiet", "--runs"]
        _, self.train_seconds = (
            self._alone(*self.train_words, folder / "alone", "--seed", seed, "--name", seed) for seed in SEEDS
        )
        self.runs = [run_content(folder / "alone" / str(seed)) for seed in SEEDS]

    @staticmethod
    def _align_words(images: Path) -> list[object]:
        return ["align", images, "--crop", "none", "--image-size", SIDE, "--quiet", "-o"]

    def _alone(self, *words: object) -> float:
        began = time.perf_counter()
        log = self.folder / "alone.log"
        code = os.waitstatus_to_exitcode(os.waitpid(start(*words, log=log), 0)[1])
        if code:
            raise SystemExit(f"facedis {' '.join(map(str, words))}\n{log.read_text()}")
        return time.perf_counter() - began

    def pair(self, case: str) -> list[str]:
        """Run one pair; return what is wrong with it."""
        place = Path(tempfile.mkdtemp(dir=self.folder))
        first, second, seconds, check = CASES[case](self, place)
        # Half of the pairs start at about the same time.
        offset = self.random.uniform(0, 1.2 * seconds) * self.random.choice((0.02, 1))
        ended = run_pair(first, second, offset, place)
        self.counts.update(starts=2, refused=sum(each.code == 2 for each in ended))
        wrong = [*self._messages(ended), *check(ended)]
        if not wrong:
            shutil.rmtree(place)
        return [f"{case}, offset {offset:.3f} s: {line} ({place})" for line in wrong]

    def _messages(self, ended: tuple[Ended, Ended]) -> Iterator[str]:
        for each in ended:
            if "Traceback" in each.err:
                self.counts["tracebacks"] += 1
                yield f"traceback: {each.err}"
            elif each.code not in (0, 2) or (each.code == 2 and len(each.err.splitlines()) != 1):
                self.counts["other endings"] += 1
                yield f"exit code {each.code}: {each.err}"

    def check_cache(self, path: Path) -> Iterator[str]:
        """Compare a cache with the one that a single process wrote."""
        if not path.exists():
            self.counts["lost or pending rows"] += IMAGES
            yield "no cache"
            return
        found = cache_content(path)
        lost = int((found["status"] == STATUSES.index("pending")).sum()) + IMAGES - len(found["status"])
        self.counts["lost or pending rows"] += lost
        if lost:
            yield f"{lost} rows are lost or pending"
        different = [name for name, values in self.rows.items() if not np.array_equal(values, found[name])]
        if different:
            self.counts["different caches"] += 1
            yield f"different: {', '.join(different)}"
        yield from self._left_over(path.parent)

    def check_runs(self, folder: Path, count: int) -> Iterator[str]:
        """Compare the runs in `folder` with those that a single process trained."""
        runs = [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
        if len(runs) != count:
            self.counts["lost runs"] += 1
            yield f"{len(runs)} run folders"
        for run in runs:
            try:
                mixed = run_content(run) not in self.runs
            except (OSError, ValueError) as error:
                mixed = True
                yield str(error)
            if mixed:
                self.counts["mixed runs"] += 1
                yield f"{run} is not the run of one process"
            yield from self._left_over(run)
        if not (folder / "latest" / "result.json").exists():
            self.counts["lost runs"] += 1
            yield "latest is no finished run"

    def _left_over(self, folder: Path) -> Iterator[str]:
        names = [path.name for path in folder.iterdir()]
        left = [name for name in names if name.startswith(".") or name.endswith((".partial", ".draft"))]
        if left:
            self.counts["files left over"] += len(left)
            yield f"left over: {', '.join(left)}"


def cache_content(path: Path) -> dict[str, np.ndarray]:
    """The columns of a cache by name."""
    with h5py.File(path, "r") as file:
        return {name: file[name][:] for name in file if name not in ("box", "landmarks", "probability")}


def run_content(run: Path) -> tuple[object, ...]:
    """What two runs of one seed have in common and two of different seeds do not."""
    info = json.loads((run / "run.json").read_text())
    history = [json.loads(line)["train"] for line in (run / "history.jsonl").read_text().splitlines()]
    result = json.loads((run / "result.json").read_text())
    tensors = hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()
    return info["seed"], result["seed"], json.dumps(history), tensors, json.dumps(result["final"])


Case = tuple[list[object], list[object], float, Callable[[tuple[Ended, Ended]], Iterator[str]]]


def _align(bench: Bench, place: Path, overwrite: bool = False) -> Case:
    output = place / "out" / "faces.h5"
    output.parent.mkdir()
    if overwrite:
        shutil.copy(bench.faces, output)
    words = [*bench.align_words, output, *(["--overwrite"] if overwrite else [])]

    def check(ended: tuple[Ended, Ended]) -> Iterator[str]:
        yield from _one_succeeds(bench, ended)
        yield from bench.check_cache(output)

    return words, words, bench.align_seconds, check


def _align_shards(bench: Bench, place: Path) -> Case:
    output = place / "out" / "faces.h5"
    first, second = ([*bench.align_words, output, "--shard", f"{number}/2"] for number in (1, 2))

    def check(ended: tuple[Ended, Ended]) -> Iterator[str]:
        if any(each.code for each in ended):
            yield f"exit codes {ended}"
        yield from bench.check_cache(output)

    return first, second, bench.align_seconds / 2, check


def _train(bench: Bench, place: Path, named: bool) -> Case:
    name = ["--name", "one"] if named else []
    first, second = ([*bench.train_words, place / "runs", "--seed", seed, *name] for seed in SEEDS)

    def check(ended: tuple[Ended, Ended]) -> Iterator[str]:
        if sorted(each.code for each in ended) != ([0, 2] if named else [0, 0]):
            yield f"exit codes {ended}"
        yield from bench.check_runs(place / "runs", 1 if named else 2)

    return first, second, bench.train_seconds, check


def _resume(bench: Bench, place: Path) -> Case:
    first = [*bench.train_words, place / "runs", "--seed", SEEDS[0], "--name", "one"]

    def check(ended: tuple[Ended, Ended]) -> Iterator[str]:
        if [each.code for each in ended] != [0, 2]:
            yield f"exit codes {ended}"
        yield from bench.check_runs(place / "runs", 1)

    return first, ["train", "--resume", place / "runs" / "one", "--quiet"], bench.train_seconds, check


def _one_succeeds(bench: Bench, ended: tuple[Ended, Ended]) -> Iterator[str]:
    if all(each.code for each in ended):
        yield f"exit codes {ended}"
    for each in ended:
        if each.code == 2 and REFUSED not in each.err:
            yield each.err


CASES: dict[str, Callable[[Bench, Path], Case]] = {
    "align": _align,
    "align-overwrite": lambda bench, place: _align(bench, place, overwrite=True),
    "align-shards": _align_shards,
    "train-name": lambda bench, place: _train(bench, place, named=True),
    "train": lambda bench, place: _train(bench, place, named=False),
    "train-resume": _resume,
}
COUNTS = (
    *("starts", "refused", "tracebacks", "other endings", "lost or pending rows", "different caches"),
    *("mixed runs", "lost runs", "files left over", "failed pairs"),
)


def _tiny_trunk(*_: Any) -> Trunk:
    body = nn.Sequential(nn.Conv2d(3, 12, 3, 4, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 16, 3, 4))
    return Trunk(body, (0.5,) * 3, (0.5,) * 3, pretrained=False)


def main() -> None:
    """Run the pairs and print the counts per case."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=40, help="pairs per case")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--seed", type=int, default=0, help="seed of the offsets")
    parser.add_argument("--json", type=Path, help="also write the counts to this file")
    options = parser.parse_args()
    setattr(disentangler, "build_trunk", _tiny_trunk)  # noqa: B010
    align_dataset.CHUNK_BYTES = 16 * 3 * SIDE**2  # many short chunks
    found: dict[str, dict[str, int]] = {}
    folder = Path(tempfile.mkdtemp(prefix="concurrency-"))
    bench = Bench(folder, options.seed)
    print(f"alone: align {bench.align_seconds:.2f} s, train {bench.train_seconds:.2f} s", flush=True)
    for case in options.cases:
        bench.counts.clear()
        for _ in range(options.pairs):
            wrong = bench.pair(case)
            bench.counts["failed pairs"] += bool(wrong)
            for line in wrong:
                print(line, flush=True)
        found[case] = {name: bench.counts[name] for name in COUNTS}
        counted = ", ".join(f"{value} {name}" for name, value in found[case].items())
        print(f"{case}: {options.pairs} pairs, {counted}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    failed = any(counts["failed pairs"] for counts in found.values())
    if not failed:
        shutil.rmtree(folder)
    sys.exit(failed)


if __name__ == "__main__":
    main()
