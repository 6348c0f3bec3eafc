"""Swaps whose quality is known beforehand: a perfect swapper, a copier, one that draws the same face always."""

from dataclasses import replace

import numpy as np
import pytest

from facedis.config import SwapEvalConfig
from facedis.metrics.generation.image_quality import psnr, ssim
from facedis.tasks.swapping.generator import EncodedFaces
from facedis.tasks.swapping.swap_metrics import Evaluators, Faces, measure_swaps

CLASSES, PEOPLE, SIDE = ("neutral", "happiness", "anger"), 6, 24
CONFIG = SwapEvalConfig(pairs=5_000, bootstrap_samples=100)
ALL = PEOPLE * (PEOPLE - 1) * 6  # swaps across people: who, whose expression, from which to which


def face(tint, label):
    """A face of one colour, the person, with a white stripe at a height of its own, the expression."""
    picture = np.full((SIDE, SIDE, 3), tint, np.uint8)
    picture[6 * label + 3 : 6 * label + 7] = 255
    return picture


def tint_of(pictures):
    return pictures[:, 0, 0].astype(np.float32)


def label_of(pictures):
    return (pictures[:, [4, 10, 16], 0].sum(axis=2) == 765).argmax(axis=1)


def faces(people=PEOPLE, known=True):
    tints = np.random.default_rng(0).integers(20, 200, (people, 3))
    pictures = np.stack([face(tint, label) for tint in tints for label in range(3)])
    labels = np.tile(np.arange(3), people)
    names = np.repeat([f"p{k}" for k in range(people)], 3)
    nothing = np.zeros(len(labels))
    return Faces(pictures, labels, names, CLASSES, nothing[:, None] if known else None, nothing if known else None)


class Perfect:
    """Expression code: which expression; rest code: whose colour."""

    def encode(self, faces):
        rest = np.concatenate([tint_of(faces), label_of(faces)[:, None]], axis=1).astype(np.float32)
        return EncodedFaces(faces, np.eye(3, dtype=np.float32)[label_of(faces)], self.rest(rest), faces)

    def rest(self, codes):
        return codes[:, :3]

    def draw(self, expression, rest):
        return np.stack([face(tint, label) for tint, label in zip(rest, expression.argmax(axis=1), strict=True)])


class Copier(Perfect):
    """Its rest code holds everything, and it draws from that alone."""

    def rest(self, codes):
        return codes

    def draw(self, expression, rest):
        return np.stack([face(code[:3], int(code[3])) for code in rest])


class Constant(Perfect):
    def draw(self, expression, rest):
        return np.stack([face((90, 100, 110), 0)] * len(rest))


class Judge:
    classes, about = ("anger", "contempt", "neutral", "happiness"), {}

    def judge(self, pictures):
        probabilities = np.zeros((len(pictures), 4))
        order = np.array([2, 3, 0])  # the model's expressions among the judge's
        probabilities[np.arange(len(pictures)), order[label_of(pictures)]] = 1
        return probabilities, np.concatenate([tint_of(pictures) / 255, probabilities], axis=1)


class IdentityEvaluator:
    about: dict = {}  # noqa: RUF012

    def embeddings(self, pictures):
        return tint_of(pictures) - 110


def measured(draws, own=None, judges=None):
    own = own or faces()
    return measure_swaps(draws, own, judges or Evaluators(Judge(), IdentityEvaluator()), CONFIG)


def test_a_perfect_swapper_gets_full_marks():
    found, shown = measured(Perfect())
    assert found["pairs"] == {"across": ALL, "within": PEOPLE * 6}
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
    # The same pictures as the real ones, so KID is that of a set and itself: below 0 by what is left out.
    assert found["kid"]["across"]["swap"].value < found["kid"]["across"]["real"].high
    assert len(shown) == CONFIG.num_examples == 24 and all((each.swap == each.truth).all() for each in shown)
    assert not found["reasons"]


def test_a_copier_shows_up_as_one():
    found, shown = measured(Copier())
    for kind in ("across", "within"):
        assert found["transfer"][kind]["swap"].value == 0 == found["transfer"][kind]["copying"].value
        assert found["copy_rate"][kind]["swap"].value == 1
        assert found["copy_rate"][kind]["real"].value == 0
        assert found["ssim"][kind]["swap"].value == pytest.approx(found["ssim"][kind]["copying"].value)
        assert found["ssim"][kind]["over_copying"].value == pytest.approx(0)
        assert found["code_cycle"][kind]["expression"]["swap"].value == 0
    assert found["closer_to_rest_donor"]["across"]["swap"].value == 1
    assert all((each.swap == each.rest_donor).all() and each.rest_expression != each.expression for each in shown)


def test_one_that_always_draws_the_same_face_is_at_chance():
    found, _ = measured(Constant())
    drawn = face((90, 100, 110), 0)
    for kind in ("across", "within"):
        assert found["transfer"][kind]["swap"].value == pytest.approx(1 / 3) == found["transfer"][kind]["swap"].chance
        assert found["copy_rate"][kind]["swap"].value == pytest.approx(1 / 3)
    # Each two faces swap both ways, and a face that is always the same is nearer to one of them.
    assert found["closer_to_rest_donor"]["across"]["swap"].value == pytest.approx(0.5)
    own = faces().pictures
    for name, measure in (("ssim", ssim), ("psnr", psnr)):
        expected = measure(np.stack([drawn] * len(own)), own).mean()  # every face is a truth equally often
        assert found[name]["across"]["swap"].value == pytest.approx(expected)
    assert found["kid"]["across"]["swap"].low > found["kid"]["across"]["real"].high


def test_the_figures_beside_it_are_those_of_real_faces_and_the_mean_face():
    found, _ = measured(Constant())
    own = faces().pictures
    mean = own.mean(axis=0).round().astype(np.uint8)
    assert found["transfer"]["across"]["real"].value == found["transfer"]["across"]["reconstruction"].value == 1
    assert found["ssim"]["across"]["mean_face"].value == pytest.approx(ssim(np.stack([mean] * len(own)), own).mean())
    assert found["ssim"]["across"]["reconstruction"].value == pytest.approx(1)
    assert found["verified_as_rest_donor"]["across"]["genuine"].value == 1
    assert found["judges"]["face"]["auc"].value == 1
    assert found["transfer"]["across"]["swap"].n == ALL


def test_without_judges_only_pictures_and_codes_are_compared():
    found, _ = measured(Perfect(), judges=Evaluators())
    assert found["transfer"] == found["closer_to_rest_donor"] == {"across": None, "within": None}
    assert found["ssim"]["across"]["swap"].value == pytest.approx(1)
    assert "--expression-model" in found["reasons"]["transfer"] and "--identity-model" in found["reasons"]["identity"]


def test_photographs_of_nobody_have_no_truth_and_no_identity():
    own = faces(known=False)
    nobody = Faces(own.pictures, own.labels, np.full(len(own.labels), ""), CLASSES)
    found, shown = measured(Perfect(), nobody)
    assert found["pairs"]["within"] == 0 and found["transfer"]["within"] is None
    assert found["transfer"]["across"]["swap"].value == 1
    assert found["ssim"]["across"] is None and "ssim.across" in found["reasons"]
    assert found["identity_to_rest_donor"]["across"] is None and "identity" in found["reasons"]
    assert all(each.truth is None for each in shown)


def test_photographs_in_one_setting_know_the_truth_within_a_person():
    own = faces(known=False)
    assert measured(Perfect(), own)[0]["ssim"] == {"across": None, "within": None}
    found, _ = measured(Perfect(), replace(own, one_setting=True))
    assert found["ssim"]["across"] is None
    assert found["ssim"]["within"]["swap"].value == pytest.approx(1)


def test_the_same_seed_gives_the_same_record():
    config = SwapEvalConfig(pairs=40, bootstrap_samples=100, seed=4)
    first, again = (measure_swaps(Perfect(), faces(), Evaluators(Judge()), config)[0] for _ in range(2))
    assert first == again


def test_the_progress_counts_swaps():
    events = []
    measure_swaps(Perfect(), faces(people=20), Evaluators(), CONFIG, events.append)
    start, *_, last = (event for event in events if event.text == "swapping")
    counts = [event.done for event in events if event.kind == "advance"]
    assert start.total == counts[-1] == 20 * 19 * 6 + 20 * 6 and last.kind == "end"
    assert len(counts) > 5 and counts == sorted(counts)
