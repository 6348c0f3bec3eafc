"""Images decoded in advance by threads."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from facedis.faces.io.images import DecodedImage, decode_image

#: Maximum number of queued images and of their pixels, which bounds the memory.
MAX_QUEUED_IMAGES = 128
MAX_QUEUED_PIXELS = 60_000_000


def prefetch_decoded(
    sources: Iterable[Path | Callable[[], bytes]], workers: int
) -> Generator[DecodedImage, None, None]:
    """Decode `sources` with `workers` threads and yield the images in order."""
    waiting: deque[Future[DecodedImage]] = deque()
    limit = MAX_QUEUED_IMAGES
    pool = ThreadPoolExecutor(workers, thread_name_prefix="facedis-decode")
    try:
        for source in sources:
            waiting.append(pool.submit(decode_image, source))
            if len(waiting) >= limit:
                image = waiting.popleft().result()
                limit = _queue_limit(image, workers)
                yield image
                while len(waiting) > limit:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _queue_limit(image: DecodedImage, workers: int) -> int:
    """Return how many images of this size may be queued; images of a folder usually have similar sizes."""
    if image.pixels is None:
        return MAX_QUEUED_IMAGES
    height, width = image.pixels.shape[:2]
    return max(workers + 1, min(MAX_QUEUED_IMAGES, MAX_QUEUED_PIXELS // (height * width)))
