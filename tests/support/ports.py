"""Ports that nobody else gets."""

import random
import socket

# Below what systems hand out to whoever asks for any port: of those, another test gets it a moment later.
_RANGE = range(20_000, 32_000)


def free_port() -> int:
    """Find a port that nobody listens on, nor will by chance."""
    while True:
        port = random.choice(_RANGE)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
