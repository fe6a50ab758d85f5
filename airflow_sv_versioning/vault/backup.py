"""Copy the originals of a snapshot into a vault: what is not there yet, side by side, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import (
    ApiError,
    AuthenticationError,
    IntegrityError,
    LinkError,
    NotFoundError,
    RequestRejectedError,
    TransportError,
)
from airflow_sv_versioning.project_types.originals import contents_of, links_of, paths_of
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.tables import Snapshot, values
from airflow_sv_versioning.vault.record import LinkedMedia, MediaRecord
from airflow_sv_versioning.vault.vault import StoredMedia, Vault

if TYPE_CHECKING:
    import pyarrow as pa

# So many are asked for at once; few enough to be held in memory.
_ASKED_AT_ONCE = 20_000
_WEB = ("http://", "https://")
_LISTED = 50


@dataclass(frozen=True)
class MediaBackup:
    """What became of the originals of a version.

    :param vault: the vault's URL.
    :param copied: contents that were not there, of ``copied_bytes`` together.
    :param present: contents that were there already.
    :param lost: hash or link of each original that could not be had, with its item and the reason.
    """

    vault: str
    copied: int
    copied_bytes: int
    present: int
    lost: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Write the summary as JSON-able data, with the first of the lost ones."""
        return {
            "vault": self.vault,
            "copied": self.copied,
            "copied_bytes": self.copied_bytes,
            "present": self.present,
            "lost_count": len(self.lost),
            "lost": dict(list(self.lost.items())[:_LISTED]),
        }

    def line(self) -> str:
        """Say it in one line."""
        lost = f"; {len(self.lost):,} could not be had" if self.lost else ""
        return f"{self.copied:,} media copied ({self.copied_bytes:,} bytes), {self.present:,} present{lost}"


def copy_media(
    client: SuperviselyClient,
    snapshot: Snapshot,
    vault: Vault,
    linked: Mapping[str, LinkedMedia],
    progress: Progress,
) -> tuple[MediaRecord, MediaBackup]:
    """Bring the originals of all items into a vault.

    An original that nobody has any more is told in both results; it is no reason to be without a version.

    :param linked: what is behind links that need not be read again.
    :raises VaultError: the vault cannot be written.
    """
    return _Copying(client, snapshot, vault, progress).run(linked)


def copy_content(
    client: SuperviselyClient, project_type: str, vault: Vault, row: tuple[str, int], progress: Progress
) -> tuple[str, int, int | str]:
    """Copy one content that a vault lacks.

    :param row: its hash, and the id of an item that has it.
    :returns: both, and its size in bytes, or why nobody has it.
    """
    content_hash, item_id = row
    chunks = _stoppable(client.originals.iter_chunks(project_type, item_id), progress)
    try:
        return content_hash, item_id, vault.put(content_hash, chunks)
    except (NotFoundError, RequestRejectedError, IntegrityError) as error:
        return content_hash, item_id, error.message


def known_links(earlier: Snapshot, record: MediaRecord | None, snapshot: Snapshot) -> dict[str, LinkedMedia]:
    """Take over what an earlier version found behind the links of items that did not change since."""
    if record is None or not record.linked:
        return {}
    stamps_before = _stamps(earlier)
    unchanged = {
        link for link, stamps in _stamps(snapshot).items() if stamps <= stamps_before.get(link, set())
    }
    return {link: media for link, media in record.linked.items() if link in unchanged}


def _stamps(snapshot: Snapshot) -> dict[str, set[tuple[int, str]]]:
    stamps: dict[str, set[tuple[int, str]]] = {}
    for link, item_id, _, updated_at in _rows(links_of(snapshot)):
        stamps.setdefault(link, set()).add((item_id, updated_at))
    return stamps


@dataclass(frozen=True)
class _Lost:
    item_id: int
    why: str


class _Copying:
    def __init__(
        self, client: SuperviselyClient, snapshot: Snapshot, vault: Vault, progress: Progress
    ) -> None:
        self._client = client
        self._snapshot = snapshot
        self._vault = vault
        self._progress = progress
        self._copied_count = self._copied_bytes = self._present_count = self._done_count = 0
        self._lost: dict[str, _Lost] = {}
        self._linked: dict[str, LinkedMedia] = {}

    def run(self, linked: Mapping[str, LinkedMedia]) -> tuple[MediaRecord, MediaBackup]:
        contents, links = contents_of(self._snapshot), links_of(self._snapshot)
        items = {link: (item_id, name) for link, item_id, name, _ in _rows(links)}
        self._total = contents.num_rows + len(items)
        self._progress.say(f"Looking for the originals of {self._total:,} media in {self._vault.url}.")
        for start in range(0, contents.num_rows, _ASKED_AT_ONCE):
            self._copy_contents(contents.slice(start, _ASKED_AT_ONCE))
        self._copy_links(items, linked)
        lost = self._lost_texts()
        record = MediaRecord(self._vault.url, self._linked, lost)
        return record, MediaBackup(
            self._vault.url, self._copied_count, self._copied_bytes, self._present_count, lost
        )

    def _copy_contents(self, contents: pa.Table) -> None:
        stored_sizes = self._vault.find_sizes(values(contents, "hash"))
        missing_rows = [row for row in _rows(contents) if row[0] not in stored_sizes]
        self._count_present(contents.num_rows - len(missing_rows))
        for content_hash, item_id, result in self._side_by_side(self._copy_content, missing_rows):
            self._count(content_hash, item_id, result)

    def _copy_content(self, row: tuple[str, int]) -> tuple[str, int, int | str]:
        return copy_content(self._client, self._snapshot.project_type, self._vault, row, self._progress)

    def _copy_links(self, items: Mapping[str, tuple[int, str]], linked: Mapping[str, LinkedMedia]) -> None:
        still_linked = {link: media for link, media in linked.items() if link in items}
        stored_sizes = self._vault.find_sizes({media.content_hash for media in still_linked.values()})
        self._linked = {
            link: media for link, media in still_linked.items() if media.content_hash in stored_sizes
        }
        self._count_present(len(self._linked))
        unread = [(link, *item) for link, item in items.items() if link not in self._linked]
        for link, item_id, name, result in self._side_by_side(self._copy_link, unread):
            if isinstance(result, StoredMedia):
                self._linked[link] = LinkedMedia(result.content_hash, result.size_bytes, name)
                self._count(link, item_id, result.size_bytes)
            else:
                self._count(link, item_id, result)

    def _copy_link(self, row: tuple[str, int, str]) -> tuple[str, int, str, StoredMedia | str]:
        link, item_id, name = row
        # Only the server has the keys of its buckets; and it may reach hosts that this machine cannot.
        ways = (self._read_link, self._read_item) if link.lower().startswith(_WEB) else (self._read_item,)
        reasons = []
        for read in ways:
            try:
                return link, item_id, name, self._vault.add(_stoppable(read(link, item_id), self._progress))
            except AuthenticationError:
                raise
            except (LinkError, ApiError, TransportError) as error:
                reasons.append(error.message)
        return link, item_id, name, " ".join(reasons)

    def _read_link(self, link: str, _item_id: int) -> Iterator[bytes]:
        with self._client.links.open(link) as chunks:
            yield from chunks

    def _read_item(self, _link: str, item_id: int) -> Iterator[bytes]:
        return self._client.originals.iter_chunks(self._snapshot.project_type, item_id)

    def _side_by_side(self, work: Any, rows: Iterable[Any]) -> Iterator[Any]:
        return map_ordered(work, rows, self._client.max_workers)

    def _count_present(self, count: int) -> None:
        self._present_count += count
        self._done_count += count

    def _count(self, original: str, item_id: int, result: int | str) -> None:
        self._done_count += 1
        if isinstance(result, int):
            self._copied_count += 1
            self._copied_bytes += result
        else:
            self._lost[original] = _Lost(item_id, result)
        self._progress.count("Media looked after", self._done_count, self._total)

    def _lost_texts(self) -> dict[str, str]:
        if not self._lost:
            return {}
        paths = paths_of(self._snapshot, {lost.item_id for lost in self._lost.values()})
        return {original: f"{paths[lost.item_id]}: {lost.why}" for original, lost in self._lost.items()}


def _stoppable(chunks: Iterable[bytes], progress: Progress) -> Iterator[bytes]:
    for chunk in chunks:
        progress.check()
        yield chunk


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for batch in table.to_batches():
        yield from zip(*(values(batch, column) for column in table.column_names), strict=True)
