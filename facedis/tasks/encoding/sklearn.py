"""A scikit-learn transformer that encodes images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from facedis.model.storage.checkpoint import Run
from facedis.model.storage.registry import load_model
from facedis.tasks.encoding.codes_file import COLUMNS
from facedis.tasks.encoding.encode import resolve_codes
from facedis.tasks.encoding.image_codes import ImageLike, NoFace, code_sizes, encode_images
from facedis.tasks.inference import InferenceOptions


class ExpressionEncoder(TransformerMixin, BaseEstimator):
    """Transform images of faces to codes. `fit` does nothing.

        codes = facedis.ExpressionEncoder().transform(["a.jpg", "b.jpg"])

    Args:
        model: As in `facedis.load_model`; None for the bundled model.
        code: "expression", "rest", "trunk", "both" (expression and rest codes side by side), or "all".
        crop: "box", "similarity", "none" (the images are cropped faces), or None for the crop of the training faces.
        no_face: For an image without a face: "error", "full-image" to encode the full image, or "nan" for a row of NaN.
        device: "auto", "cpu", "cuda" or "mps".
    """

    def __init__(
        self,
        model: str | Path | None = None,
        code: str = "expression",
        crop: str | None = None,
        no_face: NoFace = "error",
        device: str = "auto",
    ) -> None:
        self.model = model
        self.code = code
        self.crop = crop
        self.no_face = no_face
        self.device = device

    def fit(self, X: object = None, y: object = None) -> "ExpressionEncoder":
        """Do nothing; the model is already trained."""
        return self

    def transform(self, X: Sequence[ImageLike] | np.ndarray) -> np.ndarray:
        """Encode n images.

        Args:
            X: Files, Pillow images, uint8 arrays, or a mixture; also one (n, H, W, 3) array.

        Returns:
            (n, D) float32.

        Raises:
            InputError: An image cannot be used, or has no face and `no_face` is "error".
            ConfigError: A parameter has an unknown value.
            RunError: The model does not exist, or has no such code.
        """
        options = InferenceOptions(device=self.device, crop=self.crop)
        result = encode_images(self._load(), X, self.code, self.no_face, options)
        return np.concatenate(list(result.codes.values()), axis=1)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """(D,) name of each column, such as "expression_code_0"."""
        run = self._load()
        sizes = code_sizes(run, resolve_codes(run, self.code), self.device)
        return np.array([f"{COLUMNS[code]}_{i}" for code, size in sizes.items() for i in range(size)], object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __getstate__(self) -> dict[str, Any]:
        """The parameters without the loaded model; a copy loads it again."""
        return {key: value for key, value in super().__getstate__().items() if key != "_cached"}

    def _load(self) -> Run:
        """The model, loaded when `model` has changed."""
        cached: tuple[str | Path | None, Run] | None = getattr(self, "_cached", None)
        if cached is None or cached[0] != self.model:
            self._cached = cached = (self.model, load_model(self.model))
        return cached[1]
