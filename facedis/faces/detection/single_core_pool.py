"""Work on small tensors in several threads, one core each."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Output = TypeVar("Output")


class SingleCorePool:
    """A fixed number of threads in each of which torch keeps to one core.

    Splitting every small operation over all cores, as torch does by itself, spends more time on
    meeting points than on arithmetic, most of all on a busy machine. Whole images in parallel need
    no meeting points.
    """

    def __init__(self, count: int) -> None:
        """`count` threads; with one the work is done in the calling thread as it comes."""
        self._pool = ThreadPoolExecutor(count, "facedis-lane", _use_one_core) if count > 1 else None

    def map(self, function: Callable[[Item], Output], items: Sequence[Item]) -> list[Output]:
        """`function` of each of `items`, in order; which thread does which changes no result."""
        if self._pool is None:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))


_lock = threading.Lock()


def _use_one_core() -> None:
    """Set this thread's number of cores, and leave that of the others as it was.

    `torch.set_num_threads` sets the number for the calling thread, and for every thread that has
    not yet asked for its own.
    """
    with _lock:
        others = torch.get_num_threads()
        torch.set_num_threads(1)
        restore = threading.Thread(target=torch.set_num_threads, args=(others,))
        restore.start()
        restore.join()
