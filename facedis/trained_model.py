"""A trained model and what can be done with it: the class that `facedis.load_model` returns."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facedis.config import Device, EvalConfig, resolve
from facedis.config.align_config import Crop
from facedis.config.eval_config import Split
from facedis.config.schema import SettingValue
from facedis.events import EventHandler, ignore_events
from facedis.faces.cache.cache import FacesCache
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.tasks.encoding import embedding, temperature
from facedis.tasks.encoding.encode import Code
from facedis.tasks.encoding.image_codes import CodesResult, ImageLike, NoFace, encode_images
from facedis.tasks.evaluation import evaluation
from facedis.tasks.inference import InferenceOptions
from facedis.tasks.packaging.model_metadata import collect_results, describe_model
from facedis.tasks.prediction import prediction
from facedis.tasks.similarity import similarity
from facedis.tasks.swapping import swapping
from facedis.tasks.swapping.swap_result import SwapResult

if TYPE_CHECKING:
    import numpy as np


class Model:
    """A trained model on a device.

    Args:
        run: The run or packed model.
        device: "auto" (CUDA if available, else MPS, else the CPU), "cpu", "cuda" or "mps".

    Attributes:
        run: The run or packed model, with its network in `run.model`.
        device: As given.

    Raises:
        ConfigError: The device is not available.
    """

    def __init__(self, run: Run, device: Device = "auto") -> None:
        pick_device(device)
        self.run = run
        self.device: Device = device

    @property
    def name(self) -> str:
        """Name of a bundled model or of a model on a hub, else the folder."""
        return self.run.display_name

    @property
    def classes(self) -> tuple[str, ...]:
        """The K expressions, in the order of the logits."""
        return self.run.classes

    @property
    def has_decoder(self) -> bool:
        """Whether the model can generate faces."""
        return self.run.model.decoder is not None

    def card(self) -> str:
        """The model card in Markdown."""
        from facedis.reports.cards.card import card

        return card(describe_model(self.run, collect_results(self.run)))

    def predict(
        self,
        images: "Sequence[ImageLike] | np.ndarray",
        *,
        crop: Crop | None = None,
        min_face_size: int | None = None,
    ) -> prediction.PredictionResult:
        """Predict the expression of every face in images.

        Args:
            images: Files, Pillow images, uint8 arrays, or a mixture; also one (n, H, W, 3) array.
            crop: "box", "similarity" or "none" (the images are cropped faces); None for the crop of the training faces.
            min_face_size: Side of the smallest face to detect, in pixels; None for 20.

        Returns:
            The faces of each image, the largest first. An image that cannot be read or has no face has a `problem`.

        Raises:
            InputError: `images` is not a list of images.
            ConfigError: An option is out of range.
        """
        options = prediction.PredictOptions(crop=crop, min_face_size=min_face_size, device=self.device)
        return prediction.predict(self.run, images, options)

    def encode(
        self,
        images: "Sequence[ImageLike] | np.ndarray",
        *,
        code: Code = "all",
        no_face: NoFace = "error",
        crop: Crop | None = None,
    ) -> CodesResult:
        """Codes of the largest face of each of n images.

        Args:
            images: As in `predict`.
            code: "expression", "rest", "trunk", "both" (expression and rest) or "all".
            no_face: For an image without a face: "error", "full-image" to encode the full image, or "nan".
            crop: As in `predict`.

        Returns:
            (n, D) float32 arrays `expression`, `rest` and `trunk`.

        Raises:
            InputError: An image cannot be used, or has no face and `no_face` is "error".
            ConfigError: An option is unknown.
            RunError: The rest code of a model without one is requested.
        """
        return encode_images(self.run, images, code, no_face, InferenceOptions(device=self.device, crop=crop))

    def embed(
        self,
        path: Path | str,
        output: Path | str,
        *,
        code: Code = "both",
        split: Split = "all",
        crop: Crop | None = None,
        batch_size: int = 128,
        handler: EventHandler = ignore_events,
    ) -> embedding.EmbeddingResult:
        """Write the codes of a faces cache or of a folder of images to a file.

        Args:
            path: A faces cache, or a folder of images.
            output: A .parquet, .npz or .csv file.
            code: As in `encode`.
            split: Split of a cache.
            crop: As in `predict`; of a folder only.
            batch_size: Faces per step.
            handler: Receives progress and warnings.

        Raises:
            ConfigError: An option is unknown.
            InputError, CacheError: There is no face.
            OutputError: The file cannot be written.
        """
        options = InferenceOptions(device=self.device, crop=crop, batch_size=batch_size)
        return embedding.embed(self.run, path, output, code, split, options, handler)

    def similarity(
        self, image1: Path | str, image2: Path | str, *, crop: Crop | None = None, far: float | None = None
    ) -> similarity.SimilarityResult:
        """Compare the codes of the largest faces of two images.

        Args:
            image1: An image file.
            image2: Another image file.
            crop: As in `predict`.
            far: False accept rate of the thresholds; None for 0.05.

        Returns:
            One pair; `cosine` is the cosine of the expression codes.

        Raises:
            InputError: An image cannot be read or has no face.
            ConfigError: An option is out of range.
        """
        options = similarity.SimilarityOptions(device=self.device, crop=crop, far=far)
        return similarity.similarity(self.run, image1, image2, options)

    def swap(
        self, image1: Path | str, image2: Path | str, *, crop: Crop | None = None, paste: bool = False
    ) -> SwapResult:
        """Exchange the expressions of the largest faces of two images.

        Args:
            image1: An image file.
            image2: Another image file.
            crop: As in `predict`.
            paste: Also paste each generated face into its photograph.

        Returns:
            The images by name; `save` writes them.

        Raises:
            RunError: The model has no rest code or no decoder.
            InputError: An image cannot be read or has no face.
        """
        options = swapping.SwapOptions(device=self.device, crop=crop, paste=paste)
        return swapping.swap(self.run, image1, image2, options)

    def evaluate(
        self,
        faces: FacesCache | Path | str,
        *,
        split: Split = "val",
        handler: EventHandler = ignore_events,
        **settings: SettingValue,
    ) -> evaluation.EvaluationResult:
        """Evaluate accuracy, leakage, retention and collapse on one split of a faces cache.

        Args:
            faces: A faces cache with expressions, opened or as a path.
            split: "train", "val", "test" or "all".
            handler: Receives progress.
            settings: Further settings of `facedis eval`, such as `probes="linear"`.

        Raises:
            ConfigError: A setting is unknown or out of range.
            CacheError: The cache and the model have no expression in common, or the split has no such face.
        """
        config = resolve(EvalConfig, {"device": self.device, "split": split}, settings)
        return evaluation.evaluate(self.run, faces, config, handler)

    def calibrate(self, faces: Path | str, *, handler: EventHandler = ignore_events) -> float:
        """Fit the temperature of the probabilities on the val split of a faces cache.

        It is written to calibration.json in the folder of the model and used by `predict`.

        Args:
            faces: A faces cache.
            handler: Receives progress.

        Returns:
            The temperature, above 1 if the model was overconfident.

        Raises:
            CacheError: The val split has no face with an expression of the model.
            OutputError: The folder of the model cannot be written.
        """
        with FacesCache.open(faces) as cache:
            temperature.calibrate(self.run, cache, device=self.device, handler=handler)
        return temperature.Calibration.from_run(self.run).temperature

    def __repr__(self) -> str:
        trunk, n = self.run.config.trunk, len(self.classes)
        return f"Model({self.name!r}, trunk={trunk!r}, classes={n}, device={self.device!r})"
