"""A set of rendered faces on disk: planned, rendered by several processes, resumable."""

import csv
import io
import json
import multiprocessing
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from facedis.atomic_io import atomic_write, write_text
from facedis.errors import InputError, OutputError
from facedis.events import Event, EventHandler, ignore_events
from facedis.result import record
from facedis.synthetic.actions import ACTIONS
from facedis.synthetic.head import HeadModel, textures
from facedis.synthetic.paint import Canvas
from facedis.synthetic.render import Sitter, Studio, mitsuba
from facedis.synthetic.render_plan import SetPlan, Shot

MARKER = "rendered-faces.json"  # read by facedis.datasets.readers.generic.synthetic
#: Of the WebP files: high enough that the renderer's noise is not lost.
QUALITY = 88
#: Factors in labels.csv, beside expression and identity; all others are in factors.h5.
SCALARS = ("intensity", "yaw", "pitch", "roll", "light_azimuth", "light_elevation", "light_fill", "camera_distance")


def synthesise(
    plan: SetPlan, folder: Path, processes: int = 1, handler: EventHandler = ignore_events
) -> dict[str, Any]:
    """Render all pictures of `plan` that `folder` lacks.

    Args:
        plan: The set.
        folder: Where to; made where it is not there.
        processes: How many render side by side.
        handler: Told of the progress.

    Returns:
        The record of kind "synthesis": images, how many were made now, seconds, rate.

    Raises:
        MissingExtra: anny or mitsuba is not installed.
        InputError: The folder holds another set.
        OutputError: It cannot be written.
    """
    mitsuba()
    textures()  # both packages are looked for before anything is written
    _claim(folder, plan)
    _write_labels(plan, folder)
    missing = [shot for shot in plan.shots if not (folder / shot.name).exists()]
    handler(Event("start", "rendering faces", total=len(plan.shots), done=len(plan.shots) - len(missing)))
    begun, done = time.monotonic(), len(plan.shots) - len(missing)
    if missing:
        for made in _rendered(missing, folder, processes):
            done += made
            handler(Event("advance", "rendering faces", done=done))
    handler(Event("end", "rendering faces"))
    seconds = time.monotonic() - begun
    return record(
        "synthesis",
        output=str(folder),
        n=len(plan.shots),
        made=len(missing),
        people=len({shot.number for shot in plan.shots}),
        seconds=seconds,
        rate=len(missing) / seconds if missing else None,
        processes=processes,
        **asdict(plan),
    )


def plan_of(folder: Path) -> SetPlan:
    """The plan that the pictures in `folder` were rendered by.

    Raises:
        InputError: They were not rendered by facedis.
    """
    try:
        found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return SetPlan(**found["plan"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder} is not a set of rendered faces", "make one with `facedis synth`") from error


@dataclass(frozen=True)
class Stage:
    """What renders, and the vertices of everybody who is to be rendered.

    Attributes:
        studio: Head, canvas, renderer.
        people: (V, 3) by number.
    """

    studio: Studio
    people: dict[int, np.ndarray]

    def sitter(self, shot: Shot) -> Sitter:
        """The person of `shot`, painted."""
        person = shot.plan.person(shot.number)
        return Sitter.of(person, self.people[shot.number], self.studio.head, self.studio.canvas)

    def swapped(self, shot: Shot, actions: np.ndarray) -> np.ndarray:
        """`shot` with other (52,) facial actions."""
        return self.studio.picture(self.sitter(shot), actions, shot.setting, shot.plan.size)


def staged(shots: list[Shot]) -> Stage:
    """The stage for `shots`: half a minute, mostly for anny's model."""
    with redirect_stdout(sys.stderr):  # anny's kernels tell of being compiled
        model = HeadModel()
        people = {shot.number: shot for shot in shots}
        vertices = {number: model.neutral(shot.plan.person(number)) for number, shot in people.items()}
    return Stage(Studio(model.head, Canvas.of(model.head)), vertices)


def save(pixels: np.ndarray, path: Path) -> None:
    """Write a picture, whole or not at all."""
    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, quality=QUALITY, method=6)


def _rendered(shots: list[Shot], folder: Path, processes: int) -> Iterator[int]:
    """Render person by person; how many pictures each took."""
    with tempfile.TemporaryDirectory(prefix="facedis-") as place:
        stage = Path(place) / "stage.pickle"
        stage.write_bytes(pickle.dumps(staged(shots)))
        plan = replace(shots[0].plan)  # a copy that does not carry all its pictures to every process
        bare = [Shot(plan, shot.number, shot.expression, shot.repeat) for shot in shots]
        tasks = [(list(group), folder) for _, group in groupby(bare, key=lambda shot: shot.number)]
        if processes == 1:
            _set_up(stage)
            yield from map(_render_person, tasks)
            return
        # Not forked: torch has threads by now.
        with multiprocessing.get_context("spawn").Pool(processes, _set_up_worker, (stage,)) as pool:
            yield from pool.imap(_render_person, tasks)


#: In each process, the stage that it renders on.
_STAGE: list[Stage] = []


def _set_up(stage: Path) -> None:
    _STAGE[:] = [pickle.loads(stage.read_bytes())]


def _set_up_worker(stage: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    _set_up(stage)


def _render_person(task: tuple[list[Shot], Path]) -> int:
    shots, folder = task
    stage = _STAGE[0]
    sitter = stage.sitter(shots[0])
    for shot in shots:
        save(stage.studio.picture(sitter, shot.actions[0], shot.setting, shot.plan.size), folder / shot.name)
    return len(shots)


def _claim(folder: Path, plan: SetPlan) -> None:
    marker = folder / MARKER
    if marker.exists():
        if plan_of(folder) != plan:
            raise InputError(f"{folder} holds a set that was rendered with other options", "choose another -o")
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"{folder} is not empty and holds no rendered faces", "choose another -o")
    except OSError as error:
        raise OutputError(f"cannot make {folder}: {error.strerror}", "choose another -o") from error
    write_text(marker, json.dumps({"version": 1, "plan": asdict(plan)}, indent=1) + "\n")


def _write_labels(plan: SetPlan, folder: Path) -> None:
    table = io.StringIO()
    lines = csv.writer(table, lineterminator="\n")
    lines.writerow(("image", "expression", "identity", "split", *SCALARS))
    for shot in plan.shots:
        split = plan.split(shot.number)
        lines.writerow((shot.name, shot.expression, shot.identity, split, *(f"{v:.5f}" for v in _scalars(shot))))
    write_text(folder / "labels.csv", table.getvalue())
    with atomic_write(folder / "factors.h5") as temporary, h5py.File(temporary, "w") as file:
        _write_factors(plan, file)


def _scalars(shot: Shot) -> tuple[float, ...]:
    setting = shot.setting
    turned = (setting.yaw, setting.pitch, setting.roll)
    return (shot.actions[1], *turned, *setting.key, setting.fill, setting.distance)


def _write_factors(plan: SetPlan, file: h5py.File) -> None:
    """Every number that made every picture, with its name; docs/rendered.md says what they mean."""
    shots = plan.shots
    numbers = sorted({shot.number for shot in shots})
    people, settings = [plan.person(n).vector() for n in numbers], [shot.setting.vector() for shot in shots]
    file["image"] = [shot.name for shot in shots]
    file["expression"] = [shot.expression for shot in shots]
    file["intensity"] = np.array([shot.actions[1] for shot in shots], np.float32)
    file["actions"] = np.array([shot.actions[0] for shot in shots], np.float32)
    file["actions"].attrs["names"] = ACTIONS
    file["setting"] = np.stack([values for _, values in settings])
    file["setting"].attrs["names"] = settings[0][0]
    file["background"] = np.array([shot.setting.background for shot in shots], np.int64)
    file["person"] = np.searchsorted(numbers, [shot.number for shot in shots])
    file["people"] = np.stack([values for _, values in people])
    file["people"].attrs["names"] = people[0][0]
