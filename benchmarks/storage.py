"""Size and read rate of a faces cache by storage format.

    python benchmarks/storage.py faces.h5 [--faces 4000] [--batch 64]

Converts the cache to each format in a temporary folder and reads random batches, as in training. Rates are
per second of CPU time.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.transcode import transcode

FORMATS = {"raw": ("raw", 95), "png": ("png", 95), "jpeg, quality 95": ("jpeg", 95), "jpeg, quality 90": ("jpeg", 90)}


def read_rate(path: Path, faces: int, batch: int) -> float:
    """Faces per second of CPU time in random batches, with the file in the page cache."""
    with FacesCache.open(path) as cache:
        rows = np.resize(np.random.default_rng(0).permutation(cache.rows(labelled=False)), faces)
        began = time.process_time()
        for start in range(0, faces, batch):
            cache.faces(rows[start : start + batch])
        return faces / max(time.process_time() - began, 1e-9)


def main() -> None:
    """Print one line per format."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("cache", type=Path)
    options.add_argument("--faces", type=int, default=4000)
    options.add_argument("--batch", type=int, default=64)
    chosen = options.parse_args()
    print(f"{'storage':<18}{'MB':>10}{'bytes a face':>14}{'faces/s':>12}{'packing, faces/s':>18}")
    with tempfile.TemporaryDirectory() as folder:
        for name, (storage, quality) in FORMATS.items():
            output, began = Path(folder) / "packed.h5", time.process_time()
            rows = transcode(chosen.cache, output, storage, quality)["rows"]
            packing, size = rows / (time.process_time() - began), output.stat().st_size
            rate = read_rate(output, chosen.faces, chosen.batch)
            print(f"{name:<18}{size / 1e6:>10,.1f}{size / rows:>14,.0f}{rate:>12,.0f}{packing:>18,.0f}", flush=True)


if __name__ == "__main__":
    main()
