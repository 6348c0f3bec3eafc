"""Render the bundled set of faces, facedis/synthetic/bundled.zip.

    python benchmarks/bundled_faces.py WORK_FOLDER

Needs the extra `synth`. The same command resumes an interrupted run.
"""

import argparse
import os
import zipfile
from pathlib import Path

from facedis.reports.progress import Progress
from facedis.synthetic.bundled import ARCHIVE, FACES, GRID
from facedis.synthetic.render_plan import RenderPlan
from facedis.synthetic.synthesis import render_dataset

PLANS = {
    FACES: RenderPlan(identities=192, per_expression=2, size=128, seed=2020),
    GRID: RenderPlan(identities=192, per_expression=2, size=128, seed=2020, grid=True),
}


def pack(work: Path, archive: Path) -> int:
    """Write both sets to a reproducible `archive` and return its size."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:  # images are compressed already
        for path in sorted(path for part in PLANS for path in (work / part).glob("[!.]*")):
            entry = zipfile.ZipInfo(f"{path.parent.name}/{path.name}", (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            file.writestr(entry, path.read_bytes())
    return archive.stat().st_size


def main() -> None:
    """Render missing images and pack the archive."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    for part, plan in PLANS.items():
        made = render_dataset(plan, options.work / part, options.processes, Progress())
        rate = "all there" if made["rate"] is None else f"{made['rate']:.2f} images a second"
        print(f"{part}: {made['n']:,} images of {made['people']} identities, {rate}")
    print(f"{ARCHIVE.name}: {pack(options.work, ARCHIVE) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
