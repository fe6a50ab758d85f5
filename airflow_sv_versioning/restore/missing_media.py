"""What the policies of ``missing_entities`` do about items whose media are gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.base import ProjectType, by_link
from airflow_sv_versioning.restore.placeholders import placeholders_for
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.vault.record import MediaRecord
from airflow_sv_versioning.vault.vault import Vault

if TYPE_CHECKING:
    import pyarrow.compute as pc

NO_SIZE = "the version does not tell a size that a placeholder can have"
NO_VAULT = "no vault was given, and the version names none"
NO_RECORD = "the version does not tell what was behind its link"


@dataclass(frozen=True)
class Remedy:
    """What can be done about missing items; each is in exactly one of these.

    :param left_out: ids of items that are left out.
    :param placeholders: lists of ids; items of one list share a placeholder.
    :param originals: id -> content hash of what is uploaded again.
    :param unlinked: ids of those among them that were links.
    :param vault: where the originals are.
    :param without: id -> why nothing can be done; one is enough to stop a restore.
    """

    left_out: frozenset[int] = frozenset()
    placeholders: Sequence[Sequence[int]] = ()
    originals: Mapping[int, str] = field(default_factory=dict)
    unlinked: frozenset[int] = frozenset()
    vault: Vault | None = None
    without: Mapping[int, str] = field(default_factory=dict)

    @property
    def original_vault(self) -> Vault:
        """Where the originals are, if there are any."""
        if self.vault is None:
            raise AssertionError("a remedy with originals has a vault")
        return self.vault

    @cached_property
    def placeholder_ids(self) -> frozenset[int]:
        """Ids of the items that placeholders stand in for."""
        return frozenset(item_id for group in self.placeholders for item_id in group)


@dataclass(frozen=True)
class Originals:
    """Where originals can be had.

    :param record: what the version says of them, if anything.
    """

    vault: Vault
    record: MediaRecord | None


def find_remedy(
    policy: str,
    snapshot: Snapshot,
    project_type: ProjectType,
    lost: Mapping[int, str],
    find_originals: Callable[[], Originals | None],
    *,
    vault_first: bool = False,
) -> Remedy:
    """Apply a policy to the missing items of a snapshot; changes nothing.

    :param policy: ``fail``, ``skip``, ``placeholder`` or ``reupload``.
    :param lost: id -> why its media are gone.
    :param find_originals: asked for ``reupload`` alone, and with ``vault_first``.
    :param vault_first: apply the policy only to what the vault does not hold either.
    :raises ConfigurationError: placeholders are needed, and what draws them is not installed.
    """
    if not lost:
        return Remedy()
    if policy == "reupload" or vault_first:
        remedy = _from_vault(snapshot, project_type, lost, find_originals())
        return remedy if policy == "reupload" else _for_the_rest(policy, snapshot, project_type, remedy)
    if policy == "skip":
        return Remedy(left_out=frozenset(lost))
    if policy == "placeholder":
        return _with_placeholders(snapshot, project_type, lost)
    return Remedy(without=lost)


def rows_of(
    snapshot: Snapshot, project_type: ProjectType, columns: Sequence[str], item_ids: Sequence[int]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Read columns of some items: id and row. Where nobody is asked for, nothing is read."""
    if not item_ids:
        return
    where = _among(project_type.id_column, item_ids)
    for row in snapshot.iter_rows(project_type.name, [project_type.id_column, *columns], where):
        yield row[project_type.id_column], row


def _with_placeholders(snapshot: Snapshot, project_type: ProjectType, lost: Mapping[int, str]) -> Remedy:
    placeholders = placeholders_for(project_type.name)
    groups: dict[Hashable, list[int]] = defaultdict(list)
    without: dict[int, str] = {}
    for item_id, row in rows_of(snapshot, project_type, placeholders.columns, list(lost)):
        shape = placeholders.shape_of(row)
        if shape is None:
            without[item_id] = NO_SIZE
        else:
            groups[shape].append(item_id)
    return Remedy(placeholders=list(groups.values()), without=without)


def _for_the_rest(policy: str, snapshot: Snapshot, project_type: ProjectType, remedy: Remedy) -> Remedy:
    """Apply a policy to what a vault does not hold."""
    rest = find_remedy(policy, snapshot, project_type, remedy.without, lambda: None)
    return replace(remedy, left_out=rest.left_out, placeholders=rest.placeholders, without=rest.without)


def _from_vault(
    snapshot: Snapshot, project_type: ProjectType, lost: Mapping[int, str], originals: Originals | None
) -> Remedy:
    if originals is None:
        return Remedy(without=dict.fromkeys(lost, NO_VAULT))
    record = originals.record or MediaRecord(originals.vault.url)
    hashes: dict[int, str] = {}
    without: dict[int, str] = {}
    unlinked = set()
    for item_id, row in rows_of(snapshot, project_type, ["hash", "link"], list(lost)):
        content_hash = row["hash"]
        if by_link(project_type, row["link"], row["hash"]):
            unlinked.add(item_id)
            # What a version saw behind a link is surer than the hash that a server once noted of it.
            if linked_media := record.linked.get(row["link"]):
                content_hash = linked_media.content_hash
        if content_hash:
            hashes[item_id] = content_hash
        else:
            without[item_id] = NO_RECORD if row["link"] else lost[item_id]
    stored_sizes = originals.vault.find_sizes(set(hashes.values()))
    for item_id, content_hash in hashes.items():
        if content_hash not in stored_sizes:
            without[item_id] = f"{originals.vault.url} does not hold its original {content_hash} either"
    stored_hashes = {
        item_id: content_hash for item_id, content_hash in hashes.items() if content_hash in stored_sizes
    }
    return Remedy(
        originals=stored_hashes,
        unlinked=frozenset(unlinked & stored_hashes.keys()),
        vault=originals.vault,
        without=without,
    )


def _among(column: str, ids: Sequence[int]) -> pc.Expression:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.field(column).isin(pa.array(ids, pa.int64()))
