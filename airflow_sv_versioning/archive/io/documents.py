"""JSON documents that others wrote."""

from __future__ import annotations

from typing import Any

from airflow_sv_versioning.archive.checks.json_texts import cost_of, is_too_deep
from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.exceptions import FormatError


def parse_document(data: bytes | str, what: str, limits: ArchiveLimits | None = None) -> dict[str, Any]:
    """Decode a JSON object: strict, of a bounded depth.

    :param what: how messages name it.
    :param limits: bound what its values take; without them the document is known to be small.
    :raises FormatError: it is none.
    """
    import msgspec

    if limits and (cost := cost_of(data)) > limits.json_cost:
        raise FormatError(f"{what} would take {cost} bytes of memory; it was refused.")
    try:
        value = msgspec.json.decode(data)
        is_deep = is_too_deep(data if isinstance(data, str) else data.decode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FormatError(f"{what} cannot be read: {error}.") from error
    if not isinstance(value, dict):
        raise FormatError(f"{what} holds a {type(value).__name__}, not an object.")
    if is_deep:
        raise FormatError(f"{what} is nested too deeply; it was refused.")
    return value
