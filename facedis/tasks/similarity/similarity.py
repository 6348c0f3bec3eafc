"""Cosine similarity of the codes of two faces, with percentiles among reference pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from facedis.events import EventHandler, ignore_events
from facedis.faces.alignment.align_images import CropOptions, align_images
from facedis.metrics.classification.calibration import softmax
from facedis.metrics.verification.pairs import cosines
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.result import NOT_RECORDED, RECORDED_IF_SET, Result
from facedis.tasks.encoding.encode import CODES, encode_faces
from facedis.tasks.encoding.temperature import Calibration
from facedis.tasks.inference import InferenceOptions
from facedis.tasks.similarity.reference_distribution import ComparedCode, ReferenceDistribution

#: Outputs of the model that a comparison needs.
OUTPUTS = (*CODES, "probabilities")
_PAIR_KEYS = ("rank", "line", "kind", "image1", "image2")


@dataclass(frozen=True, kw_only=True)
class SimilarityOptions(InferenceOptions):
    """How faces are cropped, encoded and compared.

    Attributes:
        far: False accept rate of the thresholds; None for 0.05.
        bootstrap_samples: Bootstrap resamples of an interval.
        num_examples: Number of pairs whose face images are kept in the result; of a sample, of each kind.
        handler: Receives progress and warnings.
    """

    far: float | None = None
    bootstrap_samples: int = 1_000
    num_examples: int = 0
    handler: EventHandler = ignore_events


@dataclass(frozen=True)
class PredictedExpression:
    """The predicted class of a face and its calibrated probability."""

    expression: str
    probability: float


class ComparedCodes(NamedTuple):
    """Comparison of each code of two faces; None for codes that are missing."""

    expression: ComparedCode | None
    rest: ComparedCode | None
    trunk: ComparedCode | None


@dataclass(frozen=True, kw_only=True)
class ComparedPair:
    """Two faces and the similarity of their codes.

    Attributes:
        rank: Position in a ranking, starting at 1.
        line: Line in a list of pairs.
        kind: Kind of a sampled pair.
        image1: The first image.
        image2: The second image.
        labels: Known labels by name.
        predicted: Predicted expression of each face; None for codes from a file without probabilities.
        expression: Comparison of the expression codes.
        rest: Comparison of the rest codes; None without a rest code.
        trunk: Comparison of the trunk features; None if they are not in a file of codes.
    """

    rank: int | None = field(default=None, metadata=RECORDED_IF_SET)
    line: int | None = field(default=None, metadata=RECORDED_IF_SET)
    kind: str | None = field(default=None, metadata=RECORDED_IF_SET)
    image1: str
    image2: str
    labels: Mapping[str, str] = field(default_factory=dict)
    predicted: Sequence[PredictedExpression] | None
    expression: ComparedCode | None
    rest: ComparedCode | None
    trunk: ComparedCode | None

    def row(self) -> dict[str, Any]:
        """The pair as a flat table row; labels with the name of another column get the prefix "label_"."""
        row = {key: getattr(self, key) for key in _PAIR_KEYS if getattr(self, key) is not None}
        row |= {f"label_{key}" if key in _PAIR_KEYS else key: value for key, value in self.labels.items()}
        for number, face in enumerate(self.predicted or (), 1):
            row |= {f"predicted{number}": face.expression, f"probability{number}": face.probability}
        for code in CODES:
            compared = getattr(self, code)
            row |= {f"{code}_{key}": value for key, value in asdict(compared).items()} if compared else {}
        return row


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class SimilarityResult(Result):
    """Compared pairs of faces; keys in docs/results.md.

    Attributes:
        model: Display name of the model.
        n: Number of pairs, or of faces searched.
        classes: Expressions of the model.
        seed: Seed of the sample, otherwise the seed that the model was trained with.
        mode: "pair", "ranking", "pairs" or "sample".
        reference: The reference pairs, with the AUC and threshold of each code; None without a val split.
        notes: Caveats, one sentence each.
        pairs: The pairs.
        images: (S, S, 3) uint8 faces by the name of their image, for the first pairs.
    """

    kind: ClassVar[str] = "similarity"

    model: str
    n: int
    classes: tuple[str, ...]
    seed: int
    mode: Literal["pair", "ranking", "pairs", "sample"]
    reference: dict[str, Any] | None
    notes: list[str]
    pairs: list[ComparedPair]
    images: dict[str, np.ndarray] = field(default_factory=dict, metadata=NOT_RECORDED)

    @property
    def cosine(self) -> float:
        """Cosine of the expression codes of the first pair.

        Raises:
            ValueError: The pairs have no expression codes.
        """
        if self.pairs[0].expression is None:
            raise ValueError("the pairs have no expression codes")
        return self.pairs[0].expression.cosine

    def table_rows(self) -> Sequence[Mapping[str, Any]]:
        """One row per pair."""
        return [pair.row() for pair in self.pairs]

    def summary(self) -> Mapping[str, object]:
        """The mode, and the cosines of a single pair."""
        if self.mode != "pair":
            return {"mode": self.mode}
        codes = {name: getattr(self.pairs[0], name) for name in CODES}
        return {name: round(code.cosine, 3) for name, code in codes.items() if code is not None}


def similarity(
    run: Run, image1: Path | str, image2: Path | str, options: SimilarityOptions | None = None
) -> SimilarityResult:
    """Compare the faces of two images.

    Args:
        run: The model.
        image1: An image with a face; of several faces the largest is compared, and a note says so.
        image2: Another image.
        options: How faces are cropped and compared.

    Returns:
        One pair: the cosines of the expression codes, rest codes and trunk features, with their percentiles among
        pairs of the run's val split.

    Raises:
        InputError: An image cannot be read or has no face.
        ConfigError: `far` is not between 0 and 1.

    Source: paper, Table 3, which has no pairs with different expressions.
    """
    options = options or SimilarityOptions()
    reference = ReferenceDistribution.load(run.path, options.far)
    crop = CropOptions.from_info(run.info["faces"])
    faces = align_images([Path(image1), Path(image2)], crop, options.crop, options.device)
    codes = encode_faces(run, np.stack([face.face for face in faces]), pick_device(options.device), OUTPUTS)
    compared = compare_pairs(codes, np.array([0]), np.array([1]), reference)[0]
    pair = ComparedPair(
        image1=str(image1),
        image2=str(image2),
        predicted=predict_expressions(run, codes["probabilities"]),
        **compared._asdict(),
    )
    notes = [several_faces_note(face.path, face.n_faces) for face in faces if face.n_faces > 1]
    return SimilarityResult(
        mode="pair",
        n=1,
        pairs=[pair],
        images={str(face.path): face.face for face in faces},
        **common_fields(run, reference, notes),
    )


def compare_pairs(
    codes: Mapping[str, np.ndarray], first: np.ndarray, second: np.ndarray, reference: ReferenceDistribution
) -> list[ComparedCodes]:
    """Compare m pairs of n faces by each of their codes.

    Args:
        codes: (n, D) codes by name.
        first: (m,) int index of the first face of each pair.
        second: (m,) int index of the second face.
        reference: Reference distributions.
    """
    values = {name: cosines(codes[name], first, second) for name in CODES if name in codes}
    return [
        ComparedCodes(*(reference.compare(float(values[name][m]), name) if name in values else None for name in CODES))
        for m in range(len(first))
    ]


def predict_expressions(run: Run, probabilities: np.ndarray) -> list[PredictedExpression]:
    """The predicted expression of each of (n, K) `probabilities`, calibrated as in `facedis predict`."""
    with np.errstate(divide="ignore"):  # a probability of 0 stays 0
        calibrated = softmax(np.log(probabilities), Calibration.from_run(run).temperature)
    return [PredictedExpression(run.classes[row.argmax()], float(row.max())) for row in calibrated]


def several_faces_note(image: Path, n: int) -> str:
    """Note about an image with `n` faces."""
    return f"{image} has {n} faces, the largest is compared"


def common_fields(run: Run, reference: ReferenceDistribution, notes: Sequence[str] = ()) -> dict[str, Any]:
    """Fields of a `SimilarityResult` that do not depend on its pairs."""
    return {
        "model": run.display_name,
        "classes": run.classes,
        "seed": run.train_config.seed,
        "reference": reference.record(),
        "notes": [*reference.notes, *notes],
    }
