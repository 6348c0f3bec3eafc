from dataclasses import replace

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN

from facedis.drawn.bundled import picture
from facedis.drawn.factors import ACTIONS, Identity, Scene, sample_actions
from facedis.drawn.painter import draw
from facedis.taxonomy import EIGHT

SIZE = 192  # of the bundled set


def rng(number=1):
    return np.random.default_rng(number)


@pytest.fixture(scope="module")
def still():
    """A person, a relaxed face and a setting."""
    return Identity.sample(rng(3)), dict.fromkeys(sample_actions("neutral", rng()), 0.0), Scene.sample(rng(4))


def test_a_picture_is_rgb_of_the_size_asked_for(still):
    face = draw(*still, SIZE)
    assert face.shape == (SIZE, SIZE, 3)
    assert face.dtype == np.uint8
    assert face.std() > 20


def test_four_numbers_decide_a_picture():
    same = [picture(7, 2, "fear", 1, 64) for _ in range(2)]
    assert np.array_equal(*same)
    for other in (picture(8, 2, "fear", 1, 64), picture(7, 3, "fear", 1, 64), picture(7, 2, "anger", 1, 64)):
        assert not np.array_equal(same[0], other)
    assert not np.array_equal(same[0], picture(7, 2, "fear", 2, 64))


def test_a_person_keeps_no_randomness_for_the_face():
    """The generator of a person and the one of their first picture must not be the same stream."""
    assert rng([7, 2]).random() != rng([7, 2, 1, 0]).random()


@pytest.mark.parametrize("action", sorted({name for actions in ACTIONS.values() for name in actions}))
def test_every_action_moves_the_face(still, action):
    who, relaxed, scene = still
    names = {"smile": ["smile_left", "smile_right"], "smirk": ["smile_left"]}.get(action, [action])
    moved = draw(who, relaxed | dict.fromkeys(names, 1.0), scene, SIZE)
    changed = np.abs(moved.astype(int) - draw(who, relaxed, scene, SIZE)).max(axis=2) > 15
    assert changed.sum() > 30
    assert changed.mean() < 0.25  # the face, not the picture


def test_one_sided_smile_stays_on_its_side(still):
    who, relaxed, scene = still
    scene = replace(scene, shift=np.zeros(2), turn=0.0)
    moved = draw(who, relaxed | {"smile_left": 1.0}, scene, SIZE).astype(int)
    change = np.abs(moved - draw(who, relaxed, scene, SIZE)).sum(axis=2)
    assert change[:, : SIZE // 2].sum() > 10 * change[:, SIZE // 2 + 2 :].sum()


def test_actions_lie_in_their_range_whatever_the_expression():
    for expression in EIGHT:
        for number in range(50):
            actions = sample_actions(expression, rng(number))
            assert all(0 <= value <= 1 for value in actions.values())
    sides = {max(("smile_left", "smile_right"), key=sample_actions("contempt", rng(n)).get) for n in range(20)}
    assert sides == {"smile_left", "smile_right"}


def test_detector_finds_one_face_in_nearly_every_picture():
    detector = MTCNN(keep_all=True, min_face_size=40)
    pictures = [picture(99, person, expression, 0, SIZE) for person in range(3) for expression in EIGHT]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # many small operations: threads only get into each other's way
    found = [0 if boxes is None else len(boxes) for boxes, _ in map(detector.detect, pictures)]
    torch.set_num_threads(threads)
    assert found.count(1) >= 0.95 * len(pictures)
