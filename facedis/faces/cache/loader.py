"""Batches of a faces cache, prefetched by a thread."""

import queue
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from facedis.faces.cache.cache import FacesCache

_END = object()


def prefetch_batches(
    cache: FacesCache, batches: Sequence[np.ndarray], ahead: int = 2
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows and faces of each of `batches`, reading at most `ahead` batches in advance.

    Args:
        cache: The open cache.
        batches: Row indices, one array per batch.
        ahead: Maximum number of batches in the queue.

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
                continue  # check `stop` again

    def read() -> None:
        try:
            for rows in batches:
                if stop.is_set():
                    return
                offer((rows, cache.faces(rows)))
            offer(_END)
        except Exception as error:  # raised by the consumer
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


def in_batches(images: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Yield `images` in batches of at most `size`; a single empty batch if there are none."""
    for start in range(0, max(len(images), 1), size):
        yield images[start : start + size]
