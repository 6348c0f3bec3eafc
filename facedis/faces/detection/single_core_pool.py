"""Thread pool whose threads run torch on one core each."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Output = TypeVar("Output")


class SingleCorePool:
    """A fixed number of threads in each of which torch uses one core.

    For small tensors, torch's own parallelism within each operation costs more in synchronisation
    than it saves. Processing whole images in parallel needs no synchronisation.
    """

    def __init__(self, count: int) -> None:
        """Create `count` threads; with 1, work is done in the calling thread."""
        self._pool = ThreadPoolExecutor(count, "facedis-core", _use_one_core) if count > 1 else None

    def map(self, function: Callable[[Item], Output], items: Sequence[Item]) -> list[Output]:
        """Apply `function` to each of `items` and return the results in order."""
        if self._pool is None:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))


_lock = threading.Lock()


def _use_one_core() -> None:
    """Restrict this thread to one core without changing other threads.

    `torch.set_num_threads` also changes the default of threads that have not used torch yet, which
    a second thread restores.
    """
    with _lock:
        default = torch.get_num_threads()
        torch.set_num_threads(1)
        restore = threading.Thread(target=torch.set_num_threads, args=(default,))
        restore.start()
        restore.join()
