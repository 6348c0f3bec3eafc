"""Batches of a faces cache, read by a thread ahead of the step that uses them."""

import queue
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from facedis.faces.cache.cache import FacesCache

_END = object()


def prefetch_batches(
    cache: FacesCache, batches: Sequence[np.ndarray], ahead: int = 2
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows, faces) of each of `batches`, with at most `ahead` read in advance.

    Args:
        cache: Where the faces lie.
        batches: Rows of the cache, one array a batch.
        ahead: Bound of the memory: this many batches wait at most.

    Yields:
        The rows (n,) and their faces (n, S, S, 3) uint8, in the order given.
    """
    ready: queue.Queue = queue.Queue(maxsize=ahead)
    stop = threading.Event()

    def offer(item: object) -> None:
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue  # look again whether anybody still wants it

    def read() -> None:
        try:
            for rows in batches:
                if stop.is_set():
                    return
                offer((rows, cache.faces(rows)))
            offer(_END)
        except Exception as error:  # handed to the consumer, who raises it
            offer(error)

    reader = threading.Thread(target=read, name="facedis-batches", daemon=True)
    reader.start()
    try:
        while (item := ready.get()) is not _END:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stop.set()
        reader.join()


def in_batches(pictures: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """`pictures` in pieces of at most `size`, in order; one empty piece of none."""
    for start in range(0, max(len(pictures), 1), size):
        yield pictures[start : start + size]
