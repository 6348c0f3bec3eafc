"""FER2013 as a table and as folders: equality of the rows, and run time.

    python benchmarks/align_fer2013.py FOLDER [-o docs/results/align_fer2013.md]

FOLDER is an unpacked copy. It is converted to a table, and the table to folders named after its rows;
each copy is aligned by the complete command.
"""

import argparse
import csv
import hashlib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine, sentence
from PIL import Image

from facedis.atomic_io import write_text
from facedis.config import AlignConfig
from facedis.datasets.readers.expression.fer2013 import USAGES, Fer2013Folders
from facedis.datasets.readers.expression.fer2013_csv import IDS, Fer2013Csv
from facedis.datasets.scan import scan_dataset
from facedis.faces.alignment.check import check_dataset
from facedis.faces.alignment.verify import verify_cache
from facedis.faces.cache.cache import FacesCache
from facedis.result import record, write_result

MOST_SECONDS = 60
COPIES = {
    "table": "one table, fer2013.csv, converted from the folders",
    "unpacked": "folders converted from the table",
    "folders": "the original folders",
}


def main() -> None:
    """Create and align the copies and write the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="Markdown file; a JSON file is written next to it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        result = measure(options.folder, Path(place))
    text = page(result)
    print(text)
    if options.output:
        write_result(result, options.output.with_suffix(".json"))
        write_text(options.output, text)


def measure(folder: Path, place: Path) -> dict[str, Any]:
    """Return the record of all measurements."""
    about = machine()
    write_table(folder, place / "table")
    unpack(place / "table", place / "unpacked")
    sources = {"table": place / "table", "unpacked": place / "unpacked", "folders": folder}
    caches = {name: place / f"{name}.h5" for name in sources}
    seconds = {name: align(sources[name], caches[name]) for name in sources}
    looked = check_dataset(folder, AlignConfig())
    same = identical(caches["table"], caches["unpacked"])
    with FacesCache.open(caches["table"]) as cache:
        rows, splits = len(cache), {split: int((cache.splits == split).sum()) for split in USAGES.values()}
    return record(
        "benchmark",
        name="align_fer2013",
        n=rows,
        splits=splits,
        seconds=seconds,
        identical=same,
        same_faces=faces_of(caches["table"]) == faces_of(caches["folders"]),
        counts_agree=all(count["agrees"] for count in looked["counts"]),
        duplicates={name: found for name, found in looked["duplicates"].items() if name != "pairs"},
        whole=all(verify_cache(cache)["whole"] for cache in caches.values()),
        reached={"identical": same, "seconds": max(seconds.values()) < MOST_SECONDS},
        machine=about,
    )


def write_table(folder: Path, root: Path) -> None:
    """`fer2013.csv` with the pixels of the images in `folder`."""
    root.mkdir()
    usage_of = {split: usage for usage, split in USAGES.items()}
    with open(root / "fer2013.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("emotion", "pixels", "Usage"))
        for each in scan_dataset(Fer2013Folders(folder)).records:
            with Image.open(folder / each.image) as image:
                pixels = np.asarray(image.convert("L"))
            table.writerow((IDS.index(each.expression), " ".join(map(str, pixels.ravel())), usage_of[each.split]))


def unpack(table: Path, root: Path) -> None:
    """Write one file per row of the table, named after the row."""
    reader = Fer2013Csv(table)
    for each in scan_dataset(reader).records:
        path = root / each.image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(reader.image_bytes(each))


def align(source: Path, output: Path) -> float:
    """Run time of the complete command in seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "facedis", "align", str(source), "-o", str(output), "-q"], check=True)
    return time.perf_counter() - began


def identical(one: Path, two: Path) -> bool:
    """Whether both caches have the same rows in the same order."""
    with FacesCache.open(one) as a, FacesCache.open(two) as b:
        rows = np.arange(len(a))
        return (
            a.info.classes == b.info.classes
            and all(
                np.array_equal(a.column(name), b.column(name))
                for name in ("label", "split", "source", "status", "grey")
            )
            and np.array_equal(a.faces(rows), b.faces(rows))
        )


def faces_of(path: Path) -> Counter[tuple[str, int, bytes]]:
    """Number of occurrences of each face by split, label and pixels."""
    with FacesCache.open(path) as cache:
        faces = cache.faces(np.arange(len(cache)))
        digests = (hashlib.blake2b(face, digest_size=16).digest() for face in faces)
        return Counter(zip(cache.splits.tolist(), cache.labels.tolist(), digests, strict=True))


def page(result: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    yes, twins, slowest = {True: "yes", False: "no"}, result["duplicates"], max(result["seconds"].values())
    splits = ", ".join(f"{count:,} {split}" for split, count in result["splits"].items())
    lines = [
        "# FER2013 as table and folders",
        "",
        f"{result['n']:,} faces of 48 px ({splits}), wall time of `facedis align COPY`.",
        "",
        "| Copy | Seconds | Faces/s |",
        "| :-- | --: | --: |",
        *(f"| {COPIES[name]} | {each:.1f} | {result['n'] / each:,.0f} |" for name, each in result["seconds"].items()),
        "",
        "- The table and the folders generated from it give the same rows in the same order: "
        f"{yes[result['identical']]}.",
        f"- The table and the original folders give the same faces with the same labels in the same splits, in "
        f"another order: {yes[result['same_faces']]}.",
        f"- `facedis faces verify` passes for all three: {yes[result['whole']]}.",
        f"- `facedis align --check` on the folders: all published counts agree: {yes[result['counts_agree']]}; "
        f"{twins['images']:,} images have a duplicate, {twins['across_splits']:,} of them in another split, "
        f"{twins['contradicting']:,} with another expression.",
        f"- Target: each copy in less than {MOST_SECONDS} s. {'Reached' if slowest < MOST_SECONDS else 'Missed'}: "
        f"{slowest:.1f} s for the slowest copy.",
        "",
        f"Generated by `benchmarks/align_fer2013.py`. {sentence(result['machine'])}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
