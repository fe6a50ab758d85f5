"""The one place where answers are decoded: what is not of the promised shape is an error that names it."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

import msgspec

from airflow_sv_versioning.exceptions import UnexpectedAnswerError

T = TypeVar("T")

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""An id of the platform; anything larger is none, and no table could hold it."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class NotJsonError(UnexpectedAnswerError):
    """An answer of status 200 is not JSON at all."""

    kind = UnexpectedAnswerError.kind


def decode(method: str, content: bytes, answer_type: type[T]) -> T:
    """Decode an answer as a type; numbers may be written as texts.

    :raises NotJsonError: it is no JSON.
    :raises UnexpectedAnswerError: a member is missing or of another type; the message says where.
    """
    try:
        return msgspec.json.decode(content, type=answer_type, strict=False)
    except msgspec.ValidationError as error:
        raise _unexpected(method, error) from error
    except RecursionError as error:
        raise _unexpected(method, "it is nested too deeply") from error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # Servers in Python write numbers that strict JSON does not know.
        value = _lenient(method, content)
    try:
        return msgspec.convert(value, answer_type, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _unexpected(method, error) from error


def prove(method: str, value: Any, shape: Any) -> None:
    """Make sure that decoded JSON has the members, of the types, that somebody is going to read.

    :raises UnexpectedAnswerError: it has not; the message says where.
    """
    try:
        msgspec.convert(value, shape)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _unexpected(method, error) from error


def read_record(method: str, data: Any, record_type: type[T]) -> T:
    """Read one of the records of :mod:`~airflow_sv_versioning.client.models`; null is the same as absent.

    :raises UnexpectedAnswerError: a member is missing or of another type; the message says where.
    """
    members = data
    if isinstance(data, dict):
        members = {key: value for key, value in data.items() if value is not None} | {"raw": data}
    try:
        return msgspec.convert(members, record_type, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _unexpected(method, error) from error


def _lenient(method: str, content: bytes) -> Any:
    try:
        value = json.loads(content)
        if b"\\ud" in content.lower():
            # Half of a surrogate pair is a valid escape, but no text that could be written anywhere.
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise _unexpected(method, "it is nested too deeply") from error
    except ValueError as error:
        begin = content[:100].decode("utf-8", "replace")
        raise NotJsonError(
            f"{method} answered with something that is not JSON ({begin!r}).", method=method
        ) from error
    return value


def _unexpected(method: str, why: object) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"{method} answered with something unexpected: {why}.", method=method)
