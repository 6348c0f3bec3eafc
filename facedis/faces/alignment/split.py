"""Subject-disjoint train, validation and test splits."""

import hashlib
from collections.abc import Sequence

from facedis.datasets.record import FaceRecord


def assign_splits(records: Sequence[FaceRecord], val_fraction: float, test_fraction: float, seed: int) -> list[str]:
    """Return the split of each record: that of the dataset, or else one by a hash of the identity.

    The hash depends on the identity and `seed` only, so that adding or removing images moves no
    identity. An image without an identity counts as an identity of its own. If the dataset has
    splits, records without one get "".

    Args:
        records: All records of the dataset.
        val_fraction: Expected fraction of the identities in "val".
        test_fraction: Expected fraction of the identities in "test".
        seed: Seed of the split.

    Returns:
        One of "train", "val", "test", or "" for each record.
    """
    if any(record.split for record in records):
        return [record.split for record in records]
    return [_hash_split(_identity_key(record), val_fraction, test_fraction, seed) for record in records]


def _identity_key(record: FaceRecord) -> str:
    return f"identity:{record.identity}" if record.identity else f"image:{record.image}"


def _hash_split(person: str, val_fraction: float, test_fraction: float, seed: int) -> str:
    digest = hashlib.sha256(f"{seed}\n{person}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64  # uniform on [0, 1)
    if position < test_fraction:
        return "test"
    return "val" if position < test_fraction + val_fraction else "train"
