"""Each measure of a record of kind "swap_eval": the swaps' figure beside those it must be read against."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from facedis.metrics.generation.image_quality import kid, psnr, ssim
from facedis.metrics.generation.swaps import (
    Donors,
    RealPairScores,
    other_faces_of_person,
    paired_cosine,
    swap_accuracy_ci,
)
from facedis.metrics.statistics.intervals import Bootstrap, group_ids
from facedis.metrics.statistics.pair_groups import PairGroups
from facedis.result import Estimate
from facedis.tasks.swapping.generator import EncodedFaces

#: Rest and expression from two people; both from one.
KINDS = ("across", "within")
_LIKENESS = {"psnr": psnr, "ssim": ssim}


@dataclass(frozen=True)
class Known:
    """The n real faces, their reconstructions, and what the judges say of both.

    Attributes:
        labels, identities, classes: As of the faces.
        encoded: Pictures in the network's size, codes, reconstructions.
        answers, drawn_answers: (n,) the judge's expression of each picture and each reconstruction.
        features, drawn_features: (n, F) the judge's features of both.
        embeddings, drawn_embeddings: (n, D) of the judge of people; None without one.
    """

    labels: np.ndarray
    identities: np.ndarray
    classes: tuple[str, ...]
    encoded: EncodedFaces
    answers: np.ndarray | None
    features: np.ndarray | None
    drawn_answers: np.ndarray | None
    drawn_features: np.ndarray | None
    embeddings: np.ndarray | None
    drawn_embeddings: np.ndarray | None


@dataclass(frozen=True)
class Swapped:
    """m swaps.

    Attributes:
        donors: Indices into the faces.
        groups: Their people.
        truths: (m,) index of the face that shows the truth, -1 where none does.
        pictures: (m, S, S, 3) uint8.
        expression, rest: (m, E) and (m, R) codes of the swaps, encoded again.
        back: (m, S, S, 3) uint8, the swap and its counterpart swapped once more: ought to be the rest donor.
        answers, features, embeddings: Of the judges, as in `Known`.
    """

    donors: Donors
    groups: PairGroups
    truths: np.ndarray
    pictures: np.ndarray
    expression: np.ndarray
    rest: np.ndarray
    back: np.ndarray
    answers: np.ndarray | None
    features: np.ndarray | None
    embeddings: np.ndarray | None

    @property
    def expression_groups(self) -> PairGroups:
        """The people of the expression donors alone."""
        return PairGroups(self.groups.second, self.groups.second)

    @property
    def rest_groups(self) -> PairGroups:
        """The people of the rest donors alone."""
        return PairGroups(self.groups.first, self.groups.first)


def transfer(known: Known, swapped: Swapped, plan: Bootstrap) -> dict[str, Any]:
    """`transfer`: is the expression donor's expression seen? `copy_rate`: is it still the rest donor's?

    Beside both: `copying`, the rest donor itself; `reconstruction` and `real`, the expression donor
    drawn and as it is.
    """
    rest, expression, classes = swapped.donors.rest, swapped.donors.expression, len(known.classes)
    shown, hidden = known.labels[expression], known.labels[rest]
    seen = {
        "swap": (swapped.answers, swapped.groups),
        "copying": (known.answers[rest], swapped.groups),
        "reconstruction": (known.drawn_answers[expression], swapped.expression_groups),
        "real": (known.answers[expression], swapped.expression_groups),
    }
    chance = 1 / classes
    return {
        "transfer": {
            name: swap_accuracy_ci(groups, answers, shown, classes, plan) for name, (answers, groups) in seen.items()
        },
        "copy_rate": {
            name: swapped.groups.proportion_ci(answers == hidden, plan, chance) for name, (answers, _) in seen.items()
        },
    }


def identity(
    known: Known, swapped: Swapped, real: RealPairScores, kind: str, plan: Bootstrap, seed: int
) -> dict[str, dict[str, Estimate] | None]:
    """Whose face is it: cosines with both donors, to which it is nearer, for whom it passes.

    Within one person nothing can be said about the expression donor.
    """
    rest, expression, groups = swapped.donors.rest, swapped.donors.expression, swapped.groups
    to_rest = paired_cosine(swapped.embeddings, known.embeddings[rest])
    drawn = paired_cosine(known.drawn_embeddings[rest], known.embeddings[rest])
    found = {
        "identity_to_rest_donor": {
            "swap": groups.mean_ci(to_rest, plan),
            "reconstruction": swapped.rest_groups.mean_ci(drawn, plan),
            "genuine": real.genuine_groups.mean_ci(real.genuine, plan),
            "impostor": real.impostor_groups.mean_ci(real.impostor, plan),
        },
        "verified_as_rest_donor": {
            "swap": groups.proportion_ci(to_rest > real.threshold, plan, 0.01),
            "reconstruction": swapped.rest_groups.proportion_ci(drawn > real.threshold, plan, 0.01),
            "genuine": real.genuine_groups.proportion_ci(real.genuine > real.threshold, plan, 0.01),
        },
    }
    if kind == "within":
        return found
    to_expression = paired_cosine(swapped.embeddings, known.embeddings[expression])
    donors = paired_cosine(known.embeddings[rest], known.embeddings[expression])
    return found | {
        "identity_to_expression_donor": {
            "swap": groups.mean_ci(to_expression, plan),
            "copying": groups.mean_ci(donors, plan),
            "impostor": real.impostor_groups.mean_ci(real.impostor, plan),
        },
        "verified_as_expression_donor": {
            "swap": groups.proportion_ci(to_expression > real.threshold, plan, 0.01),
            "copying": groups.proportion_ci(donors > real.threshold, plan, 0.01),
        },
        "closer_to_rest_donor": {
            "swap": groups.proportion_ci(to_rest > to_expression, plan, 0.5),
            **_closer_by_others(known, swapped, plan, seed),
        },
    }


def _closer_by_others(known: Known, swapped: Swapped, plan: Bootstrap, seed: int) -> dict[str, Estimate]:
    """The same against other pictures of both people, whose pose and light the swap did not get."""
    rest, expression = (
        other_faces_of_person(rows, known.identities, seed) for rows in (swapped.donors.rest, swapped.donors.expression)
    )
    both = (rest >= 0) & (expression >= 0)
    if not both.any():
        return {}
    own = swapped.embeddings[both]
    closer = paired_cosine(own, known.embeddings[rest[both]]) > paired_cosine(own, known.embeddings[expression[both]])
    return {"other_pictures": swapped.groups.take(both).proportion_ci(closer, plan, 0.5)}


def likeness(known: Known, swapped: Swapped, plan: Bootstrap) -> dict[str, dict[str, Estimate]]:
    """`psnr` and `ssim` to the true picture, where there is one; nothing where there is none.

    Beside them: `copying` the rest donor, the `mean_face` of all these faces, the true picture's own
    `reconstruction`; and how far the swap is above the first two, each swap against itself.
    """
    there = swapped.truths >= 0
    if not there.any():
        return {}
    own = known.encoded
    groups, index = swapped.groups.take(there), swapped.truths[there]
    truths, copies = own.pictures[index], own.pictures[swapped.donors.rest[there]]
    pictures, drawn = swapped.pictures[there], own.reconstructions[index]
    found = {}
    for name, measure in _LIKENESS.items():
        swap, copying = measure(pictures, truths), measure(copies, truths)
        mean_face = measure(_mean_face(known, len(truths)), truths)
        found[name] = {
            "swap": groups.mean_ci(swap, plan),
            "copying": groups.mean_ci(copying, plan),
            "mean_face": groups.mean_ci(mean_face, plan),
            "reconstruction": groups.mean_ci(measure(drawn, truths), plan),
            "over_copying": groups.mean_ci(swap - copying, plan, 0.0),
            "over_mean_face": groups.mean_ci(swap - mean_face, plan, 0.0),
        }
    return found


def kid_estimates(known: Known, swapped: Swapped, plan: Bootstrap, seed: int) -> dict[str, dict[str, Estimate]]:
    """`kid` of the swaps to the real faces; beside it that of `reconstruction`, and of `real` halves by people."""
    groups = group_ids(known.identities)
    alone = PairGroups(groups, groups)
    people = np.random.default_rng(seed).permutation(groups.max() + 1)
    half = np.isin(groups, people[: len(people) // 2])
    features = known.features
    return {
        "kid": {
            "swap": kid(swapped.features, features, swapped.groups, groups, plan),
            "reconstruction": kid(known.drawn_features, features, alone, groups, plan),
            "real": kid(features[half], features[~half], alone.take(half), groups[~half], plan),
        }
    }


def round_trip(known: Known, swapped: Swapped, plan: Bootstrap) -> dict[str, Any]:
    """`round_trip`: swapped and swapped back, against the rest donor; beside it the `reconstruction`, `mean_face`."""
    rest, own = swapped.donors.rest, known.encoded
    found = {}
    for name, measure in _LIKENESS.items():
        drawn = measure(own.reconstructions, own.pictures)[rest]
        found[name] = {
            "swap": swapped.groups.mean_ci(measure(swapped.back, own.pictures[rest]), plan),
            "reconstruction": swapped.rest_groups.mean_ci(drawn, plan),
            "mean_face": swapped.rest_groups.mean_ci(
                measure(_mean_face(known, len(own.pictures)), own.pictures)[rest], plan
            ),
        }
    return {"round_trip": found}


def code_cycle(known: Known, swapped: Swapped, plan: Bootstrap) -> dict[str, Any]:
    """`code_cycle`: cosine of the swap's own codes with those it was drawn from; beside it that of the two donors."""
    rest, expression, own = swapped.donors.rest, swapped.donors.expression, known.encoded
    found = {}
    for name, codes, giver in (("expression", own.expression, expression), ("rest", own.rest_code, rest)):
        again = getattr(swapped, name)
        found[name] = {
            "swap": swapped.groups.mean_ci(paired_cosine(again, codes[giver]), plan),
            "donors": swapped.groups.mean_ci(paired_cosine(codes[rest], codes[expression]), plan),
        }
    return {"code_cycle": found}


def _mean_face(known: Known, n: int) -> np.ndarray:
    """(n, S, S, 3) uint8, the mean of all faces n times."""
    mean = known.encoded.pictures.mean(axis=0).round().astype(np.uint8)
    return np.broadcast_to(mean, (n, *mean.shape))
