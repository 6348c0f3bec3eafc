"""Published accuracies of the protocol that an evaluation follows."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class PublishedResult:
    """One accuracy on a protocol.

    Attributes:
        name: Method and year.
        accuracy: Accuracy in per cent.
        source: Where the accuracy is published; empty for this run.
        is_this_run: Whether the accuracy is that of the evaluation itself.
    """

    name: str
    accuracy: float
    source: str
    is_this_run: bool = False


@dataclass(frozen=True)
class ProtocolResults:
    """The accuracies of one protocol.

    Attributes:
        title: Dataset, classes and faces.
        rows: Published accuracies and that of this run, in descending order.
    """

    title: str
    rows: tuple[PublishedResult, ...]


def matching_protocols(result: Mapping[str, Any]) -> list[ProtocolResults]:
    """The protocols that an evaluation follows, with published accuracies and its own.

    An evaluation follows a protocol if reader, split, expressions and number of faces are the same;
    results on fewer faces are not comparable. A model of eight expressions also follows the protocol
    of seven, without the faces that show contempt and without that class.

    Args:
        result: A record of kind "evaluation".
    """
    matches = (_match(result, entry) for entry in _protocols()["protocol"])
    return [match for match in matches if match is not None]


def _match(result: Mapping[str, Any], entry: Mapping[str, Any]) -> ProtocolResults | None:
    if result.get("dataset") not in entry["readers"] or result["split"] != entry["split"]:
        return None
    candidates: tuple[tuple[str, str, set[str]], ...] = (
        ("accuracy", "this run", set()),
        ("accuracy_without_contempt", "this run, without contempt", {"contempt"}),
    )
    for key, name, left_out in candidates:
        estimate = result["task"].get(key)
        same = set(result["classes"]) - left_out == set(entry["classes"])
        if estimate and same and estimate["value"] is not None and abs(estimate["n"] - entry["n"]) <= entry["slack"]:
            rows = [PublishedResult(row["name"], row["accuracy"], row["source"]) for row in entry["row"]]
            own = PublishedResult(name, 100 * estimate["value"], "", is_this_run=True)
            return ProtocolResults(entry["title"], tuple(sorted([*rows, own], key=lambda row: -row.accuracy)))
    return None


@cache
def _protocols() -> dict[str, Any]:
    return tomllib.loads((files("facedis.reports") / "published_results.toml").read_text(encoding="utf-8"))
