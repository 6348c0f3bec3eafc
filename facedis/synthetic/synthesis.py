"""Render a set of faces to disk, in several processes and resumably."""

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
from facedis.errors import InputError
from facedis.events import EventHandler, ignore_events, track
from facedis.locks import FOLDER_LOCK, folder_lock
from facedis.result import record
from facedis.synthetic.actions import ACTIONS
from facedis.synthetic.head import HeadModel, texture_dir
from facedis.synthetic.paint import TexelPositions
from facedis.synthetic.render import Renderer, RenderSubject, load_mitsuba
from facedis.synthetic.render_plan import ImageSpec, RenderPlan

MARKER = "rendered-faces.json"  # also used by facedis.datasets.readers.generic.synthetic
#: Quality of the WebP files, high enough to keep the sensor noise.
QUALITY = 88
#: Numeric factors in labels.csv; factors.h5 has all of them.
SCALARS = ("intensity", "yaw", "pitch", "roll", "light_azimuth", "light_elevation", "light_fill", "camera_distance")


def render_dataset(
    plan: RenderPlan, folder: Path, processes: int = 1, handler: EventHandler = ignore_events
) -> dict[str, Any]:
    """Render all images of `plan` that are missing in `folder`.

    Args:
        plan: Plan of the set.
        folder: Output folder, created if it does not exist.
        processes: Number of parallel render processes.
        handler: Receives the progress events.

    Returns:
        The record of kind "synthesis": number of images and of those rendered by this call, seconds, rate.

    Raises:
        MissingExtra: anny or mitsuba is not installed.
        InputError: The folder contains another set.
        OutputError: The folder cannot be written, or is being written by another process.
    """
    load_mitsuba()
    texture_dir()  # check both packages before anything is written
    with folder_lock(folder):
        _prepare_folder(folder, plan)
        _write_labels(plan, folder)
        missing = [spec for spec in plan.specs if not (folder / spec.name).exists()]
        with track(handler, "rendering faces", len(plan.specs), len(plan.specs) - len(missing)) as progress:
            begun = time.monotonic()
            if missing:
                for made in _render(missing, folder, processes):
                    progress.advance(made)
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
    """Read the plan of the set in `folder`.

    Raises:
        InputError: The folder is not a set of rendered faces.
    """
    try:
        found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return RenderPlan(**found["plan"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder} is not a set of rendered faces", "make one with `facedis synth`") from error


@dataclass(frozen=True)
class RenderContext:
    """The renderer and the vertices of the identities to render.

    Attributes:
        renderer: The renderer.
        people: (V, 3) neutral vertices by index of the identity.
    """

    renderer: Renderer
    people: dict[int, np.ndarray]

    def subject(self, spec: ImageSpec) -> RenderSubject:
        """Create geometry and texture of the identity of `spec`."""
        person = spec.plan.person(spec.person_index)
        return RenderSubject.build(person, self.people[spec.person_index], self.renderer.head, self.renderer.texels)

    def render_with_actions(self, spec: ImageSpec, actions: np.ndarray) -> np.ndarray:
        """Render `spec` with other (52,) facial actions."""
        return self.renderer.render(self.subject(spec), actions, spec.capture, spec.plan.size)


def build_context(specs: list[ImageSpec]) -> RenderContext:
    """Create the context for `specs`; takes about half a minute, mostly for anny's model."""
    with redirect_stdout(sys.stderr):  # anny's kernels print to stdout when compiled
        model = HeadModel()
        people = {spec.person_index: spec for spec in specs}
        vertices = {number: model.neutral(spec.plan.person(number)) for number, spec in people.items()}
    return RenderContext(Renderer(model.head, TexelPositions.from_head(model.head)), vertices)


def save_image(pixels: np.ndarray, path: Path) -> None:
    """Write an image atomically."""
    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, quality=QUALITY, method=6)


def _render(specs: list[ImageSpec], folder: Path, processes: int) -> Iterator[int]:
    """Render identity by identity and yield the number of images of each."""
    with tempfile.TemporaryDirectory(prefix="facedis-") as temporary:
        context = Path(temporary) / "context.pickle"
        context.write_bytes(pickle.dumps(build_context(specs)))
        plan = replace(specs[0].plan)  # a copy without the cached specs, which would be sent to every process
        bare = [ImageSpec(plan, spec.person_index, spec.expression, spec.repeat) for spec in specs]
        tasks = [(list(group), folder) for _, group in groupby(bare, key=lambda spec: spec.person_index)]
        if processes == 1:
            _load_context(context)
            yield from map(_render_person, tasks)
            return
        # Not forked, because torch has started threads.
        with multiprocessing.get_context("spawn").Pool(processes, _init_worker, (context,)) as pool:
            yield from pool.imap(_render_person, tasks)


#: The context of this process.
_CONTEXT: list[RenderContext] = []


def _load_context(context: Path) -> None:
    _CONTEXT[:] = [pickle.loads(context.read_bytes())]


def _init_worker(context: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends its workers
    _load_context(context)


def _render_person(task: tuple[list[ImageSpec], Path]) -> int:
    specs, folder = task
    context = _CONTEXT[0]
    subject = context.subject(specs[0])
    for spec in specs:
        save_image(context.renderer.render(subject, spec.actions[0], spec.capture, spec.plan.size), folder / spec.name)
    return len(specs)


def _prepare_folder(folder: Path, plan: RenderPlan) -> None:
    marker = folder / MARKER
    if marker.exists():
        if read_plan(folder) != plan:
            raise InputError(f"{folder} holds a set that was rendered with other options", "choose another -o")
        return
    if any(path.name != FOLDER_LOCK for path in folder.iterdir()):
        raise InputError(f"{folder} is not empty and holds no rendered faces", "choose another -o")
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
    angles = (capture.yaw, capture.pitch, capture.roll)
    return (spec.actions[1], *angles, *capture.key, capture.fill, capture.distance)


def _write_factors(plan: RenderPlan, file: h5py.File) -> None:
    """Write all factors of all images with their names; docs/rendered.md describes them."""
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
