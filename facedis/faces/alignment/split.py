"""Train, validation and test sets with no person in two of them."""

import hashlib
from collections.abc import Sequence

from facedis.datasets.record import FaceRecord


def assign_splits(records: Sequence[FaceRecord], val_share: float, test_share: float, seed: int) -> list[str]:
    """The split of every record: the dataset's own, or where it brings none, by a hash of the identity.

    The hash depends on the identity and `seed` only, so that a person stays in their split when
    images come or go. An image without an identity counts as a person of its own. A dataset that
    has only some of the splits keeps them, and records without one stay without.

    Args:
        records: All records of the dataset.
        val_share: Expected share of the identities in "val".
        test_share: Expected share of the identities in "test".
        seed: Another seed gives another division.

    Returns:
        One of "train", "val", "test", or "" for each record.
    """
    if any(record.split for record in records):
        return [record.split for record in records]
    return [_hash_split(_identity_key(record), val_share, test_share, seed) for record in records]


def _identity_key(record: FaceRecord) -> str:
    return f"identity:{record.identity}" if record.identity else f"image:{record.image}"


def _hash_split(person: str, val_share: float, test_share: float, seed: int) -> str:
    digest = hashlib.sha256(f"{seed}\n{person}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64  # even on [0, 1)
    if place < test_share:
        return "test"
    return "val" if place < test_share + val_share else "train"
