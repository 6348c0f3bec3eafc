"""Training data: the labelled rows of a faces cache, with labels in the classes of the run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facedis.errors import CacheError, ConfigError
from facedis.faces.cache.cache import FacesCache
from facedis.training.targets import Target, factor_targets


@dataclass(frozen=True)
class TrainingData:
    """Rows and labels of the train and val splits.

    Attributes:
        cache: The faces.
        classes: The K expressions that occur in the train split, in the order of the cache.
        train_rows: (n,) rows of the cache.
        train_labels: (n,) in 0..K-1.
        val_rows: (m,) rows of the cache whose expression is in `classes`; may be empty.
        val_labels: (m,) in 0..K-1.
        has_test: Whether there is a test split; training does not use it.
        targets: Further factors of the train rows, by name.
    """

    cache: FacesCache
    classes: tuple[str, ...]
    train_rows: np.ndarray
    train_labels: np.ndarray
    val_rows: np.ndarray
    val_labels: np.ndarray
    has_test: bool
    targets: Mapping[str, Target] = field(default_factory=dict)

    def keeps_best(self, select: str) -> bool:
        """Whether the best epoch on the val split is kept, and not the last one.

        The accuracy of the best epoch on the val split is optimistic, so "auto" selects by it only where
        there is a test split.

        Args:
            select: As in the settings: "auto", "best" or "last".
        """
        return len(self.val_rows) > 0 and (select == "best" or (select == "auto" and self.has_test))

    @property
    def sizes(self) -> dict[str, int]:
        """Number of classes of every factor, the expression's first."""
        return {"expression": len(self.classes)} | {name: target.size for name, target in self.targets.items()}


def training_data(cache: FacesCache, factors: tuple[str, ...] = ()) -> TrainingData:
    """The training data of `cache`.

    Args:
        cache: The faces.
        factors: Names of further factors.

    Raises:
        CacheError: There is no train split, or it has fewer than two expressions.
        ConfigError: The faces do not have one of the factors.
    """
    train = cache.rows("train")
    present = np.unique(cache.labels[train])
    if len(present) < 2:
        found = f"only '{cache.info.classes[present[0]]}'" if len(present) else "no labelled face"
        raise CacheError(f"the train split of {cache.path} has {found}", "align a dataset with two or more expressions")
    position = np.full(len(cache.info.classes), -1)
    position[present] = np.arange(len(present))
    val = cache.rows("val")
    val = val[position[cache.labels[val]] >= 0]
    return TrainingData(
        cache=cache,
        classes=tuple(cache.info.classes[index] for index in present),
        train_rows=train,
        train_labels=position[cache.labels[train]],
        val_rows=val,
        val_labels=position[cache.labels[val]],
        has_test=bool(len(cache.rows("test"))),
        targets=factor_targets(cache, train, factors),
    )


@contextmanager
def decoder_data(data: TrainingData, path: str | None) -> Iterator[TrainingData]:
    """The training data of a post-hoc decoder.

    Args:
        data: The training data of the encoder.
        path: Another faces cache; None or "" for the same faces.

    Raises:
        CacheError: The cache cannot be used.
        ConfigError: The cache has other expressions.
    """
    if not path:
        yield data
        return
    with FacesCache.open(Path(path)) as cache:
        others = training_data(cache)
        if others.classes != data.classes:
            raise ConfigError(
                f"the faces of decoder.faces, {path}, have the expressions {', '.join(others.classes)}",
                f"name a cache with the expressions {', '.join(data.classes)}",
            )
        yield others
