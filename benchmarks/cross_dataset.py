"""Evaluate the finished runs of an ablation on another dataset; writes a table and a record.

facedis ablate --faces fer.h5 --grid benchmarks/fer2013.toml --seeds 0,1,2 --split test -o fer
python benchmarks/cross_dataset.py fer wild.h5 --split all -o docs/results/fer2013_on_wild
"""

import argparse
import json
from pathlib import Path
from typing import Any

from facedis.atomic_io import write_text
from facedis.config import EvalConfig
from facedis.faces.cache.cache import FacesCache
from facedis.model.storage.checkpoint import load_run
from facedis.reports.progress import Progress
from facedis.reports.tables.table_formats import to_markdown
from facedis.reports.terminal.ablate import text_table
from facedis.result import record, write_result
from facedis.tasks.evaluation.evaluation import evaluate
from facedis.tasks.experiments.ablation import EVALUATION_KEYS


def evaluate_runs(folder: Path, faces: Path, config: EvalConfig) -> dict[str, Any]:
    """Return the record of the ablation in `folder`, measured on `faces` instead."""
    asked = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    several, rows = len(asked["seeds"]) > 1, []
    for row in asked["rows"]:
        run = load_run(folder / (f"{row['name']}-seed{row['seed']}" if several else row["name"]))
        with FacesCache.open(faces) as cache:
            found = evaluate(run, cache, config, Progress()).to_dict()
        rows.append({**row, **{key: found[key] for key in EVALUATION_KEYS}, "against_first": None})
    about = {key: found[key] for key in ("dataset", "split", "n", "classes")}
    return record("ablation", faces=faces.name, trained_on=asked["dataset"], seeds=asked["seeds"], rows=rows, **about)


def main() -> None:
    """Evaluate the runs and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ablation", type=Path, help="output folder of `facedis ablate`")
    parser.add_argument("faces", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("-o", "--output", type=Path, required=True, help="path without suffix")
    options = parser.parse_args()
    result = evaluate_runs(options.ablation, options.faces, EvalConfig(split=options.split))
    text = to_markdown(text_table(result))
    write_result(result, options.output.with_suffix(".json"))
    write_text(options.output.with_suffix(".md"), text)
    print(text)


if __name__ == "__main__":
    main()
