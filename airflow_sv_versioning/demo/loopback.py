"""Requests to servers on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_LOOPBACK = "127.0.0.1"


@contextmanager
def no_proxy_to_this_machine() -> Iterator[None]:
    """Keep requests to the server on this machine away from a proxy that the environment names."""
    old_values = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    for name, value in old_values.items():
        os.environ[name] = ",".join(filter(None, (value, _LOOPBACK)))
    try:
        yield
    finally:
        for name, value in old_values.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
