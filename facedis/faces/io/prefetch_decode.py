"""Images decoded by threads ahead of the one who needs them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from facedis.faces.io.images import DecodedImage, decode_image

#: Images that may wait, and the pixels they may hold together: a bound of the memory.
MAX_QUEUED_IMAGES = 128
MAX_QUEUED_PIXELS = 60_000_000


def prefetch_decoded(sources: Iterable[Path | Callable[[], bytes]], workers: int) -> Iterator[DecodedImage]:
    """Decode `sources` with `workers` threads, yielding in order."""
    waiting: deque[Future[DecodedImage]] = deque()
    most = MAX_QUEUED_IMAGES
    pool = ThreadPoolExecutor(workers, thread_name_prefix="facedis-decode")
    try:
        for source in sources:
            waiting.append(pool.submit(decode_image, source))
            if len(waiting) >= most:
                image = waiting.popleft().result()
                most = _queue_limit(image, workers)
                yield image
                while len(waiting) > most:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _queue_limit(image: DecodedImage, workers: int) -> int:
    """How many images like this one may wait; the images of a folder are mostly of like size."""
    if image.pixels is None:
        return MAX_QUEUED_IMAGES
    height, width = image.pixels.shape[:2]
    return max(workers + 1, min(MAX_QUEUED_IMAGES, MAX_QUEUED_PIXELS // (height * width)))
