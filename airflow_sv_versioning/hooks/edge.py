"""The border to Airflow: how errors become task states, and templated arguments become ids."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable
from contextlib import ContextDecorator
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.client.ids import check_id
from airflow_sv_versioning.exceptions import CancelledError, ConfigurationError, SuperviselyError

if TYPE_CHECKING:
    from airflow_sv_versioning.snapshot.selection import Selection

logger = logging.getLogger(__name__)

_F = TypeVar("_F", bound=Callable[..., Any])


def is_nothing(value: Any) -> bool:
    """Say whether a template rendered to nothing: ``{{ params.version_id }}`` of a null gives ``"None"``."""
    return value is None or (isinstance(value, str) and value.strip() in {"", "None"})


class _Outcome(ContextDecorator):
    def __call__(self, function: _F) -> _F:
        if not inspect.iscoroutinefunction(function):
            return super().__call__(function)

        @wraps(function)
        async def inner(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return cast("_F", inner)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        # A stop also comes from a worker that shuts down, and then the task must be tried again.
        if not isinstance(error, SuperviselyError) or error.transient or isinstance(error, CancelledError):
            return
        # Airflow logs an exception with all that caused it; the sentence says what to do, once.
        logger.debug("Where the task failed:", exc_info=error)
        raise AirflowFailException(str(error)) from None


def airflow_outcome() -> _Outcome:
    """Let Airflow retry what may pass, and fail the task for good where a retry would fail again.

    All operators have it; code in a ``@task`` that uses the hook gets it by a line:

    .. code-block:: python

        @task
        @airflow_outcome()
        def count_images(project_id: int) -> int:
            with SuperviselyHook() as hook:
                return hook.client.projects.get(project_id).images_count

    It is a context manager, too: ``with airflow_outcome(), SuperviselyHook() as hook:``.

    :raises AirflowFailException: from a permanent error, which is its ``__context__``; others pass through
        unchanged.
    """
    return _Outcome()


def get_id(argument: str, value: Any) -> int:
    """Turn a rendered argument into an id: a positive whole number.

    :param argument: its name, for the message.
    :raises ConfigurationError: it is something else.
    """
    return check_id(argument, value, "check the template or the upstream task that it comes from")


def find_id(argument: str, value: Any) -> int | None:
    """Turn a rendered argument into an id, or into ``None`` where it is not given."""
    return None if value is None else get_id(argument, value)


def chosen_version(operator: Any) -> dict[str, Any]:
    """Collect what an operator's rendered arguments say of the version that is meant."""
    return {
        "version_id": find_id("version_id", operator.version_id),
        "version_num": find_id("version_num", operator.version_num),
        "as_of": operator.as_of,
    }


def chosen_selection(value: Any) -> Selection:
    """Read what an operator's rendered ``selection`` says: a selection, a mapping, or one as JSON.

    :raises ConfigurationError: it is none of these.
    """
    from airflow_sv_versioning.snapshot.selection import Selection

    return Selection.parse(json_of("selection", value))


def json_of(argument: str, value: Any) -> Any:
    """Read an operator's rendered argument that is a mapping, or one as JSON; others are for who asks.

    :raises ConfigurationError: it is a text that is no JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{argument} is {value!r}, which is no JSON: {error}. Where a template gives a mapping, "
            "have it written by '| tojson'."
        ) from error


def find_ids(argument: str, value: Any) -> tuple[int, ...] | None:
    """Turn a rendered list of ids, such as ``[1, "2"]`` or ``"[1, 2]"``, into ids.

    :returns: ``None`` where it is not given; an empty tuple for an empty list.
    """
    if value is None:
        return None
    if isinstance(value, str) and not is_nothing(value):
        inner_text = value.strip().removeprefix("[").removesuffix("]")
        value = [part for part in inner_text.split(",") if part.strip()]
    if not isinstance(value, list | tuple | set | frozenset):
        value = [value]
    return tuple(get_id(argument, item) for item in value)
