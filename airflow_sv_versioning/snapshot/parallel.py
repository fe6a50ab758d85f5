"""Run requests side by side with back-pressure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_ordered(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Apply ``work`` in threads and yield the results in the order of the items.

    At most twice as many items as workers are taken in advance, so a slow consumer slows the
    producers. The first error, or the consumer leaving, drops what has not started.
    """
    window: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sv-versioning")
    try:
        for item in items:
            window.append(pool.submit(work, item))
            if len(window) >= 2 * workers:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
