"""The border to Airflow: how errors become task states, and templated arguments become ids."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.exceptions import CancelledError, ConfigurationError, SuperviselyError


def is_nothing(value: Any) -> bool:
    """Say whether a template rendered to nothing: ``{{ params.version_id }}`` of a null gives ``"None"``."""
    return value is None or (isinstance(value, str) and value.strip() in {"", "None"})


@contextmanager
def airflow_outcome() -> Iterator[None]:
    """Let Airflow retry what may pass, and fail the task for good where a retry would fail again.

    :raises AirflowFailException: from a permanent error; others pass through unchanged.
    """
    try:
        yield
    except SuperviselyError as error:
        # A stop also comes from a worker that shuts down, and then the task must be tried again.
        if error.transient or isinstance(error, CancelledError):
            raise
        raise AirflowFailException(str(error)) from error


def get_id(argument: str, value: Any) -> int:
    """Turn a rendered argument into an id: a positive whole number.

    :param argument: its name, for the message.
    :raises ConfigurationError: it is something else.
    """
    text = "" if isinstance(value, bool | float) else str(value).strip()
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ConfigurationError(
            f"{argument} must be a positive whole number, but it is {value!r}; "
            "check the template or the upstream task that it comes from."
        )
    return int(text)


def find_id(argument: str, value: Any) -> int | None:
    """Turn a rendered argument into an id, or into ``None`` where it is not given."""
    return None if value is None else get_id(argument, value)


def find_ids(argument: str, value: Any) -> tuple[int, ...] | None:
    """Turn a rendered list of ids, such as ``[1, "2"]`` or ``"[1, 2]"``, into ids.

    :returns: ``None`` where it is not given; an empty tuple for an empty list.
    """
    if value is None:
        return None
    if isinstance(value, str) and not is_nothing(value):
        listed = value.strip().removeprefix("[").removesuffix("]")
        value = [part for part in listed.split(",") if part.strip()]
    if not isinstance(value, list | tuple | set | frozenset):
        value = [value]
    return tuple(get_id(argument, item) for item in value)
