"""Finished runs side by side on one split of a faces cache, as a Markdown page with its record.

facedis train --faces fer.h5 --config examples/fer2013.toml --baseline --name fer-baseline
facedis train --faces fer.h5 --config examples/fer2013.toml --decoder detached --name fer-beta1-0
python benchmarks/compare.py fer.h5 runs/fer-baseline runs/fer-beta1-0 -o docs/results/fer2013.md
"""

import argparse
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from facedis import __version__
from facedis.config import EvalConfig
from facedis.faces.cache import FacesCache
from facedis.files import write_text
from facedis.measures.comparison import mcnemar
from facedis.measures.intervals import Bootstrap
from facedis.model.checkpoint import load_run
from facedis.reports.ablation import grid
from facedis.reports.claims import claims
from facedis.reports.grid import markdown
from facedis.reports.progress import Progress
from facedis.result import record, write_result
from facedis.studies.evaluation import measure
from facedis.training.folder import read_history

#: Of an evaluation's record: true of this machine only.
_ABOUT_THE_CALL = ("command", "model", "faces", "created")


def compare(faces: Path, folders: list[Path], config: EvalConfig) -> dict[str, Any]:
    """A record like an ablation's, with the history's times."""
    rows, first = [], None
    for folder in folders:
        run = load_run(folder)
        with FacesCache.open(faces) as cache:
            measured, table = measure(run, cache, config, Progress())
        right = table.probabilities.argmax(axis=1) == table.labels
        first = right if first is None else first
        plan = Bootstrap(draws=config.bootstrap, seed=config.seed)
        against = None if right is first else asdict(mcnemar(right, first, table.identities, plan))
        last = read_history(folder)[-1]
        rows.append(
            {"name": folder.name, "seed": run.train_config.seed, "paper": {"c_exp": None, "c_adv": None}}
            | {key: value for key, value in measured.items() if key not in _ABOUT_THE_CALL}
            | {"against_first": against, "epochs": last["epoch"] + 1, "hours": last["seconds"] / 3600}
        )
    about = {key: measured[key] for key in ("dataset", "split", "n", "classes")}
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    return record("comparison", faces=str(faces), rows=rows, seed=config.seed, machine=machine, **about)


def page(result: dict[str, Any], title: str) -> str:
    """The table, a sentence on every claim of every run, and how it was trained."""
    found = grid(result)
    keep = [number for number, name in enumerate(found.header) if not name.startswith("paper ")]
    shown = type(found)(
        found.title,
        tuple(found.header[n] for n in keep),
        tuple(tuple(row[n] for n in keep) for row in found.rows),
    )
    lines = [f"# {title}", "", markdown(shown)]
    for row in result["rows"]:
        lines += [f"## {row['name']}", "", f"{row['epochs']} epochs, {row['hours']:.1f} h, seed {row['seed']}.", ""]
        lines += [f"- {claim}" for claim in claims(row)] + [""]
    lines.append(f"Written by `benchmarks/compare.py` with facedis {__version__} ({result['machine']}).")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--split", default="test")
    parser.add_argument("--title", default="Runs side by side")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a .md file; a .json is written beside it")
    options = parser.parse_args()
    result = compare(options.faces, options.runs, EvalConfig(split=options.split))
    text = page(result, options.title)
    write_result(result, options.output.with_suffix(".json"))
    write_text(options.output, text)
    print(text)


if __name__ == "__main__":
    main()
