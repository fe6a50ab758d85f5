"""Run requests side by side with back-pressure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
K = TypeVar("K")


@contextmanager
def threads(count: int, what_for: str) -> Iterator[ThreadPoolExecutor]:
    """Give threads until the block ends: what has not begun is dropped then, and what has is waited for."""
    pool = ThreadPoolExecutor(count, thread_name_prefix=f"sv-versioning-{what_for}")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def started(elements: Iterator[T]) -> Iterator[T]:
    """Take the first element now, so that a generator's threads work on while something else is done."""
    first = list(islice(elements, 1))
    return chain(first, elements)


def interleave(sources: Iterable[tuple[K, Iterator[T]]], workers: int) -> Iterator[tuple[K, T | None]]:
    """Take one element after the other from several sources at once, each one element ahead.

    Elements come in turns with the key of their source; ``None`` says that a source has ended.
    """
    waiting = iter(sources)
    active: deque[tuple[K, Iterator[T], Future[T | None]]] = deque()
    with threads(workers, "list") as pool:

        def begin(key: K, source: Iterator[T]) -> None:
            active.append((key, source, pool.submit(next, source, None)))

        for key, source in islice(waiting, workers):
            begin(key, source)
        while active:
            key, source, future = active.popleft()
            element = future.result()
            if element is not None:
                begin(key, source)
            elif (following := next(waiting, None)) is not None:
                begin(*following)
            yield key, element


def map_ordered(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Apply ``work`` in threads and yield the results in the order of the items.

    At most twice as many items as workers are taken in advance, so a slow consumer slows the
    producers. The first error, or the consumer leaving, drops what has not started.
    """
    window: deque[Future[R]] = deque()
    with threads(workers, "work") as pool:
        for item in items:
            window.append(pool.submit(work, item))
            if len(window) >= 2 * workers:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
