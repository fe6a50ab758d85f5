"""Why a geometry cannot be drawn."""

from __future__ import annotations


class Undrawable(Exception):  # noqa: N818
    """Never leaves this package: whoever draws tells it in the geometry's place."""
