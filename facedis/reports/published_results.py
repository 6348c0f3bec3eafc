"""Published accuracies of the protocol that an evaluation follows, so that ours stands among its like."""

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
    """One accuracy of a protocol.

    Attributes:
        name: Of the method, with its year.
        accuracy: Per cent.
        source: Where it is printed; empty for ours.
        ours: Whether it is this run's.
    """

    name: str
    accuracy: float
    source: str
    is_this_run: bool = False


@dataclass(frozen=True)
class ProtocolResults:
    """What is measured how, and who measured it before.

    Attributes:
        title: Dataset, classes, faces.
        rows: By falling accuracy, ours among them.
    """

    title: str
    rows: tuple[PublishedResult, ...]


def matching_protocols(result: Mapping[str, Any]) -> list[ProtocolResults]:
    """The protocols that a record of kind "evaluation" follows, ours among the published accuracies.

    A protocol is followed where reader, split, expressions and number of faces are its own: papers
    that leave faces out are not comparable, and neither are we. A model of eight expressions also
    follows that of seven: faces that show contempt are left out, and so is that answer.
    """
    return [protocol for entry in _protocols()["protocol"] if (protocol := _match(result, entry)) is not None]


def _match(result: Mapping[str, Any], entry: Mapping[str, Any]) -> ProtocolResults | None:
    if result.get("dataset") not in entry["readers"] or result["split"] != entry["split"]:
        return None
    for key, name, left_out in (
        ("accuracy", "this run", set()),
        ("accuracy_without_contempt", "this run, contempt taken out", {"contempt"}),
    ):
        figure = result["task"].get(key)
        same = set(result["classes"]) - left_out == set(entry["classes"])
        if figure and same and figure["value"] is not None and abs(figure["n"] - entry["n"]) <= entry["slack"]:
            rows = [PublishedResult(row["name"], row["accuracy"], row["source"]) for row in entry["row"]]
            ours = PublishedResult(name, 100 * figure["value"], "", is_this_run=True)
            return ProtocolResults(entry["title"], tuple(sorted([*rows, ours], key=lambda row: -row.accuracy)))
    return None


@cache
def _protocols() -> dict[str, Any]:
    return tomllib.loads((files("facedis.reports") / "published_results.toml").read_text(encoding="utf-8"))
