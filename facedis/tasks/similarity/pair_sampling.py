"""Table 3 of the paper with the contrast that it leaves out, on the faces of a cache."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from facedis.errors import CacheError, ConfigError
from facedis.events import EventHandler, ignore_events, track
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.codes import CodeTable
from facedis.metrics.statistics.intervals import Bootstrap, group_ids
from facedis.metrics.verification.contrast import (
    PAIR_KINDS,
    contrast_auc,
    contrast_auc_difference,
    sample_pair_kinds,
    summarise,
)
from facedis.metrics.verification.pairs import cosines
from facedis.model.storage.checkpoint import Run
from facedis.tasks.encoding.encode import CODES, encode, run_labels
from facedis.tasks.similarity.reference_distribution import ReferenceDistribution
from facedis.tasks.similarity.similarity import SimilarityResult, compare_pairs, predicted, similarity_record

#: Most faces that are encoded; of a larger cache whole people are drawn.
FACES = 20_000
_SPLITS = ("train", "val", "test", "all")

BY_MODEL = (
    "the faces have no expression of their own, so the model's own answers stand in: same-expression numbers then say "
    "how sure the model is of itself, not whether it is right"
)
NO_PEOPLE = "the faces do not say who is who: pairs of one person cannot be drawn, and some may hide among the others"
SEEN = "the model was trained on some of these faces: expect less of faces that it has not seen"


def sample(
    run: Run,
    cache: FacesCache,
    pairs: int,
    split: str = "all",
    seed: int = 0,
    draws: int = 1_000,
    batch: int = 128,
    device: str = "auto",
    false_accepts: float | None = None,
    shown: int = 0,
    handler: EventHandler = ignore_events,
) -> SimilarityResult:
    """Compare random pairs of a cache: same and different expression x same and different person.

    Args:
        run: The model.
        cache: The faces; without expressions of their own those that the model sees stand in.
        pairs: Random pairs of each kind to list. The numbers rest on up to 20,000 of each.
        split: train, val, test or all.
        seed: Of the faces and pairs that are drawn.
        draws: Resamples behind an interval.
        batch: Faces at a time.
        device: As in the settings.
        false_accepts: As in `compare`.
        shown: Of how many listed pairs of each kind the faces are kept.
        handler: Told of the progress.

    Returns:
        The listed pairs with their `kind`; `kinds`, the distributions; `auc` of each contrast and code;
        `difference`, the AUC of the expression and the rest code minus that of the trunk.

    Raises:
        CacheError: The split has not two usable faces.
        ConfigError: `pairs` is not positive, or there is no such split.
    """
    if pairs < 1:
        raise ConfigError(f"--sample is {pairs}", "give the number of pairs of each kind to list, at least 1")
    if split not in _SPLITS:
        raise ConfigError(f"--split is '{split}'", f"choose one of: {', '.join(_SPLITS)}")
    reference = ReferenceDistribution.load(run.path, false_accepts)
    rows, labelled = _rows(run, cache, split, seed)
    table = encode(run, cache, rows, batch, device, handler)
    labels = table.labels if labelled else table.probabilities.argmax(axis=1)
    codes = {name: getattr(table, name) for name in CODES if getattr(table, name) is not None}
    with track(handler, "measuring"), threadpool_limits(1):  # as in an evaluation: these arrays are small
        kinds = sample_pair_kinds(labels, table.identities, seed)
        numbers = _numbers(codes, kinds, table.identities, Bootstrap(n_resamples=draws, seed=seed))
    listed, faces = [], {}
    drawn = _Drawn(run, cache, table, labels, codes)
    for kind in PAIR_KINDS:
        first, second = (side[:pairs] for side in kinds[kind])
        listed += drawn.listed(kind, first, second, reference)
        faces |= drawn.faces(np.r_[first[:shown], second[:shown]])
    more: dict[str, Any] = {
        "faces": str(cache.path),
        "dataset": cache.info.dataset,
        "split": split,
        "n": len(rows),
        "people": len(set(table.identities) - {""}),
        "seed": seed,
        "expressions_from": "dataset" if labelled else "model",
        **numbers,
    }
    return SimilarityResult(
        similarity_record(run, "sample", listed, reference, _notes(run, cache, split, labelled, more), **more), faces
    )


@dataclass(frozen=True)
class _Drawn:
    """The encoded faces that pairs are drawn from."""

    run: Run
    cache: FacesCache
    table: CodeTable
    labels: np.ndarray
    codes: dict[str, np.ndarray]

    def listed(
        self, kind: str, first: np.ndarray, second: np.ndarray, reference: ReferenceDistribution
    ) -> list[dict[str, Any]]:
        """The m pairs of faces `first` and `second` as the record lists them."""
        placed = compare_pairs(self.codes, first, second, reference)
        seen = predicted(self.run, self.table.probabilities[np.concatenate([first, second])])
        return [
            {"kind": kind, "image1": self._name(i), "image2": self._name(j)}
            | {"labels": self._labels(i, "1") | self._labels(j, "2")}
            | values
            | {"predicted": [one, other]}
            for i, j, values, one, other in zip(
                first, second, placed, seen[: len(first)], seen[len(first) :], strict=True
            )
        ]

    def faces(self, places: np.ndarray) -> dict[str, np.ndarray]:
        """The faces at `places` by name."""
        places = np.unique(places)
        pixels = self.cache.faces(self.table.rows[places]) if len(places) else []
        return {self._name(place): face for place, face in zip(places, pixels, strict=True)}

    def _name(self, place: int) -> str:
        return str(self.cache.sources[self.table.rows[place]])

    def _labels(self, place: int, side: str) -> dict[str, str]:
        return {
            f"expression{side}": self.run.classes[self.labels[place]],
            f"identity{side}": str(self.table.identities[place]),
        }


def _rows(run: Run, cache: FacesCache, split: str, seed: int) -> tuple[np.ndarray, bool]:
    """The rows to encode, and whether they have expressions of their own; whole people where there are too many."""
    every = cache.rows(split, labelled=False)
    known = every[run_labels(run, cache)[every] >= 0]
    labelled = len(known) > 1
    rows = known if labelled else every
    if len(rows) < 2:
        where = "" if split == "all" else f" in the split '{split}'"
        raise CacheError(f"{cache.path} has not two usable faces{where}", "choose another --split")
    if len(rows) > FACES:
        people = group_ids(cache.identities[rows])
        order = np.random.default_rng(seed).permutation(people.max() + 1)
        sizes = np.bincount(people)[order]
        taken = order[np.cumsum(sizes) <= FACES]
        rows = rows[np.isin(people, taken)] if len(taken) else rows[:FACES]
    return rows, labelled


def _numbers(
    codes: dict[str, np.ndarray], kinds: dict[str, Any], identities: np.ndarray, plan: Bootstrap
) -> dict[str, Any]:
    values = {
        name: {kind: cosines(code, first, second) for kind, (first, second) in kinds.items()}
        for name, code in codes.items()
    }
    by_code = {name: contrast_auc(values[name], kinds, identities, plan) for name in codes}
    better = {
        name: contrast_auc_difference(values[name], values["trunk"], kinds, identities, plan)
        for name in codes
        if name != "trunk"
    }
    return {
        "kinds": {kind: {name: summarise(values[name][kind]) for name in codes} for kind in PAIR_KINDS},
        "auc": _turned(by_code),
        "difference": _turned(better),
    }


def _turned(figures: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By contrast and then by code, what comes by code and then by contrast."""
    return {name: {code: found[name] for code, found in figures.items()} for name in next(iter(figures.values()))}


def _notes(run: Run, cache: FacesCache, split: str, labelled: bool, found: dict[str, Any]) -> list[str]:
    own = run.info["faces"]
    crop = f"the model was trained on crop '{own['crop']}', these faces have '{cache.info.crop}'"
    return [
        note
        for note, holds in (
            (BY_MODEL, not labelled),
            (NO_PEOPLE, not found["people"]),
            (SEEN, own["fingerprint"] == cache.info.fingerprint and split in ("train", "all")),
            (crop, own["crop"] != cache.info.crop),
        )
        if holds
    ]
