"""Faces exchange their expressions: Fig. 2 of the paper, and what else two codes can be put together to."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from facedis.datasets.record import IMAGE_SUFFIXES
from facedis.errors import ConfigError, InputError
from facedis.events import EventHandler, ignore_events, warn
from facedis.faces.alignment.align_images import align_images, crop_config
from facedis.faces.cropping.crop import CropSettings, face_to_image
from facedis.faces.cropping.paste import paste_face
from facedis.faces.cropping.single_image import SingleFace
from facedis.faces.io.images import read_image
from facedis.metrics.generation.swaps import paired_cosine
from facedis.model.storage.checkpoint import Run
from facedis.result import record
from facedis.tasks.swapping.class_means import class_mean_code
from facedis.tasks.swapping.generator import EncodedFaces, SwapGenerator

#: Most images of a grid, most steps of an interpolation.
IMAGES, STEPS = 16, 60


@dataclass(frozen=True)
class SwapImage:
    """One of the pictures of a drawing.

    Attributes:
        pixels: (H, W, 3) uint8.
        label: What it shows, in a line or two.
        kind: A face cut out of a photograph, drawn by the decoder, or a photograph with a drawn face in it.
    """

    pixels: np.ndarray
    label: str
    kind: Literal["photograph", "drawn", "composite"] = "drawn"


@dataclass(frozen=True)
class SwapResult:
    """What was drawn.

    Attributes:
        pictures: By name.
        rows: Names of the pictures of the labelled whole, row by row; "" leaves a place empty.
        record: Of kind "swap"; whoever saves the pictures adds their paths.
    """

    pictures: dict[str, SwapImage]
    rows: tuple[tuple[str, ...], ...]
    record: dict[str, Any]


@dataclass(frozen=True)
class SwapOptions:
    """How the faces are cut out and drawn, and whether each is also put back into its photograph.

    Attributes:
        crop: As in `align_images`; None as the run's own faces were.
        device: As in the settings.
        paste: Also make the photograph with the drawn face in it.
        handler: Told of the progress.
    """

    crop: str | None = None
    device: str = "auto"
    paste: bool = False
    handler: EventHandler = ignore_events


def swap(run: Run, image1: Path, image2: Path, wanted: SwapOptions | None = None) -> SwapResult:
    """Exchange the expressions of the faces in two images.

    Pictures x1, x2, x1_reconstructed, ..., x1_swapped (rest of X1, expression of X2), x2_swapped, and with
    `paste` x1_pasted and x2_pasted.

    Raises:
        RunError: The model has no rest code or no decoder.
        InputError: An image cannot be read or shows no face.

    Source: paper, Fig. 2.
    """
    wanted = wanted or SwapOptions()
    generator = SwapGenerator(run, wanted.device)  # says first what no image can mend
    faces, own = _read(generator, [image1, image2], wanted)
    drawn = generator.draw(own.expression[[1, 0]], own.rest)
    again = generator.encode(drawn)
    pictures = {}
    for number, other in ((1, 2), (2, 1)):
        pictures |= _own_pictures(own, number)
        label = f"X{number}'': rest of X{number},\nexpression of X{other}"
        pictures[f"x{number}_swapped"] = SwapImage(drawn[number - 1], label)
    if wanted.paste:
        pictures |= _pasted(run, faces, drawn, wanted)
    rows = tuple((f"x{n}", f"x{n}_reconstructed", f"x{n}_swapped") for n in (1, 2))
    cosines = {
        "x1_x2": {
            name: paired_cosine(codes[:1], codes[1:])[0]
            for name, codes in (("expression", own.expression), ("rest", own.rest_code))
        },
        "swapped_with_expression_donor": paired_cosine(again.expression, own.expression[[1, 0]]),
        "swapped_with_rest_donor": paired_cosine(again.rest_code, own.rest_code),
    }
    codes = _codes(own, ["x1", "x2"]) | _codes(again, ["x1_swapped", "x2_swapped"])
    return SwapResult(pictures, rows, _record(run, faces, task="swap", cosines=cosines, codes=codes))


def swap_to_class_mean(run: Run, image: Path, expression: str, wanted: SwapOptions | None = None) -> SwapResult:
    """The face of an image with the mean expression code of a class: pictures x1, x1_reconstructed, x1_swapped.

    Raises:
        RunError, InputError: As `swap`.
        ConfigError: The run does not know the expression.
        CacheError: The faces that the mean is made of are gone.
    """
    wanted = wanted or SwapOptions()
    generator = SwapGenerator(run, wanted.device)
    code = class_mean_code(run, expression, wanted.device, wanted.handler)[None]
    faces, own = _read(generator, [image], wanted)
    drawn = generator.draw(code, own.rest)
    again = generator.encode(drawn)
    pictures = _own_pictures(own, 1)
    pictures["x1_swapped"] = SwapImage(drawn[0], f"X1'': rest of X1,\nmean of {expression}")
    if wanted.paste:
        pictures |= _pasted(run, faces, drawn, wanted)
    cosines = {
        "x1_mean": {"expression": paired_cosine(own.expression, code)[0]},
        "swapped_with_expression_donor": paired_cosine(again.expression, code),
        "swapped_with_rest_donor": paired_cosine(again.rest_code, own.rest_code),
    }
    codes = _codes(own, ["x1"]) | _codes(again, ["x1_swapped"])
    found = _record(run, faces, task="onto", onto=expression, cosines=cosines, codes=codes)
    return SwapResult(pictures, (("x1", "x1_reconstructed", "x1_swapped"),), found)


def swap_grid(run: Run, images: Sequence[Path], wanted: SwapOptions | None = None) -> SwapResult:
    """Every face with every expression: a row a face that gives the rest, a column one that gives the expression.

    Pictures x1, x2, ... and x1_with_x2 for the rest of X1 with the expression of X2.

    Raises:
        RunError, InputError: As `swap`.
        ConfigError: Too few or too many images.
    """
    if not 2 <= len(images) <= IMAGES:
        raise ConfigError(f"a grid of {len(images)} images", f"give 2 to {IMAGES} images, or a folder of as many")
    wanted = wanted or SwapOptions()
    generator = SwapGenerator(run, wanted.device)
    faces, own = _read(generator, images, wanted)
    n = len(faces)
    rest, expression = np.divmod(np.arange(n * n), n)
    drawn = generator.draw(own.expression[expression], own.rest[rest])
    again = generator.encode(drawn)
    pictures = {
        f"x{k + 1}": SwapImage(own.pictures[k], _short(face.path), "photograph") for k, face in enumerate(faces)
    }
    for place, (row, column) in enumerate(zip(rest + 1, expression + 1, strict=True)):
        pictures[f"x{row}_with_x{column}"] = SwapImage(drawn[place], "")
    names = [f"x{k + 1}" for k in range(n)]
    rows = (("", *names), *((row, *(f"{row}_with_{column}" for column in names)) for row in names))
    cosines = {
        "swapped_with_expression_donor": paired_cosine(again.expression, own.expression[expression]).reshape(n, n),
        "swapped_with_rest_donor": paired_cosine(again.rest_code, own.rest_code[rest]).reshape(n, n),
    }
    return SwapResult(pictures, rows, _record(run, faces, task="grid", cosines=cosines, codes=_codes(own, names)))


def interpolate(
    run: Run, images: Sequence[Path], steps: int, onto: str | None = None, wanted: SwapOptions | None = None
) -> SwapResult:
    """The face of the first image from its own expression code to another in equal steps: pictures step1, step2, ...

    Args:
        run: The model.
        images: X1 and X2, whose expression is the last one; X1 alone with `onto`.
        steps: How many pictures.
        onto: A class whose mean code is the last one.
        wanted: How it is done.

    Raises:
        RunError, InputError, CacheError: As `swap` and `swap_to_class_mean`.
        ConfigError: Too few or too many steps, or an unknown expression.
    """
    if not 2 <= steps <= STEPS:
        raise ConfigError(f"--interpolate is {steps}", f"give 2 to {STEPS} steps")
    wanted = wanted or SwapOptions()
    generator = SwapGenerator(run, wanted.device)
    mean = None if onto is None else class_mean_code(run, onto, wanted.device, wanted.handler)
    faces, own = _read(generator, images, wanted)
    last = own.expression[-1] if mean is None else mean
    shares = np.linspace(0, 1, steps, dtype=np.float32)
    way = own.expression[:1] + shares[:, None] * (last - own.expression[0])[None]
    drawn = generator.draw(way.astype(np.float32), np.repeat(own.rest[:1], steps, axis=0))
    again = generator.encode(drawn)
    names = [f"step{k + 1}" for k in range(steps)]
    pictures = {
        name: SwapImage(pixels, f"{share:.0%}") for name, pixels, share in zip(names, drawn, shares, strict=True)
    }
    cosines = {
        "steps_with_first": paired_cosine(again.expression, np.repeat(own.expression[:1], steps, axis=0)),
        "steps_with_last": paired_cosine(again.expression, np.repeat(last[None], steps, axis=0)),
    }
    codes = _codes(own, ["x1", "x2"][: len(faces)])
    found = _record(run, faces, task="interpolation", onto=onto, shares=shares, cosines=cosines, codes=codes)
    return SwapResult(pictures, (tuple(names),), found)


def images_in(folder: Path) -> list[Path]:
    """The images of a folder in the order of their names.

    Raises:
        InputError: There is none, or the folder cannot be read.
    """
    try:
        found = sorted(
            path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."
        )
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror}", "name a folder of images") from error
    if not found:
        raise InputError(f"{folder} holds no image", "name a folder of images, or the images")
    return found


def _read(
    generator: SwapGenerator, images: Sequence[Path], wanted: SwapOptions
) -> tuple[list[SingleFace], EncodedFaces]:
    faces = align_images(generator.run, images, wanted.crop, wanted.device)
    for face in faces:
        if face.n_faces > 1:
            warn(wanted.handler, f"{face.path} shows {face.n_faces} faces: the largest is taken")
    return faces, generator.encode(np.stack([face.face for face in faces]))


def _own_pictures(own: EncodedFaces, number: int) -> dict[str, SwapImage]:
    return {
        f"x{number}": SwapImage(own.pictures[number - 1], f"X{number}", "photograph"),
        f"x{number}_reconstructed": SwapImage(own.reconstructions[number - 1], f"X{number}': reconstruction"),
    }


def _pasted(run: Run, faces: Sequence[SingleFace], drawn: np.ndarray, wanted: SwapOptions) -> dict[str, SwapImage]:
    """Each photograph with its drawn face in the place of its own."""
    config = crop_config(run, wanted.crop)
    settings = CropSettings(config.crop, config.image_size, config.margin)
    pictures = {}
    for number, (face, pixels) in enumerate(zip(faces, drawn, strict=True), 1):
        image = read_image(face.path)
        way = face_to_image(image.shape, face.box, face.landmarks, settings)
        pasted = paste_face(image, pixels, way, settings.size)
        pictures[f"x{number}_pasted"] = SwapImage(pasted, f"X{number}'' in X{number}", "composite")
    return pictures


def _codes(encoded: EncodedFaces, names: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
    found = zip(names, encoded.expression, encoded.rest, strict=True)
    return {name: {"expression": expression, "rest": rest} for name, expression, rest in found}


def _record(run: Run, faces: Sequence[SingleFace], **keys: Any) -> dict[str, Any]:
    return record(
        "swap",
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        model=run.display_name,
        faces=[str(face.path) for face in faces],
        n=len(faces),
        classes=run.classes,
        seed=run.train_config.seed,
        **keys,
    )


def _short(path: Path) -> str:
    return path.stem if len(path.stem) <= 26 else f"{path.stem[:25]}…"
