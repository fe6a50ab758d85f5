"""What changed of a project itself: classes, tags, settings, readme, description, custom data."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.compare.records import Definition, ProjectDiff
from airflow_sv_versioning.project_types.compared_columns import CHOSEN_BY_PLATFORM, MEMBER_DEFAULTS
from airflow_sv_versioning.snapshot.canonical import canonical_json
from airflow_sv_versioning.snapshot.ids import told_id
from airflow_sv_versioning.snapshot.origin import own_custom_data
from airflow_sv_versioning.snapshot.tables import Snapshot

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class ComparedProject:
    """What differs of two projects.

    :param class_names: name of a class before -> its name after, of those that were renamed.
    """

    diff: ProjectDiff
    class_names: Mapping[str, str]
    tag_names: Mapping[str, str]


def compare_projects(
    before: Snapshot,
    after: Snapshot,
    *,
    same_project: bool,
    hidden_tag: str | None = None,
    not_these_settings: Collection[str] = (),
) -> ComparedProject:
    """Compare what two snapshots say of their projects.

    :param same_project: a class or tag of one id is the same one, whatever its name.
    :param hidden_tag: name of a tag that does not count.
    """
    classes = _Definitions("classes", "title", before, after, same_project)
    class_names = dict(classes.renamed())
    tags = _Definitions("tags", "name", before, after, same_project, hidden_tag, class_names)
    settings = [_settings(snapshot, not_these_settings) for snapshot in (before, after)]
    names = dict(tags.renamed())
    if "groupImagesByTagId" in settings[0]:
        tag = settings[0]["groupImagesByTagId"]
        settings[0]["groupImagesByTagId"] = names.get(tag, tag)
    texts = {
        "readme": [snapshot.project_info.get("readme") or None for snapshot in (before, after)],
        "custom_data": [own_custom_data(s.project_info.get("custom_data")) or None for s in (before, after)],
        "description": [None, None]
        if not same_project
        else [snapshot.project_info.get("description") or None for snapshot in (before, after)],
    }
    diff = ProjectDiff(
        classes=tuple(classes.changes()),
        tags=tuple(tags.changes()),
        settings=tuple(_changes(*settings)),
        **{what: tuple(_changes(*({what: value} for value in values))) for what, values in texts.items()},
    )
    return ComparedProject(diff, class_names, names)


class _Definitions:
    """The classes, or the tags, of two projects."""

    def __init__(
        self,
        what: str,
        name: str,
        before: Snapshot,
        after: Snapshot,
        same_project: bool,
        hidden: str | None = None,
        class_names: Mapping[str, str] | None = None,
    ) -> None:
        self._what = what
        self._name = name
        self._class_names = class_names or {}
        one, other = (
            {entry[name]: entry for entry in snapshot.project_meta.get(what) or [] if entry[name] != hidden}
            for snapshot in (before, after)
        )
        self._pairs = dict(self._by_id(one, other)) if same_project else {}
        paired = set(self._pairs.values())
        self._pairs |= {
            key: key for key in one if key in other and key not in self._pairs and key not in paired
        }
        self._before, self._after = one, other

    @staticmethod
    def _by_id(one: Mapping[str, Entry], other: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
        names = {number: key for key, entry in other.items() if (number := told_id(entry.get("id")))}
        for key, entry in one.items():
            if entry.get("id") in names:
                yield key, names[entry["id"]]

    def renamed(self) -> Iterator[tuple[str, str]]:
        """Tell the names of those that have another one now."""
        return ((one, other) for one, other in self._pairs.items() if one != other)

    def changes(self) -> Iterator[Definition]:
        """Tell what differs, first of what was there before."""
        new = set(self._pairs.values())
        for key, entry in self._before.items():
            if key not in self._pairs:
                yield Definition(key, "removed", before=said(entry, self._what))
                continue
            now = self._after[self._pairs[key]]
            one, other = self._content(self._with_new_names(entry), now), self._content(now, entry)
            if self._pairs[key] != key:
                yield Definition(self._pairs[key], "renamed", before=key, after=self._pairs[key])
            if one != other:
                yield Definition(self._pairs[key], "changed", before=one, after=other)
        for key, entry in self._after.items():
            if key not in new:
                yield Definition(key, "added", after=said(entry, self._what))

    def _with_new_names(self, entry: Entry) -> Entry:
        """Call the classes that a tag is for by the names that they have now."""
        classes = entry.get("classes")
        if not isinstance(classes, list):
            return entry
        return {**entry, "classes": [self._class_names.get(name, name) for name in classes]}

    def _content(self, entry: Entry, pair: Entry) -> dict[str, Any]:
        """Take what counts beside the name; what the platform chooses by itself, where both tell it."""
        content = said(entry, self._what)
        content.pop(self._name, None)
        for member in CHOSEN_BY_PLATFORM:
            if not pair.get(member):
                content.pop(member, None)
        return content


def said(members: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Keep what says more than nothing: what is absent is empty, off, or the platform's default.

    :param what: ``settings``, ``classes`` or ``tags``.
    """
    defaults = MEMBER_DEFAULTS[what]
    return {
        key: value
        for key, value in members.items()
        # A number is always said, and 0 equals False.
        if key != "id" and value is not False and value not in (None, "", [], {}, defaults.get(key))
    }


def project_content(snapshot: Snapshot) -> str:
    """Write what a comparison of two projects looks at as JSON in one spelling."""
    meta, info = snapshot.project_meta, snapshot.project_info
    content = {
        "classes": {entry["title"]: said(entry, "classes") for entry in meta.get("classes") or []},
        "tags": {entry["name"]: said(entry, "tags") for entry in meta.get("tags") or []},
        "settings": _settings(snapshot, ()),
        "readme": info.get("readme") or None,
        "custom_data": own_custom_data(info.get("custom_data")) or None,
    }
    return canonical_json(json.dumps(content))


def _settings(snapshot: Snapshot, without: Collection[str]) -> dict[str, Any]:
    settings = dict(snapshot.project_info.get("settings") or {})
    if settings.get("groupImagesByTagId") is not None:
        names = {tag.get("id"): tag["name"] for tag in snapshot.project_meta.get("tags") or []}
        settings["groupImagesByTagId"] = names.get(settings["groupImagesByTagId"])
    return {key: value for key, value in said(settings, "settings").items() if key not in without}


def _changes(before: Entry, after: Entry) -> Iterator[Definition]:
    for key in dict.fromkeys((*before, *after)):
        one, other = before.get(key), after.get(key)
        if one != other:
            change = (
                "changed"
                if one is not None and other is not None
                else "removed"
                if other is None
                else "added"
            )
            yield Definition(key, change, before=one, after=other)
