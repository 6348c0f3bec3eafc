"""Codes of images in files or in memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from PIL import Image

from facedis.errors import ConfigError, InputError
from facedis.faces.alignment.align_images import CropOptions, iter_aligned
from facedis.faces.io.images import DecodedImage, decode_image, load_from_memory
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.result import Result
from facedis.tasks.encoding.codes_file import COLUMNS
from facedis.tasks.encoding.encode import encode_faces, resolve_codes
from facedis.tasks.inference import InferenceOptions

#: A file, a Pillow image, or (H, W), (H, W, 3) or (H, W, 4) uint8 pixels.
ImageLike = str | Path | Image.Image | np.ndarray
#: What to do with an image without a face.
NoFace = Literal["error", "full-image", "nan"]

_NO_FACE = ("error", "full-image", "nan")
_IN_MEMORY = (Image.Image, np.ndarray)
_HINT = "leave it out, set no_face to 'nan', or set crop to 'none' if the images are cropped faces"


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class CodesResult(Result):
    """Codes of n images.

    Attributes:
        model: Name of the model.
        images: Path of each image, or its position as "[0]".
        codes: (n, D) float32 by name: "expression", "rest" and "trunk" as requested. NaN for images without a face.
    """

    kind: ClassVar[str] = "codes"

    model: str
    images: tuple[str, ...]
    codes: Mapping[str, np.ndarray]

    @property
    def expression(self) -> np.ndarray:
        """(n, E) expression codes."""
        return self.codes["expression"]

    @property
    def rest(self) -> np.ndarray:
        """(n, R) rest codes."""
        return self.codes["rest"]

    @property
    def trunk(self) -> np.ndarray:
        """(n, T) trunk features."""
        return self.codes["trunk"]

    def table_rows(self) -> Sequence[Mapping[str, Any]]:
        """One row per image, one column per number."""
        names = [f"{COLUMNS[code]}_{i}" for code, values in self.codes.items() for i in range(values.shape[1])]
        values = np.concatenate(list(self.codes.values()), axis=1)
        rows = zip(self.images, values, strict=True)
        return [{"image": image, **dict(zip(names, row, strict=True))} for image, row in rows]

    def summary(self) -> Mapping[str, object]:
        """The shape of each code."""
        return {name: values.shape for name, values in self.codes.items()}


def encode_images(
    run: Run,
    images: Sequence[ImageLike] | np.ndarray,
    code: str = "all",
    no_face: NoFace = "error",
    options: InferenceOptions | None = None,
) -> CodesResult:
    """Codes of the largest face of each image.

    Args:
        run: The model.
        images: Files, Pillow images, uint8 arrays, or a mixture; also one (n, H, W, 3) array.
        code: "expression", "rest", "trunk", "both" (codes) or "all".
        no_face: For an image without a face: "error", "full-image" to encode the full image, or "nan".
        options: Device and crop.

    Raises:
        InputError: An image cannot be used, or has no face and `no_face` is "error".
        ConfigError: Unknown value of `code` or `no_face`.
        RunError: The rest code of a model without one is requested.
    """
    if no_face not in _NO_FACE:
        raise ConfigError(f"no_face is {no_face!r}", f"choose one of: {', '.join(_NO_FACE)}")
    listed, options = list_images(images), options or InferenceOptions()
    names, device = resolve_codes(run, code), pick_device(options.device)
    codes = {
        name: np.full((len(listed), size), np.nan, np.float32)
        for name, size in code_sizes(run, names, options.device).items()
    }
    fallback = "full-image" if no_face == "full-image" else "skip"
    crops = CropOptions.from_info(run.info["faces"])
    for chunk in iter_aligned(decoded_images(listed), len(listed), crops, options.crop, fallback, options.device):
        if chunk.problems and no_face == "error":
            index, why = chunk.problems[0]
            raise InputError(f"cannot use {_described(listed[index], index)}: {why}", _HINT)
        if len(chunk.indices):
            for name, values in encode_faces(run, chunk.faces, device, names).items():
                codes[name][chunk.indices] = values
    return CodesResult(model=run.display_name, images=image_names(listed), codes=codes)


def code_sizes(run: Run, names: tuple[str, ...], device: str = "auto") -> dict[str, int]:
    """The number of values of each code."""
    blank = np.zeros((1, run.config.image_size, run.config.image_size, 3), np.uint8)
    return {name: values.shape[1] for name, values in encode_faces(run, blank, pick_device(device), names).items()}


def list_images(images: Sequence[ImageLike] | np.ndarray) -> list[ImageLike]:
    """`images` as a list.

    Raises:
        InputError: A single image, or an item that is not an image.
    """
    if isinstance(images, (str, Path, Image.Image)) or _is_single_image(images):
        raise InputError("a list of images is needed, not a single image", "put it into a list: [image]")
    listed = list(images)
    for index, image in enumerate(listed):
        if not isinstance(image, (str, Path, *_IN_MEMORY)):
            raise InputError(
                f"image [{index}] is of type {type(image).__name__}", "give files, Pillow images or uint8 arrays"
            )
    return listed


def decoded_images(images: Sequence[ImageLike]) -> Iterator[DecodedImage]:
    """The pixels of each image, read from its file or from memory."""
    return (load_from_memory(image) if isinstance(image, _IN_MEMORY) else decode_image(image) for image in images)


def image_names(images: Sequence[ImageLike]) -> tuple[str, ...]:
    """The path of each image; the position, as "[0]", of an image in memory."""
    return tuple(f"[{i}]" if isinstance(image, _IN_MEMORY) else str(image) for i, image in enumerate(images))


def _is_single_image(images: object) -> bool:
    """Whether an array has the shape of one image."""
    return isinstance(images, np.ndarray) and (images.ndim == 2 or (images.ndim == 3 and images.shape[2] in (1, 3, 4)))


def _described(image: ImageLike, index: int) -> str:
    return f"image [{index}]" if isinstance(image, _IN_MEMORY) else f"the image {image}"
