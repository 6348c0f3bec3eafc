"""The drawn faces as a folder: made once, then used by every run."""

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from facedis.drawn.factors import Identity, Scene, sample_actions
from facedis.drawn.painter import draw
from facedis.errors import OutputError
from facedis.events import Event, Listener, silent
from facedis.home import home
from facedis.taxonomy import EIGHT

#: Raised when the pictures change: an older folder is then left alone and a new one made.
VERSION = 1
SEED = 2020
SIZE = 192
REPEATS = 2
PEOPLE = {"train": 32, "val": 8, "test": 8}
MARKER = "drawn-faces.json"  # read by facedis.datasets.drawn


def folder(listener: Listener = silent) -> Path:
    """The folder of the 768 drawn faces, made below `home()` where it is not there yet.

    Whole or not there at all: it is made under another name and then renamed, so that a process
    may be killed and two may run at once.

    Raises:
        OutputError: It cannot be written.
    """
    done = home() / f"drawn-faces-{VERSION}"
    if done.is_dir():
        return done
    try:
        done.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".drawn-", dir=done.parent, ignore_cleanup_errors=True) as place:
            draft = Path(place) / done.name
            make(draft, listener=listener)
            if not done.is_dir():  # else another process was faster
                _rename(draft, done)
    except OSError as error:
        raise OutputError(
            f"cannot write the drawn faces to {done}: {error.strerror or error}",
            "set FACEDIS_HOME to a folder that you may write to",
        ) from error
    return done


def make(place: Path, people: dict[str, int] = PEOPLE, listener: Listener = silent) -> None:
    """Draw everybody in `people`, a number of persons for each split, into the new folder `place`."""
    place.mkdir()
    rows = list(_rows(people))
    listener(Event("start", "drawing faces", total=len(rows)))
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # numpy lets go of the lock
        for done, _ in enumerate(pool.map(lambda row: _save(place, row), rows), 1):
            listener(Event("advance", done=done))
    listener(Event("end"))
    with (place / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("image", "expression", "identity", "split"))
        table.writerows((_name(*row[:3]), row[1], f"person{row[0]:02}", row[3]) for row in rows)
    (place / MARKER).write_text(json.dumps({"version": VERSION, "seed": SEED, "size": SIZE}) + "\n", encoding="utf-8")


def picture(seed: int, person: int, expression: str, repeat: int, size: int) -> np.ndarray:
    """(size, size, 3) uint8 the one picture that these four and nothing else decide."""
    who = Identity.sample(np.random.default_rng([seed, person]))
    # From 1: a seed of [a, b] is the same as [a, b, 0, 0].
    rng = np.random.default_rng([seed, person, 1 + EIGHT.index(expression), repeat])
    return draw(who, sample_actions(expression, rng), Scene.sample(rng), size)


def _rows(people: dict[str, int]) -> Iterator[tuple[int, str, int, str]]:
    """Person, expression, repeat and split of every picture."""
    splits = [split for split, number in people.items() for _ in range(number)]
    for person, split in enumerate(splits, 1):
        for expression in EIGHT:
            for repeat in range(1, REPEATS + 1):
                yield person, expression, repeat, split


def _name(person: int, expression: str, repeat: int) -> str:
    return f"person{person:02}_{expression}_{repeat}.jpg"


def _save(place: Path, row: tuple[int, str, int, str]) -> None:
    Image.fromarray(picture(SEED, *row[:3], SIZE)).save(place / _name(*row[:3]), quality=92)


def _rename(draft: Path, done: Path) -> None:
    try:
        draft.rename(done)
    except OSError:
        if not done.is_dir():
            raise
        shutil.rmtree(draft, ignore_errors=True)
