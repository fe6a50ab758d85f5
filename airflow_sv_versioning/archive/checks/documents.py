"""What a version says of its project: description, settings, classes, tag definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.tables import Snapshot

_Test = Callable[[Any], bool]


def check_documents(snapshot: Snapshot) -> None:
    """Check the two documents of a snapshot.

    :raises FormatError: a member is not of the type that the platform's are of.
    """
    _check_members("project_info", snapshot.project_info, _INFO)
    settings = snapshot.project_info.get("settings") or {}
    _check_members("project_info: settings", settings, _SETTINGS)
    for kind, (name_key, members) in _ENTRIES.items():
        _check_entries(kind, snapshot.project_meta.get(kind), name_key, members)


def _check_entries(kind: str, entries: Any, name_key: str, members: Mapping[str, _Test]) -> None:
    if not _is_list_or_null(entries):
        raise _fault(f"project_meta: {kind}", entries)
    ids: set[int] = set()
    names: set[str] = set()
    for number, entry in enumerate(entries or []):
        if not isinstance(entry, dict):
            raise _fault(f"project_meta: {kind}[{number}]", entry)
        _check_members(f"project_meta: {kind}[{number}]", entry, members)
        if entry["id"] in ids or entry[name_key] in names:
            raise FormatError(
                f"The version has two {kind} of the name {entry[name_key]!r} or the id {entry['id']}; "
                "it is damaged."
            )
        ids.add(entry["id"])
        names.add(entry[name_key])


def _check_members(what: str, value: Mapping[str, Any], members: Mapping[str, _Test]) -> None:
    for name, is_right in members.items():
        if not is_right(value.get(name)):
            raise _fault(f"{what}.{name}", value.get(name))


def _fault(what: str, value: Any) -> FormatError:
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return FormatError(f"The version's {what} is {text}, which is nothing that can be restored.")


def _is_list_or_null(value: Any) -> bool:
    return value is None or isinstance(value, list)


def _is_object_or_null(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _is_text_or_null(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_id(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


def _is_id_or_null(value: Any) -> bool:
    return value is None or _is_id(value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_object_or_empty(value: Any) -> bool:
    return isinstance(value, dict) or value in (None, "", [])


_INFO: Mapping[str, _Test] = {
    "id": _is_id_or_null,
    "name": lambda value: isinstance(value, str),
    "readme": _is_text_or_null,
    "custom_data": _is_object_or_null,
    "settings": _is_object_or_null,
}
_SETTINGS: Mapping[str, _Test] = {
    "groupImagesByTagId": _is_id_or_null,
    "labelingInterface": _is_text_or_null,
}
# The member that holds the name, and what the members have to be.
_ENTRIES: Mapping[str, tuple[str, Mapping[str, _Test]]] = {
    "classes": (
        "title",
        {
            "id": _is_id,
            "title": _is_name,
            "shape": _is_text_or_null,
            "color": _is_text_or_null,
            "geometry_config": _is_object_or_empty,
        },
    ),
    "tags": (
        "name",
        {
            "id": _is_id,
            "name": _is_name,
            "value_type": _is_text_or_null,
            "color": _is_text_or_null,
            "values": _is_list_or_null,
            "classes": _is_list_or_null,
        },
    ),
}
