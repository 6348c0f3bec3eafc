"""The codes of photographs as a step of scikit-learn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin

from facedis.errors import ConfigError, InputError
from facedis.faces.alignment.align_images import cut_out
from facedis.faces.io.images import decode, from_memory
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run, newest_run
from facedis.model.storage.registry import load_model
from facedis.tasks.encoding.codes_file import COLUMNS
from facedis.tasks.encoding.embedding import resolve_codes
from facedis.tasks.encoding.encode import encode_faces

_NO_FACE = ("error", "full-image", "nan")
_IN_MEMORY = (Image.Image, np.ndarray)
_HINT = "take it out, or set no_face to 'nan', or crop to 'none' where images are cropped faces already"

#: A file, an image of Pillow, or (H, W), (H, W, 3) or (H, W, 4) uint8 pixels.
ImageLike = str | Path | Image.Image | np.ndarray


class ExpressionEncoder(TransformerMixin, BaseEstimator):
    """Faces to codes; fitting changes nothing.

        codes = facedis.ExpressionEncoder("bundled").transform(["a.jpg", "b.jpg"])

    Args:
        model: As in `facedis.load_model`: a name, a folder or hf:OWNER/NAME; None for the newest run, else the
            bundled model.
        code: "expression", "rest", "trunk", or "both" codes, one behind the other; "all" adds the trunk.
        crop: "box", "similarity", "none" (the images are faces already), or None for the run's way.
        no_face: For an image without a face: "error", "full-image" to take all of it, or "nan" for a row of NaN.
        device: As in the settings.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        code: str = "expression",
        crop: str | None = None,
        no_face: Literal["error", "full-image", "nan"] = "error",
        device: str = "auto",
    ) -> None:
        self.model = model
        self.code = code
        self.crop = crop
        self.no_face = no_face
        self.device = device

    def fit(self, X: object = None, y: object = None) -> "ExpressionEncoder":
        """Nothing is learned; the run was trained before."""
        return self

    def transform(self, X: Sequence[ImageLike] | np.ndarray) -> np.ndarray:
        """The codes of n photographs.

        Args:
            X: Files, images of Pillow, uint8 arrays, or a mixture; also one (n, H, W, 3) array.

        Returns:
            (n, D) float32.

        Raises:
            InputError: An image cannot be used, or shows no face and `no_face` is "error".
            ConfigError: A parameter has no such value.
            RunError: There is no such run, or it has no such code.
        """
        if self.no_face not in _NO_FACE:
            raise ConfigError(f"no_face is {self.no_face!r}", f"choose one of: {', '.join(_NO_FACE)}")
        images, run = _as_list(X), self._load()
        wanted, device = resolve_codes(run, self.code), pick_device(self.device)
        found = np.full((len(images), self._width(run, wanted)), np.nan, np.float32)
        decoded = (from_memory(image) if isinstance(image, _IN_MEMORY) else decode(image) for image in images)
        no_face = "full-image" if self.no_face == "full-image" else "skip"
        for cut in cut_out(run, decoded, len(images), self.crop, no_face, self.device):
            if cut.problems and self.no_face == "error":
                place, why = cut.problems[0]
                raise InputError(f"cannot use {_name(images[place], place)}: {why}", _HINT)
            if len(cut.places):
                codes = encode_faces(run, cut.faces, device, wanted)
                found[cut.places] = np.concatenate([codes[name] for name in wanted], axis=1)
        return found

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """(D,) The name of each column, as `expression_code_0`."""
        run = self._load()
        wanted = resolve_codes(run, self.code)
        sizes = {COLUMNS[name]: self._width(run, (name,)) for name in wanted}
        return np.array([f"{name}_{place}" for name, size in sizes.items() for place in range(size)], object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __getstate__(self) -> dict[str, Any]:
        """Without the model: a copy loads it again from its folder."""
        return {key: value for key, value in super().__getstate__().items() if key != "_cached"}

    def _load(self) -> Run:
        """The model, loaded once for as long as the same is asked for."""
        asked = self.model if self.model is not None else newest_run()
        kept: tuple[Any, Run] | None = getattr(self, "_cached", None)
        if kept is None or kept[0] != asked:
            self._cached = kept = (asked, load_model(asked))
        return kept[1]

    def _width(self, run: Run, wanted: tuple[str, ...]) -> int:
        blank = np.zeros((1, run.config.image_size, run.config.image_size, 3), np.uint8)
        return sum(values.shape[1] for values in encode_faces(run, blank, pick_device(self.device), wanted).values())


def _as_list(images: Sequence[ImageLike] | np.ndarray) -> Sequence[ImageLike]:
    """The images one by one; a single image where a list was meant is the commonest mistake."""
    if isinstance(images, (str, Path, Image.Image)) or _is_single_image(images):
        raise InputError("transform takes many images and was given one", "put it into a list: transform([image])")
    images = list(images)
    for place, image in enumerate(images):
        if not isinstance(image, (str, Path, *_IN_MEMORY)):
            raise InputError(
                f"X[{place}] is of the type {type(image).__name__}", "give files, images of Pillow or uint8 arrays"
            )
    return images


def _is_single_image(images: object) -> bool:
    """Whether an array is a picture, and not pictures one behind the other."""
    return isinstance(images, np.ndarray) and (images.ndim == 2 or (images.ndim == 3 and images.shape[2] in (1, 3, 4)))


def _name(image: ImageLike, place: int) -> str:
    return f"X[{place}]" if isinstance(image, _IN_MEMORY) else f"the image {image}"
