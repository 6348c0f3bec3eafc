"""Similarity of random pairs of a faces cache: same and different expression x same and different person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from facedis.errors import CacheError, ConfigError
from facedis.events import track
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.codes import CodeTable
from facedis.metrics.statistics.intervals import Bootstrap, group_ids
from facedis.metrics.verification.contrast import (
    PAIR_KINDS,
    PairIndices,
    contrast_auc,
    contrast_auc_difference,
    sample_pair_kinds,
    summarise,
)
from facedis.metrics.verification.pairs import cosines
from facedis.model.storage.checkpoint import Run
from facedis.result import Estimate
from facedis.tasks.encoding.encode import CODES, encode, run_labels
from facedis.tasks.similarity.reference_distribution import ReferenceDistribution
from facedis.tasks.similarity.similarity import (
    ComparedPair,
    SimilarityOptions,
    SimilarityResult,
    common_fields,
    compare_pairs,
    predict_expressions,
)

#: Maximum number of faces encoded; of a larger cache, people are sampled.
MAX_FACES = 20_000
_SPLITS = ("train", "val", "test", "all")
#: Estimates by contrast and code.
Contrasts = Mapping[str, Mapping[str, Estimate | None]]

PREDICTED_LABELS = (
    "the faces have no expression labels, so the model's predictions are used instead: same-expression results measure "
    "its consistency, not its accuracy"
)
NO_IDENTITIES = (
    "the faces have no identities: pairs of one person cannot be sampled, and the other pairs may include some of them"
)
TRAIN_FACES = "the model was trained on some of these faces: expect lower scores on unseen faces"


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class PairSampleResult(SimilarityResult):
    """Random pairs of a faces cache.

    Attributes:
        faces: The cache.
        dataset: Reader of the dataset.
        split: Split of the faces.
        people: Number of people.
        expressions_from: "dataset", or "model" if the faces have no expression labels.
        kinds: Distribution of the cosines by kind of pair and code: `n`, `mean`, `sd`, `quantiles`.
        auc: AUC of each contrast and code.
        difference: That AUC of the expression code and the rest code minus the AUC of the trunk features.
    """

    faces: str
    dataset: str
    split: str
    people: int
    expressions_from: Literal["dataset", "model"]
    kinds: Mapping[str, Mapping[str, Any]]
    auc: Contrasts
    difference: Contrasts

    def summary(self) -> Mapping[str, object]:
        """AUC of the expression code for the same expression and of the rest code for the same person."""
        return {
            "same_expression_auc": self.auc["same_expression"]["expression"],
            "same_person_auc": self.auc["same_person"].get("rest"),
        }


def sample_pairs(
    run: Run,
    cache: FacesCache,
    num_pairs: int,
    split: str = "all",
    seed: int = 0,
    options: SimilarityOptions | None = None,
) -> PairSampleResult:
    """Compare random pairs of a cache: same and different expression x same and different person.

    Args:
        run: The model.
        cache: The faces; without expression labels the model's predictions are used.
        num_pairs: Pairs to list of each kind; the estimates use up to 20,000 of each.
        split: train, val, test or all.
        seed: Seed of the choice of faces and pairs.
        options: How faces are compared; `crop` does not apply.

    Raises:
        CacheError: The split has fewer than two usable faces.
        ConfigError: `num_pairs` is less than 1, or the split is unknown.
    """
    options = options or SimilarityOptions()
    if num_pairs < 1:
        raise ConfigError(f"--sample is {num_pairs}", "give the number of pairs of each kind to list, at least 1")
    if split not in _SPLITS:
        raise ConfigError(f"--split is '{split}'", f"choose one of: {', '.join(_SPLITS)}")
    reference = ReferenceDistribution.load(run.path, options.far)
    rows, labelled = _choose_rows(run, cache, split, seed)
    table = encode(run, cache, rows, options.batch_size, options.device, options.handler)
    labels = table.labels if labelled else table.probabilities.argmax(axis=1)
    encoded = _EncodedCache(run, cache, table, labels)
    with track(options.handler, "measuring"), threadpool_limits(1):  # more threads are slower on small arrays
        kinds = sample_pair_kinds(labels, table.identities, seed)
        plan = Bootstrap(n_resamples=options.bootstrap_samples, seed=seed)
        estimates = _estimate(encoded.codes, kinds, table.identities, plan)
    pairs, images = encoded.examples(kinds, num_pairs, options.num_examples, reference)
    people = len(set(table.identities) - {""})
    common = common_fields(run, reference, _notes(run, cache, split, labelled, people)) | {"seed": seed}
    return PairSampleResult(
        mode="sample",
        n=len(rows),
        faces=str(cache.path),
        dataset=cache.info.dataset,
        split=split,
        people=people,
        expressions_from="dataset" if labelled else "model",
        pairs=pairs,
        images=images,
        **estimates,
        **common,
    )


@dataclass(frozen=True)
class _EncodedCache:
    """Encoded faces of a cache; `labels` are (n,) int indices into the run's classes."""

    run: Run
    cache: FacesCache
    table: CodeTable
    labels: np.ndarray

    @property
    def codes(self) -> dict[str, np.ndarray]:
        """(n, D) codes by name."""
        return {name: getattr(self.table, name) for name in CODES if getattr(self.table, name) is not None}

    def examples(
        self, kinds: Mapping[str, PairIndices], num_pairs: int, num_examples: int, reference: ReferenceDistribution
    ) -> tuple[list[ComparedPair], dict[str, np.ndarray]]:
        """The first `num_pairs` pairs of each kind, and the faces of the first `num_examples` of them."""
        pairs: list[ComparedPair] = []
        images: dict[str, np.ndarray] = {}
        for kind in PAIR_KINDS:
            first, second = (side[:num_pairs] for side in kinds[kind])
            pairs += self.compare(kind, first, second, reference)
            images |= self.images(np.r_[first[:num_examples], second[:num_examples]])
        return pairs, images

    def compare(
        self, kind: str, first: np.ndarray, second: np.ndarray, reference: ReferenceDistribution
    ) -> list[ComparedPair]:
        """The pairs of the (m,) faces `first` and `second`."""
        compared = compare_pairs(self.codes, first, second, reference)
        predicted = predict_expressions(self.run, self.table.probabilities[np.concatenate([first, second])])
        return [
            ComparedPair(
                kind=kind,
                image1=self._name(i),
                image2=self._name(j),
                labels=self._labels(i, "1") | self._labels(j, "2"),
                predicted=[predicted[k], predicted[len(first) + k]],
                **values._asdict(),
            )
            for k, (i, j, values) in enumerate(zip(first, second, compared, strict=True))
        ]

    def images(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """(S, S, 3) uint8 faces at `indices` by the name of their image."""
        indices = np.unique(indices)
        if not len(indices):
            return {}
        faces = self.cache.faces(self.table.rows[indices])
        return {self._name(index): face for index, face in zip(indices, faces, strict=True)}

    def _name(self, index: int) -> str:
        return str(self.cache.sources[self.table.rows[index]])

    def _labels(self, index: int, side: str) -> dict[str, str]:
        return {
            f"expression{side}": self.run.classes[self.labels[index]],
            f"identity{side}": str(self.table.identities[index]),
        }


def _choose_rows(run: Run, cache: FacesCache, split: str, seed: int) -> tuple[np.ndarray, bool]:
    """The rows to encode, and whether they have expression labels; of too many rows, people are sampled."""
    usable = cache.rows(split, labelled=False)
    known = usable[run_labels(run, cache)[usable] >= 0]
    labelled = len(known) > 1
    rows = known if labelled else usable
    if len(rows) < 2:
        where = "" if split == "all" else f" in the split '{split}'"
        raise CacheError(f"{cache.path} has fewer than two usable faces{where}", "choose another --split")
    if len(rows) > MAX_FACES:
        people = group_ids(cache.identities[rows])
        order = np.random.default_rng(seed).permutation(people.max() + 1)
        sizes = np.bincount(people)[order]
        chosen = order[np.cumsum(sizes) <= MAX_FACES]
        rows = rows[np.isin(people, chosen)] if len(chosen) else rows[:MAX_FACES]
    return rows, labelled


def _estimate(
    codes: Mapping[str, np.ndarray], kinds: Mapping[str, PairIndices], identities: np.ndarray, plan: Bootstrap
) -> dict[str, Any]:
    """`kinds`, `auc` and `difference` of a `PairSampleResult`."""
    values = {
        name: {kind: cosines(code, first, second) for kind, (first, second) in kinds.items()}
        for name, code in codes.items()
    }
    aucs = {name: contrast_auc(values[name], kinds, identities, plan) for name in codes}
    differences = {
        name: contrast_auc_difference(values[name], values["trunk"], kinds, identities, plan)
        for name in codes
        if name != "trunk"
    }
    return {
        "kinds": {kind: {name: summarise(values[name][kind]) for name in codes} for kind in PAIR_KINDS},
        "auc": _by_contrast(aucs),
        "difference": _by_contrast(differences),
    }


def _by_contrast(by_code: Mapping[str, Mapping[str, Estimate | None]]) -> Contrasts:
    """Estimates by contrast and code of estimates by code and contrast."""
    contrasts = next(iter(by_code.values()))
    return {contrast: {code: found[contrast] for code, found in by_code.items()} for contrast in contrasts}


def _notes(run: Run, cache: FacesCache, split: str, labelled: bool, people: int) -> list[str]:
    own = run.info["faces"]
    notes = [] if labelled else [PREDICTED_LABELS]
    if not people:
        notes.append(NO_IDENTITIES)
    if own["fingerprint"] == cache.info.fingerprint and split in ("train", "all"):
        notes.append(TRAIN_FACES)
    if own["crop"] != cache.info.crop:
        notes.append(f"the model was trained with crop '{own['crop']}'; these faces have crop '{cache.info.crop}'")
    return notes
