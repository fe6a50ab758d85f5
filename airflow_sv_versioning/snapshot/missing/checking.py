"""Which items of a snapshot have media that can still be had."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.links import WORKERS, LinkAnswer, LinkState
from airflow_sv_versioning.snapshot.kinds.kind import Kind, is_linked
from airflow_sv_versioning.snapshot.parallel import map_ordered
from airflow_sv_versioning.snapshot.progress import Progress
from airflow_sv_versioning.snapshot.tables import values

if TYPE_CHECKING:
    import pyarrow as pa

_HASHES_BATCH = 900
_LINKS_BATCH = 1000
_FAILURES_OF_A_HOST = 3
_LINKS_SECONDS = 900.0
_NAMED = 10

NO_REFERENCE = "the version holds neither a hash nor a link of it"
NOT_STORED = "the server has no file with its hash any more"


@dataclass(frozen=True)
class MediaCheck:
    """What became of the media of a snapshot.

    :param gone: item id -> why its media cannot be had.
    :param unsure_count: of how many links this machine cannot tell.
    :param unsure: the first of them -> why.
    """

    gone: Mapping[int, str]
    unsure_count: int = 0
    unsure: Mapping[str, str] = field(default_factory=dict)


def check_media(
    client: SuperviselyClient, kind: Kind, items: pa.Table, progress: Progress, *, unreachable_is_gone: bool
) -> MediaCheck:
    """Look for the media of items: by hash on the server, by link where links lead.

    :param items: with ``id``, ``hash`` and ``link``.
    :param unreachable_is_gone: what a link counts as whose host gives this machine no good answer: gone, or
        unsure. A link that is not tried is unsure in any case: one into a private network, and those that a
        quarter of an hour is too short for.
    """
    import pyarrow.compute as pc

    linked = is_linked(kind)
    has_hash = ~pc.field("hash").is_null()
    # Names and the like would be copied along.
    items = items.select(["id", "hash", "link"])
    by_link, by_hash = items.filter(linked), items.filter(has_hash & ~linked)
    gone = dict.fromkeys(values(items.filter(~linked & ~has_hash), "id"), NO_REFERENCE)
    if missing := _missing_hashes(client, by_hash["hash"].unique(), progress):
        gone |= dict.fromkeys(values(_among(by_hash, "hash", missing), "id"), NOT_STORED)
    links = _LinksCheck(client, progress, unreachable_is_gone)
    if dead := links.run(by_link["link"].unique()):
        lost = _among(by_link, "link", dead)
        reasons = (dead[link] for link in values(lost, "link"))
        gone |= dict(zip(values(lost, "id"), reasons, strict=True))
    return MediaCheck(gone, links.unsure_count, links.unsure)


def _among(items: pa.Table, column: str, wanted: Mapping[str, str] | set[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    return items.filter(pc.field(column).isin(pa.array(sorted(wanted), pa.string())))


def _missing_hashes(client: SuperviselyClient, hashes: pa.Array, progress: Progress) -> set[str]:
    def missing_of(part: pa.Array) -> set[str]:
        asked = part.to_pylist()
        return set(asked) - client.images.find_existing_hashes(asked)

    missing: set[str] = set()
    for done, lost in enumerate(
        map_ordered(missing_of, _slices(hashes, _HASHES_BATCH), client.max_workers), start=1
    ):
        missing |= lost
        progress.count("Media checked", min(done * _HASHES_BATCH, len(hashes)), len(hashes))
    return missing


def _slices(column: pa.Array, size: int) -> Iterator[pa.Array]:
    return (column.slice(start, size) for start in range(0, len(column), size))


class _LinksCheck:
    """Tries links side by side, for a limited time, and no host that did not answer a few times in a row."""

    def __init__(self, client: SuperviselyClient, progress: Progress, unreachable_is_gone: bool) -> None:
        self._deadline = time.monotonic() + _LINKS_SECONDS
        self._client = client
        self._progress = progress
        self._unreachable_is_gone = unreachable_is_gone
        self._failures: Counter[str] = Counter()
        self._lock = Lock()
        self.unsure_count = 0
        self.unsure: dict[str, str] = {}

    def run(self, links: pa.Array) -> dict[str, str]:
        """Try each link; returns those that are gone, with the reason."""
        dead: dict[str, str] = {}
        each = (link for part in _slices(links, _LINKS_BATCH) for link in part.to_pylist())
        answers = map_ordered(self._try, each, WORKERS)
        for done, (link, answer) in enumerate(answers, start=1):
            self._progress.count("Links checked", done, len(links))
            if self._is_gone(answer.state):
                dead[link] = f"{link}: {answer.reason}"
            elif answer.state is not LinkState.ALIVE:
                self.unsure_count += 1
                if len(self.unsure) < _NAMED:
                    self.unsure[link] = answer.reason
        return dead

    def _is_gone(self, state: LinkState) -> bool:
        return state is LinkState.GONE or (self._unreachable_is_gone and state is LinkState.UNREACHABLE)

    def _try(self, link: str) -> tuple[str, LinkAnswer]:
        if time.monotonic() > self._deadline:
            return link, LinkAnswer(LinkState.UNTRIED, "there are too many links to try all of them")
        host = link.partition("://")[2].partition("/")[0]
        if self._failures[host] >= _FAILURES_OF_A_HOST:
            reason = f"its host did not answer for {_FAILURES_OF_A_HOST} other links"
            return link, LinkAnswer(LinkState.UNREACHABLE, reason, reached=False)
        answer = self._client.links.check(link)
        with self._lock:
            self._failures[host] = 0 if answer.reached else self._failures[host] + 1
        return link, answer
