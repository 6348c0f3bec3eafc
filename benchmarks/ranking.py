"""Nearest-neighbour search among 100,000 codes in a file: run time and memory.

python benchmarks/ranking.py -o docs/results/ranking.json
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from facedis.metrics.verification.ranking import Search, TopK, faiss_search, numpy_search
from facedis.tasks.encoding.codes_file import BLOCK_ROWS, codes_writer, open_codes

SIZES = {"expression": 256, "trunk": 1792}


def write(path: Path, n: int) -> None:
    """Write `n` random codes."""
    generator = np.random.default_rng(0)
    with codes_writer(path, {"fingerprint": ""}) as writer:
        for first in range(0, n, BLOCK_ROWS):
            count = min(BLOCK_ROWS, n - first)
            names = np.array([f"{first + place:07}.jpg" for place in range(count)])
            ids = {name: names for name in ("image", "expression", "identity", "split")}
            codes = {name: generator.normal(size=(count, size)).astype(np.float32) for name, size in SIZES.items()}
            writer.add(ids | {"row": np.arange(first, first + count)}, codes)


def own_megabytes() -> float:
    """Anonymous resident memory of this process in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1e3


def search(path: Path, code: str, how: Search, top: int) -> tuple[float, float, float]:
    """Return seconds to open the file, seconds of the search including all codes, and peak memory in MB."""
    began = time.perf_counter()
    file = open_codes(path)
    opened = time.perf_counter()
    best, memory = TopK(np.ones(SIZES[code]), top, how), 0.0
    for block in file.blocks(code):
        best.add(block)
        memory = max(memory, own_megabytes())
    file.ids(best.indices)
    for name in file.codes:
        file.take(name, best.indices)
    return opened - began, time.perf_counter() - opened, memory


def main() -> None:
    """Print run time and peak memory for each file format, code and search."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-n", type=int, default=100_000)
    parser.add_argument("--top", type=int, default=20)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    searches = {"products": numpy_search, "faiss": faiss_search}
    try:
        import faiss  # noqa: F401
    except ImportError:
        del searches["faiss"]
    rows, before = [], own_megabytes()
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".npz", ".parquet"):
            path = Path(folder) / f"codes{suffix}"
            write(path, arguments.n)
            for code in SIZES:
                for name, how in searches.items():
                    found = [search(path, code, how, arguments.top) for _ in range(arguments.passes)]
                    opening, seconds = (statistics.median(each[part] for each in found) for part in (0, 1))
                    row = {"file": suffix, "code": code, "search": name, "opening": opening, "seconds": seconds}
                    rows.append(row | {"megabytes": max(each[2] for each in found)})
                    print(json.dumps(rows[-1]))
    result = {
        "codes": arguments.n,
        "sizes": SIZES,
        "top": arguments.top,
        "rows": rows,
        "megabytes_of_codes": {name: arguments.n * size * 4 / 1e6 for name, size in SIZES.items()},
        "megabytes_before": before,
        "machine": f"{platform.system()} {platform.machine()}",
    }
    print(json.dumps({key: value for key, value in result.items() if key != "rows"}, indent=2))
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
