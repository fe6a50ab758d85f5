"""A project's settings: set before its content, for they decide what the server takes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.compare.definitions import said
from airflow_sv_versioning.exceptions import ApiError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.compared_columns import CHOSEN_BY_SERVER
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.ids import joined, repeated
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.validation import distinct

if TYPE_CHECKING:
    import numpy as np

INTERFACE = "labelingInterface"
GROUPING_TAG = "groupImagesByTagId"
DUPLICATES = "allowDuplicateTags"
MULTI_VIEW = "multi_view"

# The platform's words, and the member's name where its value is refused. Source: error texts.
_ABOUT_INTERFACE = re.compile(r"label+ing\s?interface", re.IGNORECASE)
# Spreads keys over 64 bits.
_ODD = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class ProjectSettings:
    """The settings of a new project while it is filled.

    :param taken: those of the version that it has, or will have in the end.
    :param forced: those that it has otherwise meanwhile.
    """

    taken: Mapping[str, Any]
    forced: Mapping[str, Any]

    @property
    def interface(self) -> str | None:
        """The labelling interface; it decides whether videos may share objects."""
        return self.taken.get(INTERFACE)

    def rewritten(self, server_settings: Mapping[str, Any]) -> Iterator[str]:
        """Say which settings the server chose otherwise, of those that it makes fit each other.

        :param server_settings: the project's settings as they are.
        """
        version_settings, server_settings = said(self.taken, "settings"), said(server_settings, "settings")
        for member in CHOSEN_BY_SERVER:
            if version_settings.get(member) != server_settings.get(member):
                yield (
                    f"For the setting {member} the server chose {server_settings.get(member, 'unset')}, "
                    f"where the version has {version_settings.get(member, 'unset')}."
                )

    def put_back(self, client: SuperviselyClient, project_id: int) -> None:
        """Set what was forced as the version has it: what is set can be switched off, but not taken away."""
        if self.forced:
            version_values = {key: self.taken.get(key, False) for key in self.forced}
            client.projects.update_settings(project_id, version_values)


def apply_settings(
    client: SuperviselyClient,
    snapshot: Snapshot,
    project_id: int,
    tag_ids: Mapping[int, int],
    progress: Progress,
) -> ProjectSettings:
    """Give a new project the settings of a version; it has its classes and tags already.

    A labelling interface that the server does not take is left out, with a warning.
    """
    settings = _settings(snapshot, tag_ids)
    forced = forced_settings(snapshot, settings)
    try:
        _set(client, project_id, {**settings, **forced})
    except ApiError as error:
        if INTERFACE not in settings or not _ABOUT_INTERFACE.search(error.message):
            raise
        progress.warn(
            f"The labelling interface {settings.pop(INTERFACE)!r} of the version was not taken, and the new "
            f"project has the default one: {error.message}"
        )
        _set(client, project_id, {**settings, **forced})
    return ProjectSettings(settings, forced)


def forced_settings(snapshot: Snapshot, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Say which settings a project needs otherwise while it takes a snapshot."""
    # The second of two equal tags would be refused.
    is_forced = not settings.get(DUPLICATES) and _holds_duplicate_tags(snapshot)
    return {DUPLICATES: True} if is_forced else {}


def unfit_settings(snapshot: Snapshot, settings: Mapping[str, Any]) -> Iterator[str]:
    """Say what of a snapshot a project cannot take with its settings, which are not changed for it.

    :param settings: of a project that is there.
    """
    if project_type_of(snapshot.project_type).shares_objects:
        count = snapshot.row_count("objects")
        is_shared = len(distinct(snapshot, "objects", "src_object_id")) < count
        if is_shared or (count and settings.get(INTERFACE) == MULTI_VIEW):
            yield "objects that videos share, as in multi-view projects, come back in a new project only"


def _set(client: SuperviselyClient, project_id: int, settings: Mapping[str, Any]) -> None:
    if settings:
        client.projects.update_settings(project_id, dict(settings))


def _settings(snapshot: Snapshot, tag_ids: Mapping[int, int]) -> dict[str, Any]:
    """Take the snapshot's settings, with the grouping tag's new id."""
    settings = dict(snapshot.project_info.get("settings") or {})
    if settings.get(GROUPING_TAG) is not None:
        settings[GROUPING_TAG] = tag_ids.get(settings[GROUPING_TAG])
    # Sent as null, the server would store the text "default" instead of nothing.
    if settings.get(INTERFACE) is None:
        settings.pop(INTERFACE, None)
    return settings


def _holds_duplicate_tags(snapshot: Snapshot) -> bool:
    """Say whether a tag is on one owner twice; saying so of one where it is not does no harm."""
    return bool(repeated(joined(_tag_digests(snapshot))))


def _tag_digests(snapshot: Snapshot) -> Iterator[np.ndarray[Any, Any]]:
    """Make a number of each tag, the same of the same tags on the same owner."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in snapshot.iter_batches("tags", ["owner_type", "owner_id", "tag_id"]):
        owner_type = pc.index_in(batch["owner_type"], value_set=pa.array(["item", "object", "figure"]))
        digest = np.zeros(batch.num_rows, np.uint64)
        for column in (owner_type, batch["owner_id"], batch["tag_id"]):
            part = pc.fill_null(column, -1).to_numpy(zero_copy_only=False).astype(np.int64)
            digest = (digest ^ part.view(np.uint64)) * np.uint64(_ODD)
        yield digest.view(np.int64)
