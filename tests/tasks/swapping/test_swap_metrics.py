"""Swap metrics of generators with known quality: a perfect one, a copier and one with a constant output."""

from dataclasses import replace

import numpy as np
import pytest

from facedis.config import SwapEvalConfig
from facedis.metrics.generation.image_quality import psnr, ssim
from facedis.tasks.swapping.generator import EncodedFaces
from facedis.tasks.swapping.swap_metrics import Evaluators, SwapFaces, measure_swaps

CLASSES, PEOPLE, SIDE = ("neutral", "happiness", "anger"), 6, 24
CONFIG = SwapEvalConfig(pairs=5_000, bootstrap_samples=100)
ALL = PEOPLE * (PEOPLE - 1) * 6  # swaps across people: rest donor, expression donor, pairs of expressions


def face(tint, label):
    """A face whose colour is the person and whose white stripe is the expression."""
    image = np.full((SIDE, SIDE, 3), tint, np.uint8)
    image[6 * label + 3 : 6 * label + 7] = 255
    return image


def tint_of(images):
    return images[:, 0, 0].astype(np.float32)


def label_of(images):
    return (images[:, [4, 10, 16], 0].sum(axis=2) == 765).argmax(axis=1)


def faces(people=PEOPLE, known=True):
    tints = np.random.default_rng(0).integers(20, 200, (people, 3))
    images = np.stack([face(tint, label) for tint in tints for label in range(3)])
    labels = np.tile(np.arange(3), people)
    names = np.repeat([f"p{k}" for k in range(people)], 3)
    nothing = np.zeros(len(labels))
    return SwapFaces(images, labels, names, CLASSES, nothing[:, None] if known else None, nothing if known else None)


class Perfect:
    """The expression code is the expression, the rest code the colour."""

    def encode(self, faces):
        rest = np.concatenate([tint_of(faces), label_of(faces)[:, None]], axis=1).astype(np.float32)
        return EncodedFaces(faces, np.eye(3, dtype=np.float32)[label_of(faces)], self.rest(rest), faces)

    def rest(self, codes):
        return codes[:, :3]

    def decode(self, expression, rest):
        return np.stack([face(tint, label) for tint, label in zip(rest, expression.argmax(axis=1), strict=True)])


class Copier(Perfect):
    """The rest code contains everything, and the decoder uses nothing else."""

    def rest(self, codes):
        return codes

    def decode(self, expression, rest):
        return np.stack([face(code[:3], int(code[3])) for code in rest])


class Constant(Perfect):
    def decode(self, expression, rest):
        return np.stack([face((90, 100, 110), 0)] * len(rest))


class Classifier:
    classes, metadata = ("anger", "contempt", "neutral", "happiness"), {}

    def predict(self, images):
        probabilities = np.zeros((len(images), 4))
        order = np.array([2, 3, 0])  # the model's expressions among the classifier's
        probabilities[np.arange(len(images)), order[label_of(images)]] = 1
        return probabilities, np.concatenate([tint_of(images) / 255, probabilities], axis=1)


class Embedder:
    metadata: dict = {}  # noqa: RUF012

    def embed(self, images):
        return tint_of(images) - 110


def measured(generator, own=None, evaluators=None):
    own = own or faces()
    return measure_swaps(generator, own, evaluators or Evaluators(Classifier(), Embedder()), CONFIG)


def test_a_perfect_generator_has_perfect_scores():
    result = measured(Perfect())
    found = result.estimates
    assert result.pairs == {"across": ALL, "within": PEOPLE * 6}
    for kind in ("across", "within"):
        assert found["transfer"][kind]["swap"].value == 1
        assert found["copy_rate"][kind]["swap"].value == 0
        assert found["ssim"][kind]["swap"].value == pytest.approx(1)
        assert found["psnr"][kind]["swap"].value == pytest.approx(10 * np.log10(255**2 * 12))
        assert found["ssim"][kind]["over_copying"].low > 0 and found["ssim"][kind]["over_mean_face"].low > 0
        assert found["identity_to_rest_donor"][kind]["swap"].value == pytest.approx(1)
        assert found["verified_as_rest_donor"][kind]["swap"].value == 1
        assert found["round_trip"][kind]["ssim"]["swap"].value == pytest.approx(1)
        for code in ("expression", "rest"):
            assert found["code_cycle"][kind][code]["swap"].value == pytest.approx(1)
    assert found["closer_to_rest_donor"]["across"]["swap"].value == 1
    assert found["closer_to_rest_donor"]["across"]["other_pictures"].value == 1
    assert found["closer_to_rest_donor"]["within"] is None
    assert found["code_cycle"]["across"]["expression"]["donors"].value == 0
    # The swaps equal the real images, so KID is that of a set with itself: slightly below 0.
    assert found["kid"]["across"]["swap"].value < found["kid"]["across"]["real"].high
    assert len(result.examples) == CONFIG.num_examples == 24 and all(
        (each.swap == each.truth).all() for each in result.examples
    )
    assert not result.reasons


def test_a_copier_has_zero_transfer_and_full_copy_rate():
    result = measured(Copier())
    found = result.estimates
    for kind in ("across", "within"):
        assert found["transfer"][kind]["swap"].value == 0 == found["transfer"][kind]["copying"].value
        assert found["copy_rate"][kind]["swap"].value == 1
        assert found["copy_rate"][kind]["real"].value == 0
        assert found["ssim"][kind]["swap"].value == pytest.approx(found["ssim"][kind]["copying"].value)
        assert found["ssim"][kind]["over_copying"].value == pytest.approx(0)
        assert found["code_cycle"][kind]["expression"]["swap"].value == 0
    assert found["closer_to_rest_donor"]["across"]["swap"].value == 1
    assert all(
        (each.swap == each.rest_donor).all() and each.rest_expression != each.expression for each in result.examples
    )


def test_a_constant_output_is_at_chance():
    result = measured(Constant())
    found = result.estimates
    drawn = face((90, 100, 110), 0)
    for kind in ("across", "within"):
        assert found["transfer"][kind]["swap"].value == pytest.approx(1 / 3) == found["transfer"][kind]["swap"].chance
        assert found["copy_rate"][kind]["swap"].value == pytest.approx(1 / 3)
    # Every pair is swapped both ways, and a constant face is closer to one of the two.
    assert found["closer_to_rest_donor"]["across"]["swap"].value == pytest.approx(0.5)
    own = faces().images
    for name, measure in (("ssim", ssim), ("psnr", psnr)):
        expected = measure(np.stack([drawn] * len(own)), own).mean()  # every face is the ground truth equally often
        assert found[name]["across"]["swap"].value == pytest.approx(expected)
    assert found["kid"]["across"]["swap"].low > found["kid"]["across"]["real"].high


def test_references_are_measured_on_real_faces_and_the_mean_face():
    result = measured(Constant())
    found = result.estimates
    own = faces().images
    mean = own.mean(axis=0).round().astype(np.uint8)
    assert found["transfer"]["across"]["real"].value == found["transfer"]["across"]["reconstruction"].value == 1
    assert found["ssim"]["across"]["mean_face"].value == pytest.approx(ssim(np.stack([mean] * len(own)), own).mean())
    assert found["ssim"]["across"]["reconstruction"].value == pytest.approx(1)
    assert found["verified_as_rest_donor"]["across"]["genuine"].value == 1
    assert result.judges["face"]["auc"].value == 1
    assert found["transfer"]["across"]["swap"].n == ALL


def test_without_evaluators_only_image_and_code_metrics_are_measured():
    result = measured(Perfect(), evaluators=Evaluators())
    found = result.estimates
    assert found["transfer"] == found["closer_to_rest_donor"] == {"across": None, "within": None}
    assert found["ssim"]["across"]["swap"].value == pytest.approx(1)
    assert "--expression-model" in result.reasons["transfer"] and "--identity-model" in result.reasons["identity"]


def test_photos_without_identities_have_no_ground_truth_and_no_verification():
    own = faces(known=False)
    unlabelled = SwapFaces(own.images, own.labels, np.full(len(own.labels), ""), CLASSES)
    result = measured(Perfect(), unlabelled)
    found = result.estimates
    assert result.pairs["within"] == 0 and found["transfer"]["within"] is None
    assert found["transfer"]["across"]["swap"].value == 1
    assert found["ssim"]["across"] is None and "ssim.across" in result.reasons
    assert found["identity_to_rest_donor"]["across"] is None and "identity" in result.reasons
    assert all(each.truth is None for each in result.examples)


def test_photos_with_the_same_capture_have_a_ground_truth_within_a_person():
    own = faces(known=False)
    assert measured(Perfect(), own).estimates["ssim"] == {"across": None, "within": None}
    result = measured(Perfect(), replace(own, same_capture=True))
    found = result.estimates
    assert found["ssim"]["across"] is None
    assert found["ssim"]["within"]["swap"].value == pytest.approx(1)


def test_the_same_seed_gives_the_same_metrics():
    config = SwapEvalConfig(pairs=40, bootstrap_samples=100, seed=4)
    first, again = (measure_swaps(Perfect(), faces(), Evaluators(Classifier()), config).estimates for _ in range(2))
    assert first == again


def test_the_progress_counts_swaps():
    events = []
    measure_swaps(Perfect(), faces(people=20), Evaluators(), CONFIG, events.append)
    start, *_, last = (event for event in events if event.text == "swapping")
    counts = [event.done for event in events if event.kind == "advance"]
    assert start.total == counts[-1] == 20 * 19 * 6 + 20 * 6 and last.kind == "end"
    assert len(counts) > 5 and counts == sorted(counts)
