"""Bring the originals of a live project into a vault before a version is made, by one worker or by many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.listing import list_whole
from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.dataset.staging import Shard
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import by_link
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.backup import MediaBackup, copy_content
from airflow_sv_versioning.vault.fillings import note_filling
from airflow_sv_versioning.vault.locks import wait_for_prune
from airflow_sv_versioning.vault.proof import content_hash_of, hex_digest
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.shares import share_of
from airflow_sv_versioning.vault.vault import Vault

# So many are said, asked for and copied at once: by their order they lie in few folders of the vault.
_AT_ONCE = 20_000


@dataclass(frozen=True)
class FillResult:
    """What one worker brought into a vault.

    :param media: what became of the originals that fall to it.
    """

    project_id: int
    shards: int
    shard: int
    media: MediaBackup

    def as_dict(self) -> dict[str, Any]:
        """Write the result as JSON-able data."""
        return {
            "project_id": self.project_id,
            "shards": self.shards,
            "shard": self.shard,
            **self.media.as_dict(),
        }

    def line(self) -> str:
        """Say it in one line."""
        return f"Shard {self.shard} of {self.shards} of project {self.project_id}: {self.media.line()}."


@dataclass
class Filling:
    """Brings one shard of a project's originals into a vault.

    Shards may be filled in any order, at once, killed, and again. Links are left to the version: what is
    behind one has no hash before it is read.

    :param owner: the project, as the vault names it.
    :param patience_seconds: how long to wait for somebody who prunes the vault.
    """

    client: SuperviselyClient
    project: Project
    vault: Vault
    owner: Owner
    shard: Shard
    progress: Progress
    patience_seconds: float
    copied: int = 0
    copied_bytes: int = 0
    present: int = 0
    lost: dict[str, str] = field(default_factory=dict)

    def run(self) -> FillResult:
        """Copy what the vault lacks.

        :raises VaultError: the vault cannot be written, or is being pruned all the time.
        """
        self.vault.prepare()
        item_ids = self._list_originals()
        self.progress.say(
            f"Looking for {len(item_ids):,} originals in {self.vault.url}, shard {self.shard.number} of "
            f"{self.shard.count}."
        )
        digests = iter(sorted(item_ids))
        while part := {content_hash_of(digest): item_ids[digest] for digest in islice(digests, _AT_ONCE)}:
            self._fill(part, len(item_ids))
        media = MediaBackup(self.vault.url, self.copied, self.copied_bytes, self.present, self.lost)
        return FillResult(self.project.id, self.shard.count, self.shard.number, media)

    def _list_originals(self) -> Mapping[bytes, int]:
        """Find the originals of the shard: the digest of each, and an item that has it."""
        item_ids: dict[bytes, int] = {}
        for dataset in self.client.datasets.list_all(self.project.id):
            item_ids.update(list_whole(partial(self._iter_pages, dataset)))
        return item_ids

    def _iter_pages(self, dataset: Dataset) -> Iterator[list[tuple[bytes, int]]]:
        project_type = project_type_of(self.project.type)
        for page in project_type.items(self.client).iter_pages(dataset.id):
            self.progress.check()
            digests = (
                (bytes.fromhex(hex_digest(item["hash"])), item["id"])
                for item in page
                if item.get("hash") and not by_link(project_type, item.get("link"), item["hash"])
            )
            yield [entry for entry in digests if share_of(entry[0], self.shard.count) == self.shard.number]

    def _fill(self, item_ids: Mapping[str, int], total: int) -> None:
        stored_sizes = self.vault.find_sizes(item_ids)
        missing = {key: item_id for key, item_id in item_ids.items() if key not in stored_sizes}
        self.present += len(stored_sizes)
        if not missing:
            return
        # First said, then looked: so a prune either sees what is said, or is seen.
        note_filling(self.vault, self.owner, missing)
        wait_for_prune(self.vault, self.progress, self.patience_seconds)
        for content_hash, item_id, result in map_ordered(
            self._copy, missing.items(), self.client.max_workers
        ):
            if isinstance(result, int):
                self.copied += 1
                self.copied_bytes += result
            else:
                self.lost[content_hash] = f"{project_type_of(self.project.type).item} {item_id}: {result}"
            done = self.present + self.copied + len(self.lost)
            self.progress.count("Media looked after", done, total)

    def _copy(self, row: tuple[str, int]) -> tuple[str, int, int | str]:
        return copy_content(self.client, self.project.type, self.vault, row, self.progress)
