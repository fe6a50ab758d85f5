"""Commands that need more than the package's own requirements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow_sv_versioning.exceptions import ConfigurationError


@contextmanager
def extra_needed(extra: str) -> Iterator[None]:
    """Let a missing package be told by what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"This command needs the package '{error.name}': pip install 'airflow-sv-versioning[{extra}]'."
        ) from error
