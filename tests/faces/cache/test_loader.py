"""Batches come in order, and a consumer that leaves early leaves no thread behind."""

import threading

import numpy as np
import pytest

from facedis.faces.cache.loader import prefetch_batches


def _batches(n):
    return [np.arange(3 * i, 3 * i + 3) for i in range(n)]


def test_batches_come_in_order_with_their_faces(opened):
    found = list(prefetch_batches(opened, _batches(5)))
    assert [rows.tolist() for rows, _ in found] == [batch.tolist() for batch in _batches(5)]
    assert all(np.array_equal(faces, opened.faces(rows)) for rows, faces in found)


@pytest.mark.parametrize("taken", [1, 4])
def test_a_consumer_that_stops_early_leaves_no_thread(opened, taken):
    reading = prefetch_batches(opened, _batches(5))
    for _ in range(taken):
        next(reading)
    reading.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "facedis-batches"]


def test_an_error_while_reading_reaches_the_consumer(opened):
    with pytest.raises(IndexError):
        list(prefetch_batches(opened, [np.array([10**9])]))
