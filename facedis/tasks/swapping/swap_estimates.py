"""Estimates of a swap evaluation: each metric of the swaps with its references, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

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
from facedis.metrics.verification.recognition import FAR
from facedis.result import Estimate
from facedis.tasks.swapping.generator import EncodedFaces

#: Estimates of the swaps and of their references by name.
Estimates = dict[str, Estimate]

_QUALITY_METRICS = {"psnr": psnr, "ssim": ssim}


@dataclass(frozen=True)
class Outputs:
    """Outputs of the evaluators for n images; None without an evaluator.

    Attributes:
        predictions: (n,) int index into the classes.
        features: (n, F) features of the expression model.
        embeddings: (n, D) embeddings of the identity model.
    """

    predictions: np.ndarray | None = None
    features: np.ndarray | None = None
    embeddings: np.ndarray | None = None


@dataclass(frozen=True)
class RealFaces:
    """The n real faces that swaps are made from.

    Attributes:
        labels: (n,) int index into `classes`.
        identities: (n,) str, "" where unknown.
        classes: Expressions.
        encoded: Images at the network's input size, codes and reconstructions.
        real: Evaluator outputs of the images.
        reconstructed: Evaluator outputs of the reconstructions.
    """

    labels: np.ndarray
    identities: np.ndarray
    classes: tuple[str, ...]
    encoded: EncodedFaces
    real: Outputs
    reconstructed: Outputs


@dataclass(frozen=True)
class Swaps:
    """m swaps.

    Attributes:
        donors: Indices of both donors of each swap.
        groups: Identities of both donors.
        truths: (m,) int index of the ground-truth face, -1 where there is none.
        images: (m, S, S, 3) uint8.
        expression: (m, E) expression codes of the swapped images.
        rest: (m, R) rest codes of the swapped images.
        round_trip: (m, S, S, 3) uint8 rest donors after swapping back.
        outputs: Evaluator outputs of the swapped images.
    """

    donors: Donors
    groups: PairGroups
    truths: np.ndarray
    images: np.ndarray
    expression: np.ndarray
    rest: np.ndarray
    round_trip: np.ndarray
    outputs: Outputs

    @property
    def expression_groups(self) -> PairGroups:
        """Identities of the expression donors only."""
        return PairGroups(self.groups.second, self.groups.second)

    @property
    def rest_groups(self) -> PairGroups:
        """Identities of the rest donors only."""
        return PairGroups(self.groups.first, self.groups.first)


def estimate_transfer(faces: RealFaces, swaps: Swaps, plan: Bootstrap) -> dict[str, Estimates]:
    """`transfer`, the accuracy for the expression donor's label, and `copy_rate`, the share with the rest donor's.

    References of both: `copying` (the rest donor itself), `reconstruction` and `real` (the expression donor). Empty
    without an expression model.
    """
    swap, real, reconstructed = (each.predictions for each in (swaps.outputs, faces.real, faces.reconstructed))
    if swap is None or real is None or reconstructed is None:
        return {}
    rest, expression, num_classes = swaps.donors.rest, swaps.donors.expression, len(faces.classes)
    target, source = faces.labels[expression], faces.labels[rest]
    predictions = {
        "swap": (swap, swaps.groups),
        "copying": (real[rest], swaps.groups),
        "reconstruction": (reconstructed[expression], swaps.expression_groups),
        "real": (real[expression], swaps.expression_groups),
    }
    return {
        "transfer": {
            name: swap_accuracy_ci(groups, predicted, target, num_classes, plan)
            for name, (predicted, groups) in predictions.items()
        },
        "copy_rate": {
            name: swaps.groups.proportion_ci(predicted == source, plan, 1 / num_classes)
            for name, (predicted, _) in predictions.items()
        },
    }


def estimate_identity(
    faces: RealFaces, swaps: Swaps, pairs: RealPairScores | None, plan: Bootstrap, seed: int
) -> dict[str, Estimates]:
    """Face verification of the swaps against both donors.

    Swaps within one person have no estimates for the expression donor. Empty without an identity model.
    """
    swap, real, reconstructed = (each.embeddings for each in (swaps.outputs, faces.real, faces.reconstructed))
    if pairs is None or swap is None or real is None or reconstructed is None:
        return {}
    rest, expression, groups = swaps.donors.rest, swaps.donors.expression, swaps.groups
    to_rest = paired_cosine(swap, real[rest])
    reconstruction = paired_cosine(reconstructed[rest], real[rest])
    estimates = {
        "identity_to_rest_donor": {
            "swap": groups.mean_ci(to_rest, plan),
            "reconstruction": swaps.rest_groups.mean_ci(reconstruction, plan),
            "genuine": pairs.genuine_groups.mean_ci(pairs.genuine, plan),
            "impostor": pairs.impostor_groups.mean_ci(pairs.impostor, plan),
        },
        "verified_as_rest_donor": {
            "swap": groups.proportion_ci(to_rest > pairs.threshold, plan, FAR),
            "reconstruction": swaps.rest_groups.proportion_ci(reconstruction > pairs.threshold, plan, FAR),
            "genuine": pairs.genuine_groups.proportion_ci(pairs.genuine > pairs.threshold, plan, FAR),
        },
    }
    if (groups.first == groups.second).all():
        return estimates
    to_expression = paired_cosine(swap, real[expression])
    donors = paired_cosine(real[rest], real[expression])
    return estimates | {
        "identity_to_expression_donor": {
            "swap": groups.mean_ci(to_expression, plan),
            "copying": groups.mean_ci(donors, plan),
            "impostor": pairs.impostor_groups.mean_ci(pairs.impostor, plan),
        },
        "verified_as_expression_donor": {
            "swap": groups.proportion_ci(to_expression > pairs.threshold, plan, FAR),
            "copying": groups.proportion_ci(donors > pairs.threshold, plan, FAR),
        },
        "closer_to_rest_donor": {
            "swap": groups.proportion_ci(to_rest > to_expression, plan, 0.5),
            **_closer_to_other_images(faces, swaps, (swap, real), plan, seed),
        },
    }


def _closer_to_other_images(
    faces: RealFaces, swaps: Swaps, embeddings: tuple[np.ndarray, np.ndarray], plan: Bootstrap, seed: int
) -> Estimates:
    """`closer_to_rest_donor` measured on other images of both donors, which differ from the swap in pose and light."""
    rest, expression = (
        other_faces_of_person(rows, faces.identities, seed) for rows in (swaps.donors.rest, swaps.donors.expression)
    )
    both = (rest >= 0) & (expression >= 0)
    if not both.any():
        return {}
    swap, real = embeddings
    to_rest, to_expression = (paired_cosine(swap[both], real[rows[both]]) for rows in (rest, expression))
    return {"other_pictures": swaps.groups.take(both).proportion_ci(to_rest > to_expression, plan, 0.5)}


def estimate_image_quality(faces: RealFaces, swaps: Swaps, plan: Bootstrap) -> dict[str, Estimates]:
    """`psnr` and `ssim` to the ground truth; empty if no swap has a ground truth.

    References: `copying` the rest donor, the `mean_face` of all faces, and the `reconstruction` of the ground truth;
    `over_copying` and `over_mean_face` are the mean paired differences to the first two.
    """
    known = swaps.truths >= 0
    if not known.any():
        return {}
    own = faces.encoded
    groups, index = swaps.groups.take(known), swaps.truths[known]
    truths, rest_donors = own.images[index], own.images[swaps.donors.rest[known]]
    estimates = {}
    for name, metric in _QUALITY_METRICS.items():
        swap, copying = metric(swaps.images[known], truths), metric(rest_donors, truths)
        mean_face = metric(_mean_face(own.images, len(truths)), truths)
        estimates[name] = {
            "swap": groups.mean_ci(swap, plan),
            "copying": groups.mean_ci(copying, plan),
            "mean_face": groups.mean_ci(mean_face, plan),
            "reconstruction": groups.mean_ci(metric(own.reconstructions[index], truths), plan),
            "over_copying": groups.mean_ci(swap - copying, plan, 0.0),
            "over_mean_face": groups.mean_ci(swap - mean_face, plan, 0.0),
        }
    return estimates


def estimate_kid(faces: RealFaces, swaps: Swaps, plan: Bootstrap, seed: int) -> dict[str, Estimates]:
    """`kid` of the swaps to the real faces; empty without an expression model.

    References: the `reconstruction` of all faces, and two halves of the `real` faces with disjoint identities.
    """
    swap, real, reconstructed = (each.features for each in (swaps.outputs, faces.real, faces.reconstructed))
    if swap is None or real is None or reconstructed is None:
        return {}
    groups = group_ids(faces.identities)
    single = PairGroups(groups, groups)
    people = np.random.default_rng(seed).permutation(groups.max() + 1)
    half = np.isin(groups, people[: len(people) // 2])
    return {
        "kid": {
            "swap": kid(swap, real, swaps.groups, groups, plan),
            "reconstruction": kid(reconstructed, real, single, groups, plan),
            "real": kid(real[half], real[~half], single.take(half), groups[~half], plan),
        }
    }


def estimate_round_trip(faces: RealFaces, swaps: Swaps, plan: Bootstrap) -> dict[str, dict[str, Estimates]]:
    """`round_trip`: PSNR and SSIM of the rest donor after swapping back; references `reconstruction`, `mean_face`."""
    rest, own = swaps.donors.rest, faces.encoded
    mean_face, estimates = _mean_face(own.images, len(own.images)), {}
    for name, metric in _QUALITY_METRICS.items():
        estimates[name] = {
            "swap": swaps.groups.mean_ci(metric(swaps.round_trip, own.images[rest]), plan),
            "reconstruction": swaps.rest_groups.mean_ci(metric(own.reconstructions, own.images)[rest], plan),
            "mean_face": swaps.rest_groups.mean_ci(metric(mean_face, own.images)[rest], plan),
        }
    return {"round_trip": estimates}


def estimate_code_cycle(faces: RealFaces, swaps: Swaps, plan: Bootstrap) -> dict[str, dict[str, Estimates]]:
    """`code_cycle`: cosine of each swap's codes with the codes it was decoded from; reference: both `donors`."""
    rest, expression, own = swaps.donors.rest, swaps.donors.expression, faces.encoded
    codes: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {
        "expression": (own.expression, swaps.expression, expression),
        "rest": (own.rest_code, swaps.rest, rest),
    }
    return {
        "code_cycle": {
            name: {
                "swap": swaps.groups.mean_ci(paired_cosine(encoded, real[donor]), plan),
                "donors": swaps.groups.mean_ci(paired_cosine(real[rest], real[expression]), plan),
            }
            for name, (real, encoded, donor) in codes.items()
        }
    }


def _mean_face(images: np.ndarray, n: int) -> np.ndarray:
    """(n, S, S, 3) uint8, the mean of `images` repeated n times."""
    mean = images.mean(axis=0).round().astype(np.uint8)
    return np.broadcast_to(mean, (n, *mean.shape))
