"""``open_version``: from the server or an archive file to a reader."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_sv_versioning.archive.stored.version_ref import VersionRef
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.dataset.cache import Cache
from airflow_sv_versioning.dataset.media import MediaSource
from airflow_sv_versioning.dataset.opened import OpenedVersion, opened_from_file, opened_from_server
from airflow_sv_versioning.dataset.reader import VersionReader
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.part import take_part
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.vault.opening import OpenVault, find_vault


def open_version(
    source: SuperviselyClient | str | Path,
    project_id: int | None = None,
    version_id: int | None = None,
    version_num: int | None = None,
    *,
    as_of: str | datetime | None = None,
    selection: Selection | Mapping[str, Any] | None = None,
    archive_sha256: str | None = None,
    project_type: str | None = None,
    vault: Any = None,
    client: SuperviselyClient | None = None,
    cache: Cache | str | Path | None = None,
    open_vault: OpenVault | None = None,
    progress: Progress | None = None,
) -> VersionReader:
    """Open a version to read it.

    .. code-block:: python

        with open_version(client, 42, version_id=311) as version:
            for batch in version.figures(classes=["car"], columns=["src_image_id", "geometry_json"]):
                ...

    Its archive is downloaded once and unpacked into a cache on this disk, which other readers on this machine
    share. Of a version of a server, give exactly one of ``version_id``, ``version_num`` and ``as_of``.

    :param source: a client of the server; or the path of an archive file, which needs no project.
    :param as_of: the newest version made at or before this moment.
    :param selection: the part to read; everything by default.
    :param archive_sha256: hex digest that the archive must have, where it was recorded: then what is read is
        what it was.
    :param project_type: what an archive file holds; by default that is found out.
    :param vault: where the originals of its items are besides the server; by default the vault that the
        version names.
    :param client: where an archive file's originals may be.
    :param open_vault: opens a vault by its URL, such as one that names a connection of Airflow.
    :param cache: a folder, or a :class:`~airflow_sv_versioning.dataset.cache.Cache` with a size; by default
        20 GB in the user's folder for such.
    :raises ConfigurationError: the version is named in no way or several, or the selection matches nothing.
    :raises NotFoundError: the project is gone, or the version.
    :raises ArchiveMissingError: the version is there, its archive is gone.
    :raises FormatError: the archive is none, or damaged.
    :raises IntegrityError: the archive is not what it should be.
    :raises CacheError: the disk refuses.
    """
    chosen = Selection.parse(selection)
    kept = Cache.of(cache)
    with ExitStack() as stack:
        if isinstance(source, SuperviselyClient):
            client = source
            if project_id is None:
                raise ConfigurationError("Give the project_id of the version to open.")
            version_ref = VersionRef.parse(version_id, version_num, as_of)
            opening = opened_from_server(
                source, project_id, version_ref, kept, progress or Progress(), archive_sha256
            )
        else:
            opening = opened_from_file(Path(source).expanduser(), project_type, kept, archive_sha256)
        opened = stack.enter_context(opening)
        snapshot = opened.snapshot
        if not chosen.is_everything:
            snapshot = take_part(snapshot, chosen, stack.enter_context(work_folder()) / "part")
        media = _media(opened, kept, vault, client, open_vault or find_vault)
        return VersionReader(snapshot, opened.facts, media, stack.pop_all())


def _media(
    opened: OpenedVersion,
    cache: Cache,
    vault: Any,
    client: SuperviselyClient | None,
    open_vault: OpenVault,
) -> MediaSource:
    facts = opened.facts
    opened_vault = open_vault(facts.vault_url if vault is None else vault)
    return MediaSource(facts.project_type, cache, opened_vault, client, opened.media_hashes)
