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


@contextmanager
def lean_memory() -> Iterator[None]:
    """Let pyarrow take its memory from the system, until the block ends.

    Its own allocators keep what each thread once needed: a hundred megabytes where ten are in use. It is
    loaded aside, for the work begins with waiting for a server.
    """
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


def _use(pool: pa.MemoryPool) -> None:
    import pyarrow as pa

    pa.set_memory_pool(pool)
