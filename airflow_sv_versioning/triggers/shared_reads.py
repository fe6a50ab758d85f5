"""One request answers everybody in this process who asks for the same at about the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")
# A triggerer has one event loop; tests have many, and an answer cannot be awaited on another one.
_LOOPS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Read]] = WeakKeyDictionary()
_KEPT_SECONDS = 600.0


@dataclass(frozen=True)
class Answer:
    """What was read, and when the reading began, on the clock of :func:`time.monotonic`."""

    value: Any
    began: float


@dataclass(frozen=True)
class _Read:
    began: float
    task: asyncio.Task[Any]


async def read_shared(key: Hashable, read: Callable[[], T], *, not_before: float) -> Answer:
    """Read in a thread, or take the answer to the same question that is not too old.

    At most one request for a key is under way; who cannot use its answer waits and shares the next one.

    :param key: what is asked, of whom, and with whose rights.
    :param read: blocks; nothing of Airflow may be called in it.
    :param not_before: an answer must have been asked for at or after this moment.
    """
    reads = _LOOPS.setdefault(asyncio.get_running_loop(), {})
    while (current := reads.get(key)) is None or current.began < not_before:
        if current is not None and not current.task.done():
            await asyncio.wait([current.task])
            continue
        _forget_old(reads)
        task = asyncio.create_task(asyncio.to_thread(read))
        # Whoever asked may be gone by then; an error that nobody fetches is no news.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        reads[key] = _Read(time.monotonic(), task)
    try:
        # A trigger that is cancelled must not take the answer away from the others.
        return Answer(await asyncio.shield(current.task), current.began)
    except Exception:
        # An error is told to those who waited for it, not to those who ask later.
        if reads.get(key) is current:
            del reads[key]
        raise


def _forget_old(reads: dict[Hashable, _Read]) -> None:
    oldest = time.monotonic() - _KEPT_SECONDS
    for key in [key for key, read in reads.items() if read.began < oldest and read.task.done()]:
        del reads[key]
