"""Samplers."""

import numpy as np
import pytest

from facedis.training.samplers import balanced_order, class_weights, epoch_order, grouped_order, process_batches

LABELS = np.repeat([0, 1, 2], [90, 9, 1])


def test_classes_are_equally_frequent_in_a_balanced_epoch():
    order = balanced_order(LABELS, 99, np.random.default_rng(0))
    assert np.bincount(LABELS[order]).tolist() == [33, 33, 33]
    assert len(np.unique(order[LABELS[order] == 0])) == 33, "no face of a large class occurs twice"


def test_the_order_of_an_epoch_depends_only_on_seed_and_epoch():
    first = epoch_order(LABELS, True, seed=1, epoch=4)
    assert np.array_equal(first, epoch_order(LABELS, True, seed=1, epoch=4))
    assert not np.array_equal(first, epoch_order(LABELS, True, seed=1, epoch=5))
    assert not np.array_equal(first, epoch_order(LABELS, True, seed=2, epoch=4))


def test_every_face_occurs_once_in_an_unbalanced_epoch():
    assert sorted(epoch_order(LABELS, False, 0, 0)) == list(range(100))


def test_processes_have_disjoint_batches_and_equal_numbers_of_steps():
    order = np.arange(23)
    first, second = process_batches(order, 4, 0, 2), process_batches(order, 4, 1, 2)
    assert len(first) == len(second) == 2
    assert not set(np.concatenate(first)) & set(np.concatenate(second))


def test_fewer_faces_than_the_batch_size_are_one_batch():
    assert [len(batch) for batch in process_batches(np.arange(5), 64, 0, 1)] == [5]


def test_class_weights_are_inverse_frequencies_with_mean_one():
    weights = class_weights(LABELS, 4)
    assert weights[3] == 0
    assert weights[LABELS].mean() == pytest.approx(1)
    assert weights[2] / weights[0] == pytest.approx(90)


def test_a_batch_of_a_grouped_order_has_few_people_with_all_their_expressions():
    labels, people = np.tile(np.arange(8), 20), np.repeat([f"p{n}" for n in range(10)], 16)
    order = grouped_order(labels, people, 0, 0)
    assert sorted(order) == list(range(160))
    for start in range(0, 160, 32):
        batch = order[start : start + 32]
        assert (np.bincount(labels[batch], minlength=8) == 4).all() and len(np.unique(people[batch])) <= 4


@pytest.mark.parametrize("world", [1, 2, 3])
def test_every_process_gets_pairs_of_faces_of_one_scene(world):
    labels, people = np.tile(np.arange(8), 40), np.repeat([f"p{n}" for n in range(40)], 8)
    order = grouped_order(labels, people, 0, 0, 2 * world)
    alone = [
        (np.unique(people[batch], return_counts=True)[1] == 1).sum()
        for rank in range(world)
        for batch in process_batches(order, 16, rank, world)
    ]
    assert np.mean(alone) <= (0 if world < 3 else 2)  # 3 does not divide 8: a run may end in the next batch


def test_the_grouped_order_without_known_people_is_balanced():
    labels = np.repeat([0, 1], [30, 10])
    order = grouped_order(labels, np.full(40, ""), 0, 0)
    assert np.bincount(labels[order]).tolist() == [20, 20]
