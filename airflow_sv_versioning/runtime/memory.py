"""Little memory for columns that many threads make."""

from __future__ import annotations

import os
import sys

_POOL = "ARROW_DEFAULT_MEMORY_POOL"
# From malloc.h of the GNU C library.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BLOCK_BYTES = 512 * 1024
# Blocks of a batch of rows come and go: who returned them each time would wait for the system, not work.
_SPARE_BYTES = 8 * 1024 * 1024


def save_memory() -> None:
    """Let this process, for as long as it lives, return to the system what it needs no more.

    For programs, at their beginning: code that others call has no say over their process. pyarrow's own
    allocators keep what each thread once needed: a hundred megabytes where ten are in use.
    """
    if "pyarrow" in sys.modules:
        import pyarrow as pa

        pa.set_memory_pool(pa.system_memory_pool())
    else:
        # Only the first moment of pyarrow decides; that it comes now would cost commands that need none.
        os.environ.setdefault(_POOL, "system")
    _return_large_blocks()


def give_back() -> None:
    """Return to the system what pyarrow needs no more, before other work makes a peak on top of it."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _return_large_blocks() -> None:
    """Let the GNU C library return every large block to the system as soon as it is free.

    By itself it keeps ever larger ones, for each thread its own: a third more memory for long work. Of small
    ones it keeps a few megabytes. Other C libraries do not know the settings.
    """
    import ctypes

    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)
        set_option(_M_TRIM_THRESHOLD, _SPARE_BYTES)
