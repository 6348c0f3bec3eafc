"""Train, evaluate and pack the bundled model.

    facedis align fer2013 --crop none -o fer.h5
    python benchmarks/train_bundled.py fer.h5 -o bundled-runs --pack facedis/pretrained/bundled

The same command resumes an interrupted run and skips finished stages. bundled.toml beside this file has all
settings. Each step is a command of facedis and is printed before it runs. A trial run of a minute:

    facedis align && python benchmarks/train_bundled.py faces.h5 -o try --epochs 1 --image-size 32 --quick
"""

import argparse
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facedis.config import read_toml
from facedis.model.storage.checkpoint import CHECKPOINT, MODEL, RUN

RECIPE = Path(__file__).with_name("bundled.toml")


def train(faces: Path, run: Path, stage: Mapping[str, Any], given: Mapping[str, Any], giver: Path | None) -> None:
    """Train or resume one stage in the folder `run`, unless it is finished.

    Args:
        faces: The faces cache.
        run: The run folder.
        stage: Table of the stage in the recipe.
        given: Settings that override the recipe; None means not given.
        giver: Run that provides the trunk and the distillation targets.
    """
    if (run / MODEL).exists() and not (run / CHECKPOINT).exists():
        print(f"{run} is finished", flush=True)
        return
    if (run / RUN).exists():  # from its last checkpoint, if there is one
        facedis("train", "--resume", run)
        return
    tables = {name: table for name, table in stage.items() if name != "preset"}
    settings = {("decoder." if table == "decoder" else "") + k: v for table in tables for k, v in tables[table].items()}
    settings |= {name: value for name, value in given.items() if value is not None}
    if giver is not None:
        settings |= {"weights": giver, "teachers": giver}
    place = ("--runs", run.parent, "--name", run.name)
    facedis("train", "--faces", faces, "--preset", stage["preset"], *place, *words(settings))


def measure(caches: list[Path], run: Path, table: Mapping[str, Any], more: list[str]) -> list[Path]:
    """Evaluate `run` on all splits and caches without a result; returns the paths of all results."""
    found = []
    for cache in caches:
        for split in table["splits"]:
            place = run / f"eval-{split}-{cache.stem}"
            found.append(place / "result.json")
            if not found[-1].exists():
                asked = ("--faces", cache, "--split", split, "--probes", table["probes"], "-o", place)
                facedis("eval", "--model", run, *asked, *more)
    return found


def words(settings: Mapping[str, Any]) -> list[str]:
    """Settings as options; True becomes a flag, False is left out."""
    found: list[str] = []
    for name, value in settings.items():
        if value is False:
            continue
        said = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        found += [f"--{name.replace('_', '-')}", *([] if value is True else [said])]
    return found


def facedis(*said: object) -> None:
    """Print and run a command of facedis; exit on failure."""
    asked = [str(word) for word in said]
    print("$ facedis", shlex.join(asked), flush=True)
    process = subprocess.Popen([sys.executable, "-m", "facedis", *asked])
    try:
        code = process.wait()
    except KeyboardInterrupt:  # the process gets Ctrl-C too, and saves a checkpoint
        code = process.wait()
    except SystemExit:  # of `_end`
        process.terminate()
        process.wait()
        raise
    if code:
        raise SystemExit(code)


def _end(*_: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def accuracy(result: Path) -> str:
    """One line with the accuracy of a result."""
    found = json.loads(result.read_text(encoding="utf-8"))
    figure = found["task"]["accuracy"]
    return f"{found['dataset']} {found['split']}: accuracy {figure['value']:.4f}, n {figure['n']:,}"


def main() -> None:
    """Run all unfinished stages."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faces", type=Path, help="the faces cache to train on and to measure on")
    parser.add_argument("--also", type=Path, action="append", default=[], help="another cache to measure on")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--epochs", type=int, help="of both stages")
    parser.add_argument("--image-size", type=int, help="side of the input in pixels, of both stages")
    parser.add_argument("--batch-size", type=int, help="of both stages")
    parser.add_argument("--seed", type=int, help="of both stages")
    parser.add_argument("--device", help="auto, cpu, cuda or mps")
    parser.add_argument("--expression", type=Path, help="a finished run to take for stage 1")
    parser.add_argument("--quick", action="store_true", help="evaluate with few probes and bootstrap samples")
    parser.add_argument("-o", "--output", type=Path, default=Path("bundled-runs"), help="folder of the runs")
    parser.add_argument("--pack", type=Path, help="folder of the packed model. Default: bundled in the output")
    parser.add_argument("--name", default="bundled", help="name of the packed model")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    recipe = read_toml(options.recipe)
    given = {name: getattr(options, name) for name in ("epochs", "image_size", "batch_size", "seed", "device")}
    first, second = options.expression or options.output / "expression", options.output / "codes"
    if options.expression is None:
        train(options.faces, first, recipe["expression"], given, None)
    train(options.faces, second, recipe["codes"], given, first)
    measured = recipe["measured"] | ({"probes": "linear"} if options.quick else {})
    more = words({"device": options.device} if options.device else {}) + (
        ["--bootstrap-samples", "100"] * options.quick
    )
    results = measure([options.faces, *options.also], second, measured, more)
    place = options.pack or options.output / options.name
    # Packed each time, because the card contains the results.
    facedis("models", "pack", second, "-o", place, "--name", options.name, "--overwrite")
    facedis("models", "verify", place)
    print("\n".join(map(accuracy, results)))


if __name__ == "__main__":
    main()
