"""Little memory for columns that many threads make."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_POOL = "ARROW_DEFAULT_MEMORY_POOL"
# From malloc.h of the GNU C library.
_M_MMAP_THRESHOLD = -3
_LARGE_BLOCK_BYTES = 512 * 1024


@contextmanager
def lean_memory() -> Iterator[None]:
    """Let pyarrow take its memory from the system, until the block ends.

    Its own allocators keep what each thread once needed: a hundred megabytes where ten are in use. It is
    loaded aside, for the work begins with waiting for a server.
    """
    _return_large_blocks()
    with ThreadPoolExecutor(1, thread_name_prefix="sv-versioning-load") as aside:
        loaded = aside.submit(_use_system_memory)
        try:
            yield
        finally:
            _use(loaded.result())


def give_back() -> None:
    """Return to the system what pyarrow needs no more, before other work makes a peak on top of it."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _use_system_memory() -> pa.MemoryPool:
    if "pyarrow" not in sys.modules and _POOL not in os.environ:
        # What pyarrow takes without being told from where: only its first moment decides.
        os.environ[_POOL] = "system"
        try:
            import pyarrow as pa

            pa.default_memory_pool()
        finally:
            del os.environ[_POOL]
    import pyarrow as pa
    import pyarrow.dataset

    before = pa.default_memory_pool()
    _use(pa.system_memory_pool())
    return before


def _return_large_blocks() -> None:
    """Let the GNU C library return every large block to the system as soon as it is free.

    By itself it keeps ever larger ones, for each thread its own: a third more memory for long work. This
    lasts as long as the process; other C libraries do not know the setting.
    """
    import ctypes

    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


def _use(pool: pa.MemoryPool) -> None:
    import pyarrow as pa

    pa.set_memory_pool(pool)
