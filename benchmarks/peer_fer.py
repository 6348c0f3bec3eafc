"""The bundled model and the package `fer` on the same face crops, which neither was trained on.

`fer` pins incompatible versions of torch, so it runs in an environment of its own:

    python -m venv peer && peer/bin/pip install fer==25.10.3
    facedis align wild-expressions -o wild.h5
    python benchmarks/peer_fer.py wild.h5 peer/bin/python -o docs/results/peer_fer.json

Only the five frequent expressions are evaluated; both models may predict any of their seven.
"""

import argparse
import json
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from machine import machine

from facedis.faces.cache.cache import FacesCache
from facedis.metrics.classification.accuracy import balanced_accuracy_ci
from facedis.metrics.statistics.comparison import mcnemar
from facedis.metrics.statistics.intervals import Bootstrap, wilson_ci
from facedis.model.storage.registry import load_model
from facedis.tasks.encoding.encode import encode

ASKED = ("happiness", "neutral", "surprise", "anger", "sadness")
#: Expressions by their name in `fer`.
NAMES = {"angry": "anger", "happy": "happiness", "sad": "sadness"}
ANSWER = """
import json, sys
import numpy as np
from fer.fer import FER
faces, peer = np.load(sys.argv[1]), FER()
height, width = faces.shape[1:3]
found = [peer.detect_emotions(face[:, :, ::-1].copy(), [[0, 0, width, height]])[0]["emotions"] for face in faces]
print(json.dumps(found))
"""


def peer_answers(python: Path, faces: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the K class names of `fer` and its (n, K) probabilities for (n, S, S, 3) cropped faces."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "faces.npy"
        np.save(place, faces)
        ran = subprocess.run([python, "-c", ANSWER, place], capture_output=True, text=True, check=True)
    said = json.loads(ran.stdout.splitlines()[-1])
    return tuple(NAMES.get(name, name) for name in said[0]), np.array([list(one.values()) for one in said])


def main() -> None:
    """Evaluate both on the same faces and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faces", type=Path, help="a faces cache of photographs with a test split")
    parser.add_argument("peer", type=Path, help="python of the environment that has `fer`")
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    plan = Bootstrap(seed=options.seed)
    with FacesCache.open(options.faces) as cache:
        rows = cache.rows("test")
        rows = rows[np.isin(np.array(cache.info.classes)[cache.labels[rows]], ASKED)]
        table = encode(load_model(options.model), cache, rows)
        theirs, probabilities = peer_answers(options.peer, cache.faces(rows))
    names = list(table.classes)
    known = np.array([names.index(name) for name in theirs])
    answers = {options.model: table.probabilities.argmax(1), "fer": known[probabilities.argmax(1)]}
    found = {
        name: {
            "accuracy": asdict(wilson_ci(int((said == table.labels).sum()), len(said), 1 / len(names))),
            "balanced": asdict(balanced_accuracy_ci(said, table, plan)),
        }
        for name, said in answers.items()
    }
    right = [said == table.labels for said in answers.values()]
    found["difference"] = asdict(mcnemar(*right, table.identities, plan))
    found |= {"expressions": ASKED, "n": len(rows), "seed": options.seed, "machine": machine()}
    print(json.dumps(found, indent=1))
    if options.output:
        options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
