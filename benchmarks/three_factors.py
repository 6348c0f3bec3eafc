"""All factors in all codes of a model with three factors: expression, identity and yaw.

    facedis align -o faces.h5
    for seed in 0 1 2; do
        facedis train --faces faces.h5 --preset clean --decoder none --factors identity,yaw --precision bf16 \
            --seed $seed --name three-seed$seed
        facedis eval --model runs/three-seed$seed --faces faces.h5 --split test
    done
    python benchmarks/three_factors.py runs/three-seed* -o docs/results/three_factors
"""

import argparse
import json
from pathlib import Path

import numpy as np

#: Codes, and factors with their titles.
CODES = ("expression", "rest", "yaw")
FACTORS = {"expression": "expression", "identity": "identity", "yaw": "yaw (R²)"}


def informativeness(found: dict, factor: str, code: str) -> dict:
    """Accuracy of the best fresh probe, or R2 for a number, of `factor` in `code`, from a record of `facedis eval`."""
    if factor == "yaw":
        return {"value": found["factors"]["yaw"]["score"][code], "chance": 0.0, "n": found["n"]}
    return found["leakage"][f"{factor}_in_{code}"]["strongest"]


def seed_of(run: Path) -> int:
    """Training seed of a run."""
    return json.loads((run / "run.json").read_text(encoding="utf-8"))["train"]["seed"]


def cell(seeds: list[dict], factor: str) -> str:
    """Mean and standard deviation over seeds."""
    values = np.array([one["value"] for one in seeds])
    if factor == "yaw":
        return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"
    return f"{100 * values.mean():.1f} ± {100 * values.std(ddof=1):.1f} %"


def main() -> None:
    """Write the table of all runs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+", help="runs evaluated with facedis eval --split test")
    parser.add_argument("-o", "--output", type=Path, required=True, help="path without suffix")
    options = parser.parse_args()
    results = [json.loads((run / "eval-test" / "result.json").read_text(encoding="utf-8")) for run in options.runs]
    table = {
        code: {factor: [informativeness(found, factor, code) for found in results] for factor in FACTORS}
        for code in CODES
    }
    first = results[0]
    heads = [
        f"{title}, chance {100 * table['rest'][factor][0]['chance']:.1f} %" if factor != "yaw" else title
        for factor, title in FACTORS.items()
    ]
    people = table["rest"]["identity"][0]["n"]
    lines = [
        f"{first['dataset']}, split {first['split']}, n {first['n']} ({people} for the identity), best fresh probe, "
        f"R² for the yaw, mean ± standard deviation over {len(results)} seeds",
        "",
        "| | " + " | ".join(heads) + " |",
        "| :-- |" + " --: |" * len(heads),
        *(
            f"| {code} code | " + " | ".join(cell(seeds, factor) for factor, seeds in row.items()) + " |"
            for code, row in table.items()
        ),
    ]
    text = "\n".join(lines) + "\n"
    about = {key: first[key] for key in ("facedis", "dataset", "split", "n", "classes")}
    about |= {"seeds": [seed_of(run) for run in options.runs], "table": table}
    options.output.with_suffix(".md").write_text(text, encoding="utf-8")
    options.output.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
