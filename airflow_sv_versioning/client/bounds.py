"""What a connection or a command may ask for at most."""

from __future__ import annotations

MAX_SECONDS = 86_400
MAX_WORKERS = 256
