"""The types of projects that are spoken of, in the platform's words."""

from __future__ import annotations

from collections.abc import Collection

from airflow_sv_versioning.exceptions import ConfigurationError

TYPES = ("images", "videos", "volumes")


def check_types(argument: str, value: Collection[str]) -> frozenset[str]:
    """Take a list of types.

    :raises ConfigurationError: it is none, or names others.
    """
    if isinstance(value, str) or not set(value) <= set(TYPES):
        raise ConfigurationError(f"{argument} is {value!r}; it must be a list of some of {', '.join(TYPES)}.")
    return frozenset(value)
