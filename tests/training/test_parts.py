"""Samplers, schedules, augmentation and interruption: the small parts of a run."""

import os
import signal

import numpy as np
import pytest
import torch

from facedis.model.preprocessing import to_images
from facedis.training.interrupt import stop_between_steps
from facedis.training.recipes.augmentation import augment
from facedis.training.samplers import balanced_order, class_weights, epoch_order, process_batches
from facedis.training.schedule import lr_factor

LABELS = np.repeat([0, 1, 2], [90, 9, 1])


def test_a_balanced_epoch_shows_every_class_equally_often():
    order = balanced_order(LABELS, 99, np.random.default_rng(0))
    assert np.bincount(LABELS[order]).tolist() == [33, 33, 33]
    assert len(np.unique(order[LABELS[order] == 0])) == 33, "no face of a big class comes twice"


def test_an_epoch_depends_on_seed_and_number_and_nothing_else():
    first = epoch_order(LABELS, True, seed=1, epoch=4)
    assert np.array_equal(first, epoch_order(LABELS, True, seed=1, epoch=4))
    assert not np.array_equal(first, epoch_order(LABELS, True, seed=1, epoch=5))
    assert not np.array_equal(first, epoch_order(LABELS, True, seed=2, epoch=4))


def test_without_balance_every_face_comes_once():
    assert sorted(epoch_order(LABELS, False, 0, 0)) == list(range(100))


def test_processes_share_an_epoch_without_overlap_and_with_equal_steps():
    order = np.arange(23)
    first, second = process_batches(order, 4, 0, 2), process_batches(order, 4, 1, 2)
    assert len(first) == len(second) == 2
    assert not set(np.concatenate(first)) & set(np.concatenate(second))


def test_fewer_faces_than_a_batch_are_one_batch():
    assert [len(batch) for batch in process_batches(np.arange(5), 64, 0, 1)] == [5]


def test_class_weights_are_inverse_frequencies_with_mean_one():
    weights = class_weights(LABELS, 4)
    assert weights[3] == 0
    assert weights[LABELS].mean() == pytest.approx(1)
    assert weights[2] / weights[0] == pytest.approx(90)


def test_schedules_start_and_end_where_they_should():
    assert lr_factor("constant", 7, 10) == 1
    assert lr_factor("cosine", 0, 10) == 1
    assert lr_factor("cosine", 5, 10) == pytest.approx(0.5)
    assert lr_factor("onecycle", 0, 100) < 0.1 < lr_factor("onecycle", 9, 100)
    assert max(lr_factor("onecycle", step, 100) for step in range(100)) == pytest.approx(1, abs=0.01)
    assert lr_factor("onecycle", 99, 100) < 0.01


def test_faces_become_images_in_the_unit_range_and_lose_colour_on_request():
    faces = torch.randint(0, 256, (2, 40, 40, 3), dtype=torch.uint8)
    same = to_images(faces, 40)
    torch.testing.assert_close(same, faces.permute(0, 3, 1, 2) / 255)
    assert to_images(faces, 20).shape == (2, 3, 20, 20)
    grey = to_images(faces, 40, grey=True)
    assert torch.equal(grey[:, 0], grey[:, 1]) and not torch.equal(same[:, 0], same[:, 1])


def test_grey_is_what_pillow_calls_grey():
    from PIL import Image

    face = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    expected = np.asarray(Image.fromarray(face).convert("L"))
    found = to_images(torch.from_numpy(face[None]), 8, grey=True)[0, 0] * 255
    assert np.abs(found.numpy() - expected).max() <= 1


@pytest.mark.parametrize("kind", ["flip", "mild", "strong"])
def test_augmentation_is_repeatable_changes_the_image_and_stays_in_range(kind):
    images = torch.rand(16, 3, 24, 24)
    one, two = (augment(images, kind, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, images)
    assert one.shape == images.shape and one.min() >= 0 and one.max() <= 1
    assert torch.equal(augment(images, "none", torch.Generator()), images)


@pytest.mark.parametrize("kind", ["flip", "mild", "strong"])
def test_images_of_one_group_are_changed_alike(kind):
    images = torch.rand(4, 3, 24, 24)
    images[2] = images[0]
    found = augment(images, kind, torch.Generator().manual_seed(1), torch.tensor([0, 1, 0, 2]))
    assert torch.equal(found[0], found[2])


def test_flip_mirrors_left_and_right():
    image = torch.zeros(64, 3, 4, 4)
    image[..., 0] = 1  # bright on the left
    flipped = augment(image, "flip", torch.Generator().manual_seed(0))
    assert {tuple(row.tolist()) for row in flipped[:, 0, 0]} == {(1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)}


def test_the_first_signal_asks_and_the_handlers_come_back():
    before = signal.getsignal(signal.SIGINT)
    with stop_between_steps() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_between_steps() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop.wait(0.1)
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
