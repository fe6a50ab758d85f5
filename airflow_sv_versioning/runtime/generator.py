"""Who wrote what is written: the name and version of this package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

_DISTRIBUTION = "airflow-sv-versioning"


def generator() -> str:
    """Name this package and its version, such as ``airflow-sv-versioning 0.1.0``."""
    try:
        return f"{_DISTRIBUTION} {version(_DISTRIBUTION)}"
    except PackageNotFoundError:
        return f"{_DISTRIBUTION} (not installed)"
