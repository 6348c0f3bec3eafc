"""Swapping the expressions of faces: Fig. 2 of the paper, class means, grids and interpolations."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facedis.datasets.record import IMAGE_SUFFIXES
from facedis.errors import ConfigError, InputError
from facedis.events import EventHandler, ignore_events, warn
from facedis.faces.alignment.align_images import CropOptions, align_images
from facedis.faces.cropping.crop import CropSettings, face_to_image
from facedis.faces.cropping.paste import paste_face
from facedis.faces.cropping.single_image import SingleFace
from facedis.faces.io.images import read_image
from facedis.metrics.generation.swaps import paired_cosine
from facedis.model.storage.checkpoint import Run
from facedis.tasks.inference import InferenceOptions
from facedis.tasks.swapping.class_means import class_mean_code
from facedis.tasks.swapping.generator import EncodedFaces, SwapGenerator
from facedis.tasks.swapping.swap_result import Cosines, SwapImage, SwapResult

#: Maximum number of images in a grid, and of steps in an interpolation.
MAX_IMAGES, MAX_STEPS = 16, 60


@dataclass(frozen=True, kw_only=True)
class SwapOptions(InferenceOptions):
    """How faces are cropped, encoded and swapped.

    Attributes:
        batch_size: Faces per step.
        paste: Also paste each generated face back into its photo.
        handler: Receives progress and warnings.
    """

    batch_size: int = 64
    paste: bool = False
    handler: EventHandler = ignore_events


def swap(run: Run, image1: Path | str, image2: Path | str, options: SwapOptions | None = None) -> SwapResult:
    """Exchange the expressions of the faces in two images.

    The images are x1, x2, x1_reconstructed, x1_swapped (rest code of X1, expression code of X2) and so on; with
    `paste` also x1_pasted and x2_pasted.

    Raises:
        RunError: The model has no rest code or no decoder.
        InputError: An image cannot be read or has no face.

    Source: paper, Fig. 2.
    """
    options = options or SwapOptions()
    generator = SwapGenerator(
        run, options.device, options.batch_size
    )  # before the images are read: most errors are about the model
    faces, own = _align_and_encode(generator, [image1, image2], options)
    generated = generator.decode(own.expression[[1, 0]], own.rest)
    encoded = generator.encode(generated)
    images: dict[str, SwapImage] = {}
    for number, other in ((1, 2), (2, 1)):
        images |= _input_images(own, number)
        label = f"X{number}'': rest of X{number},\nexpression of X{other}"
        images[f"x{number}_swapped"] = SwapImage(generated[number - 1], label)
    if options.paste:
        images |= _paste(run, faces, generated, options)
    cosines: Cosines = {
        "x1_x2": {
            name: float(paired_cosine(codes[:1], codes[1:])[0])
            for name, codes in (("expression", own.expression), ("rest", own.rest_code))
        },
        "swapped_with_expression_donor": paired_cosine(encoded.expression, own.expression[[1, 0]]),
        "swapped_with_rest_donor": paired_cosine(encoded.rest_code, own.rest_code),
    }
    codes = _codes(own, ["x1", "x2"]) | _codes(encoded, ["x1_swapped", "x2_swapped"])
    layout = tuple((f"x{n}", f"x{n}_reconstructed", f"x{n}_swapped") for n in (1, 2))
    return SwapResult(task="swap", cosines=cosines, codes=codes, images=images, layout=layout, **_common(run, faces))


def swap_to_class_mean(run: Run, image: Path | str, expression: str, options: SwapOptions | None = None) -> SwapResult:
    """Replace the expression code of a face by the mean code of a class.

    The images are x1, x1_reconstructed and x1_swapped; with `paste` also x1_pasted.

    Raises:
        RunError: The model has no rest code or no decoder.
        InputError: The image cannot be read or has no face.
        ConfigError: The model has no such expression.
        CacheError: No class means are cached and the model's train faces are missing.
    """
    options = options or SwapOptions()
    generator = SwapGenerator(run, options.device, options.batch_size)
    code = class_mean_code(run, expression, options.device, options.handler)[None]
    faces, own = _align_and_encode(generator, [image], options)
    generated = generator.decode(code, own.rest)
    encoded = generator.encode(generated)
    images = _input_images(own, 1)
    images["x1_swapped"] = SwapImage(generated[0], f"X1'': rest of X1,\nmean of {expression}")
    if options.paste:
        images |= _paste(run, faces, generated, options)
    cosines: Cosines = {
        "x1_mean": {"expression": float(paired_cosine(own.expression, code)[0])},
        "swapped_with_expression_donor": paired_cosine(encoded.expression, code),
        "swapped_with_rest_donor": paired_cosine(encoded.rest_code, own.rest_code),
    }
    codes = _codes(own, ["x1"]) | _codes(encoded, ["x1_swapped"])
    layout = (("x1", "x1_reconstructed", "x1_swapped"),)
    return SwapResult(
        task="onto",
        onto=expression,
        cosines=cosines,
        codes=codes,
        images=images,
        layout=layout,
        **_common(run, faces),
    )


def swap_grid(run: Run, images: Sequence[Path | str], options: SwapOptions | None = None) -> SwapResult:
    """Combine the rest code of every face with the expression code of every face.

    The images are x1, x2, ..., and x1_with_x2 for the rest code of X1 with the expression code of X2: one row per rest
    donor, one column per expression donor.

    Raises:
        RunError: The model has no rest code or no decoder.
        InputError: An image cannot be read or has no face.
        ConfigError: Fewer than 2 or more than `MAX_IMAGES` images.
    """
    if not 2 <= len(images) <= MAX_IMAGES:
        raise ConfigError(
            f"a grid of {len(images)} image{'s' if len(images) != 1 else ''}",
            f"give 2 to {MAX_IMAGES} images, or a folder with as many",
        )
    options = options or SwapOptions()
    generator = SwapGenerator(run, options.device, options.batch_size)
    faces, own = _align_and_encode(generator, images, options)
    n = len(faces)
    rest, expression = np.divmod(np.arange(n * n), n)
    generated = generator.decode(own.expression[expression], own.rest[rest])
    encoded = generator.encode(generated)
    names = [f"x{k + 1}" for k in range(n)]
    cells = {name: SwapImage(own.images[k], _short_name(faces[k].path), "photo") for k, name in enumerate(names)}
    for index, (row, column) in enumerate(zip(rest, expression, strict=True)):
        cells[f"{names[row]}_with_{names[column]}"] = SwapImage(generated[index], "")
    layout = (("", *names), *((row, *(f"{row}_with_{column}" for column in names)) for row in names))
    cosines: Cosines = {
        "swapped_with_expression_donor": paired_cosine(encoded.expression, own.expression[expression]).reshape(n, n),
        "swapped_with_rest_donor": paired_cosine(encoded.rest_code, own.rest_code[rest]).reshape(n, n),
    }
    codes = _codes(own, names)
    return SwapResult(task="grid", cosines=cosines, codes=codes, images=cells, layout=layout, **_common(run, faces))


def interpolate(
    run: Run,
    images: Sequence[Path | str],
    steps: int,
    onto: str | None = None,
    options: SwapOptions | None = None,
) -> SwapResult:
    """Interpolate linearly between two expression codes, with the rest code of the first image.

    The images are step1, step2, ...

    Args:
        run: The model.
        images: X1 and X2, the target expression; only X1 with `onto`.
        steps: Number of images, from the code of X1 to the target code.
        onto: Class whose mean code is the target.
        options: How faces are cropped and swapped.

    Raises:
        RunError: The model has no rest code or no decoder.
        InputError: An image cannot be read or has no face.
        ConfigError: Fewer than 2 or more than `MAX_STEPS` steps, or an unknown expression.
        CacheError: No class means are cached and the model's train faces are missing.
    """
    if not 2 <= steps <= MAX_STEPS:
        raise ConfigError(f"--interpolate is {steps}", f"give 2 to {MAX_STEPS} steps")
    options = options or SwapOptions()
    generator = SwapGenerator(run, options.device, options.batch_size)
    mean = None if onto is None else class_mean_code(run, onto, options.device, options.handler)
    faces, own = _align_and_encode(generator, images, options)
    first, last = own.expression[0], own.expression[-1] if mean is None else mean
    shares = np.linspace(0, 1, steps, dtype=np.float32)
    codes = first[None] + shares[:, None] * (last - first)[None]
    generated = generator.decode(codes.astype(np.float32), np.repeat(own.rest[:1], steps, axis=0))
    encoded = generator.encode(generated)
    names = [f"step{k + 1}" for k in range(steps)]
    cells = {
        name: SwapImage(pixels, f"{share:.0%}") for name, pixels, share in zip(names, generated, shares, strict=True)
    }
    cosines: Cosines = {
        "steps_with_first": paired_cosine(encoded.expression, np.repeat(first[None], steps, axis=0)),
        "steps_with_last": paired_cosine(encoded.expression, np.repeat(last[None], steps, axis=0)),
    }
    return SwapResult(
        task="interpolation",
        onto=onto,
        shares=shares,
        cosines=cosines,
        codes=_codes(own, ["x1", "x2"][: len(faces)]),
        images=cells,
        layout=(tuple(names),),
        **_common(run, faces),
    )


def list_images(folder: Path) -> list[Path]:
    """The images of a folder, sorted by name.

    Raises:
        InputError: There is none, or the folder cannot be read.
    """
    try:
        images = sorted(
            path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."
        )
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror}", "name a folder of images") from error
    if not images:
        raise InputError(f"{folder} contains no image", "name a folder of images, or the images")
    return images


def _align_and_encode(
    generator: SwapGenerator, images: Sequence[Path | str], options: SwapOptions
) -> tuple[list[SingleFace], EncodedFaces]:
    crop = CropOptions.from_info(generator.run.info["faces"])
    faces = align_images([Path(image) for image in images], crop, options.crop, options.device)
    for face in faces:
        if face.n_faces > 1:
            warn(options.handler, f"{face.path} has {face.n_faces} faces: the largest is used")
    return faces, generator.encode(np.stack([face.face for face in faces]))


def _input_images(own: EncodedFaces, number: int) -> dict[str, SwapImage]:
    return {
        f"x{number}": SwapImage(own.images[number - 1], f"X{number}", "photo"),
        f"x{number}_reconstructed": SwapImage(own.reconstructions[number - 1], f"X{number}': reconstruction"),
    }


def _paste(run: Run, faces: Sequence[SingleFace], generated: np.ndarray, options: SwapOptions) -> dict[str, SwapImage]:
    """Each photo with its generated face pasted over its own."""
    config = CropOptions.from_info(run.info["faces"]).config(options.crop)
    settings = CropSettings(config.crop, config.image_size, config.margin)
    images = {}
    for number, (face, pixels) in enumerate(zip(faces, generated, strict=True), 1):
        photo = read_image(face.path)
        to_photo = face_to_image(photo.shape, face.box, face.landmarks, settings)
        pasted = paste_face(photo, pixels, to_photo, settings.size)
        images[f"x{number}_pasted"] = SwapImage(pasted, f"X{number}'' in X{number}", "composite")
    return images


def _codes(encoded: EncodedFaces, names: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
    codes = zip(names, encoded.expression, encoded.rest, strict=True)
    return {name: {"expression": expression, "rest": rest} for name, expression, rest in codes}


def _common(run: Run, faces: Sequence[SingleFace]) -> dict[str, Any]:
    return {
        "model": run.display_name,
        "faces": [str(face.path) for face in faces],
        "n": len(faces),
        "classes": run.classes,
        "seed": run.train_config.seed,
    }


def _short_name(path: Path) -> str:
    return path.stem if len(path.stem) <= 26 else f"{path.stem[:25]}…"
