"""The trash: manifests of versions that retention took out of a vault.

.. code-block:: text

    state/trash/<server>/<project id>/<version num>-<version id>.json

First the manifests are copied there, then they are removed from ``versions``. A version whose manifest is in
both, as when that was cut short, is not in the trash. For seven days a version in the trash needs its
contents still and can be brought back; afterwards a prune may remove them. What lies in the trash stays
there: it says that the version was taken out on purpose, though the platform still has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from airflow_sv_versioning.exceptions import ConfigurationError, FormatError
from airflow_sv_versioning.runtime.moments import now, parse_moment
from airflow_sv_versioning.vault.holds import list_holds
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import (
    Entry,
    VaultVersion,
    list_entries,
    list_manifests,
    parse_name,
    parse_version,
)

if TYPE_CHECKING:
    import pendulum

TRASH_DAYS = 7
_TRASH = "state/trash"
_SECONDS = TRASH_DAYS * 24 * 3600


class Trashed(msgspec.Struct, frozen=True, kw_only=True):
    """A version in the trash.

    :ivar trashed_at: the moment, as ISO 8601 in UTC.
    :ivar plan: digest of the plan by which it was taken out.
    :ivar manifests: the version's manifests, as texts by their names, from the first to the newest.
    """

    version_num: int
    version_id: int
    trashed_at: str
    plan: str
    manifests: dict[str, str]

    @property
    def entry(self) -> Entry:
        """The newest manifest."""
        names = (parse_name(name.rpartition("/")[2]) for name in self.manifests)
        return max(filter(None, names), default=Entry(self.version_num, self.version_id, 1))

    @property
    def moment(self) -> pendulum.DateTime:
        """When it was taken out."""
        return parse_moment("trashed_at", self.trashed_at)

    @property
    def is_young(self) -> bool:
        """Whether it needs its contents still, for it may be brought back."""
        return (now() - self.moment).total_seconds() < _SECONDS

    def version(self, vault: Vault, owner: Owner) -> VaultVersion:
        """Read the newest manifest.

        :raises FormatError: it is damaged, or is none.
        """
        text = self.manifests.get(self.entry.name(owner), "")
        return parse_version(vault, owner, self.entry, text.encode())


def trash_version(vault: Vault, owner: Owner, entry: Entry, plan: str) -> str:
    """Take a version out of a vault; repeated, it goes on where it was cut short.

    :param plan: digest of the plan that has it so.
    :returns: until when the storage keeps the version, which stays then; nothing where it does not.
    """
    entries = list_manifests(vault, owner, entry.version_id)
    for manifest in entries:
        if lock := vault.find_lock(manifest.name(owner)):
            return lock
    earlier = find_trashed(vault, owner, entry)
    if earlier and not entries:
        return ""
    manifests = dict(earlier.manifests) if earlier else {}
    for name in (manifest.name(owner) for manifest in entries):
        manifests[name] = b"".join(vault.iter_lines(name)).decode()
    trashed = Trashed(
        version_num=entry.version_num,
        version_id=entry.version_id,
        trashed_at=now().to_iso8601_string(),
        plan=plan,
        manifests=manifests,
    )
    vault.write_file(_name(owner, entry), [msgspec.json.encode(trashed)])
    # The newest last: until then the version is there as it was.
    for manifest in entries:
        vault.remove_file(manifest.name(owner))
    return ""


def find_trashed(vault: Vault, owner: Owner, entry: Entry) -> Trashed | None:
    """Read what the trash has of a version, ``None`` where it has nothing.

    :raises FormatError: its file is damaged.
    """
    name = _name(owner, entry)
    if not (content := b"".join(vault.iter_lines(name))):
        return None
    try:
        trashed = msgspec.json.decode(content, type=Trashed)
        parse_moment("trashed_at", trashed.trashed_at)
    except (msgspec.MsgspecError, ConfigurationError) as error:
        raise FormatError(f"{name} of {vault.url} cannot be read: {error}.") from error
    return trashed


def list_trashed(vault: Vault, owner: Owner) -> list[Trashed]:
    """Read the trash of a project, by number; without versions that are back, or still there.

    :raises FormatError: a file is damaged.
    """
    found = (find_trashed(vault, owner, entry) for entry in list_in_trash(vault, owner))
    return [trashed for trashed in found if trashed is not None]


def list_in_trash(vault: Vault, owner: Owner) -> list[Entry]:
    """List the versions in the trash of a project, by number, as :func:`list_trashed`, and read none."""
    present_ids = {entry.version_id for entry in list_entries(vault, owner)}
    entries = filter(None, map(parse_name, vault.list_files(_folder(owner))))
    return sorted(entry for entry in entries if entry.version_id not in present_ids)


def split_trash(vault: Vault, owner: Owner) -> tuple[set[int], set[int]]:
    """Tell by their ids which versions in the trash need their contents still, and which do not.

    :raises FormatError: a file is damaged.
    """
    held_ids = list_holds(vault, owner).keys()
    trash = list_trashed(vault, owner)
    needing_ids = {t.version_id for t in trash if t.is_young or t.version_id in held_ids}
    return needing_ids, {t.version_id for t in trash} - needing_ids


def list_trash_owners(vault: Vault) -> list[Owner]:
    """List the projects of which something lies in the trash."""
    return [
        Owner(server, int(project))
        for server in vault.list_folders(_TRASH)
        for project in vault.list_folders(f"{_TRASH}/{server}")
        if project.isdigit()
    ]


def bring_back(vault: Vault, owner: Owner, trashed: Trashed) -> None:
    """Put a version's manifests where they were; who calls sees to it that its contents are there."""
    # The newest first: with it the version is there as it was.
    for name, text in reversed(trashed.manifests.items()):
        vault.create_file(name, [text.encode()])
    vault.remove_file(_name(owner, trashed.entry))


def _folder(owner: Owner) -> str:
    return f"{_TRASH}/{owner.server}/{owner.project_id}"


def _name(owner: Owner, entry: Entry) -> str:
    return f"{_folder(owner)}/{entry.version_num}-{entry.version_id}.json"
