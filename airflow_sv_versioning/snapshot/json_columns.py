"""JSON as text in columns: empty objects and lists are null."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError

if TYPE_CHECKING:
    import msgspec

_EMPTY_JSON = frozenset((b"null", b"{}", b"[]"))


def json_text(value: Any) -> str | None:
    """Encode a value for a JSON text column; ``None``, ``{}`` and ``[]`` become null."""
    if value is None or value in ({}, []):
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_value(text: str | None) -> Any:
    """Decode a JSON text column; null is ``None``."""
    return None if text is None else json.loads(text)


def json_raw(text: str | None) -> msgspec.Raw:
    """Take a JSON text column into a request as it is, once it is known to be one JSON value.

    :raises FormatError: it is not.
    """
    import msgspec

    if text is None:
        return msgspec.Raw(b"null")
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.MsgspecError as error:
        raise FormatError(f"The snapshot holds broken JSON ({text[:60]!r}): {error}.") from error
    return msgspec.Raw(text)


def optional_json_raw(text: str | None) -> msgspec.Raw | None:
    """Take a JSON text column as :func:`json_raw` does; null is ``None``."""
    return None if text is None else json_raw(text)


def raw_text(value: msgspec.Raw) -> bytes | None:
    """Take JSON text into a column as it came; what is empty becomes null."""
    text = bytes(value)
    return None if text in _EMPTY_JSON else text
