"""Near-duplicates of training faces in the test split, their labels, and the accuracy without them.

facedis align fer2013 --crop none -o fer.h5
python benchmarks/near_duplicates.py fer.h5 --model bundled -o docs/results/copies.json
"""

import argparse
from pathlib import Path

from facedis import __version__
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.near_duplicates import DUPLICATE_CORRELATION, nearest, thumbnails
from facedis.metrics.statistics.intervals import wilson_ci
from facedis.model.storage.registry import load_model
from facedis.result import write_result
from facedis.tasks.encoding.encode import encode

#: Lower bounds of the correlation with the nearest train face.
STEPS = (0.99, 0.97, 0.95, 0.93, 0.9, 0.85, 0.8, -1.0)


def main() -> None:
    """Count near-duplicates, evaluate the model and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--split", default="test")
    parser.add_argument("-o", "--output", type=Path, default=Path("copies.json"))
    options = parser.parse_args()
    with FacesCache.open(options.faces) as cache:
        train, rows = cache.rows("train"), cache.rows(options.split)
        best, place = nearest(thumbnails(cache.faces(rows)), thumbnails(cache.faces(train)))
        same = cache.labels[train][place] == cache.labels[rows]
        table = encode(load_model(options.model), cache, rows)
        dataset = cache.info.dataset
    right, chance = table.probabilities.argmax(1) == table.labels, 1 / len(table.classes)
    steps = []
    for low, high in zip(STEPS, (2.0, *STEPS), strict=False):
        chosen = (best >= low) & (best < high)
        n = int(chosen.sum())
        figures = {
            "same_label": wilson_ci(int(same[chosen].sum()), n),
            "right": wilson_ci(int(right[chosen].sum()), n, chance),
        }
        steps.append({"correlation": [low, min(high, 1.0)], "n": n, **(figures if n else {})})
    kinds = {"all": best > -2, "again": best >= DUPLICATE_CORRELATION, "new": best < 0.85}
    accuracy = {name: wilson_ci(int(right[kind].sum()), int(kind.sum()), chance) for name, kind in kinds.items()}
    found = {"facedis": __version__, "model": options.model, "dataset": dataset, "split": options.split}
    write_result(found | {"steps": steps, "accuracy": accuracy}, options.output)
    for name, figure in accuracy.items():
        low, value, high = (f"{100 * bound:.1f}" for bound in (figure.low, figure.value, figure.high))
        print(f"{name}: accuracy {value} % [{low}, {high}], n {figure.n:,}")


if __name__ == "__main__":
    main()
