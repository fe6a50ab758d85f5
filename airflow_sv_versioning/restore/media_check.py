"""Which items of a snapshot have media that can still be had."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.links import WORKERS, LinkAnswer, LinkState
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import is_linked
from airflow_sv_versioning.restore.media_column import MediaColumn
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.tables import Snapshot, values

if TYPE_CHECKING:
    import pyarrow.compute as pc

_HASHES_BATCH = 900
_FAILURES_OF_A_HOST = 3
_LINKS_SECONDS = 900.0
_NAMED = 10

NO_REFERENCE = "the version holds neither a hash nor a link of it"
NOT_STORED = "the server has no file with its hash any more"


@dataclass(frozen=True)
class MediaCheck:
    """What became of the media of a snapshot.

    :param lost: item id -> why its media cannot be had.
    :param unknown_count: of how many links this machine cannot tell.
    :param unknown: the first of them -> why.
    """

    lost: Mapping[int, str]
    unknown_count: int = 0
    unknown: Mapping[str, str] = field(default_factory=dict)


def check_media(
    client: SuperviselyClient,
    snapshot: Snapshot,
    team_id: int,
    progress: Progress,
    *,
    unreachable_is_lost: bool,
) -> MediaCheck:
    """Look for the media of a snapshot's items: by hash on the server, by link where links lead.

    :param team_id: the team that is to have the items, whose buckets are looked into.
    :param unreachable_is_lost: what a link counts as whose host gives this machine no good answer: lost, or
        unknown. A link that is not tried is unknown in any case: one into a private network, and those that a
        quarter of an hour is too short for.
    """
    import pyarrow.compute as pc

    project_type = project_type_of(snapshot.project_type)
    linked, has_hash = is_linked(project_type), ~pc.field("hash").is_null()
    hashed = has_hash & ~linked
    bare_items = snapshot.read(project_type.name, [project_type.id_column], ~linked & ~has_hash)
    lost = dict.fromkeys(values(bare_items, project_type.id_column), NO_REFERENCE)
    lost |= dict.fromkeys(find_lost_hashes(client, snapshot, progress, hashed), NOT_STORED)
    links = MediaColumn(snapshot, "link", linked)
    check = _LinksCheck(client, team_id, progress, unreachable_is_lost)
    dead = check.run(links)
    lost |= {item_id: dead[link] for item_id, link in links.owners(dead)}
    return MediaCheck(lost, check.unknown_count, check.unknown)


def find_lost_hashes(
    client: SuperviselyClient, snapshot: Snapshot, progress: Progress, where: pc.Expression
) -> dict[int, str]:
    """Find the items whose hash the server does not know, of those that are made of one: item id -> hash."""
    hashes = MediaColumn(snapshot, "hash", where)
    return dict(hashes.owners(_missing_hashes(client, hashes, progress)))


def _missing_hashes(client: SuperviselyClient, hashes: MediaColumn, progress: Progress) -> set[str]:
    def missing_of(hashes: list[str]) -> set[str]:
        return set(hashes) - client.images.find_existing_hashes(hashes)

    texts = iter(hashes)
    parts = iter(lambda: list(islice(texts, _HASHES_BATCH)), [])
    missing_hashes: set[str] = set()
    for done, part_hashes in enumerate(map_ordered(missing_of, parts, client.max_workers), start=1):
        missing_hashes |= part_hashes
        progress.count("Media checked", min(done * _HASHES_BATCH, len(hashes)), len(hashes))
    return missing_hashes


class _LinksCheck:
    """Tries links side by side, for a limited time, and no host that did not answer a few times in a row."""

    def __init__(
        self, client: SuperviselyClient, team_id: int, progress: Progress, unreachable_is_lost: bool
    ) -> None:
        self._deadline = time.monotonic() + _LINKS_SECONDS
        self._client = client
        self._team_id = team_id
        self._progress = progress
        self._unreachable_is_lost = unreachable_is_lost
        self._failures: Counter[str] = Counter()
        self._lock = Lock()
        self.unknown_count = 0
        self.unknown: dict[str, str] = {}

    def run(self, links: MediaColumn) -> dict[str, str]:
        """Try each link; returns those that are gone, with the reason."""
        dead: dict[str, str] = {}
        answers = map_ordered(self._try, links, WORKERS)
        for done, (link, answer) in enumerate(answers, start=1):
            self._progress.count("Links checked", done, len(links))
            if self._is_lost(answer.state):
                dead[link] = f"{link}: {answer.reason}"
            elif answer.state is not LinkState.ALIVE:
                self.unknown_count += 1
                if len(self.unknown) < _NAMED:
                    self.unknown[link] = answer.reason
        return dead

    def _is_lost(self, state: LinkState) -> bool:
        return state is LinkState.GONE or (self._unreachable_is_lost and state is LinkState.UNREACHABLE)

    def _try(self, link: str) -> tuple[str, LinkAnswer]:
        if time.monotonic() > self._deadline:
            return link, LinkAnswer(LinkState.UNTRIED, "there are too many links to try all of them")
        host = link.partition("://")[2].partition("/")[0]
        if self._failures[host] >= _FAILURES_OF_A_HOST:
            reason = f"its host did not answer for {_FAILURES_OF_A_HOST} other links"
            return link, LinkAnswer(LinkState.UNREACHABLE, reason, reached=False)
        answer = self._client.links.check(link, self._team_id)
        with self._lock:
            self._failures[host] = 0 if answer.reached else self._failures[host] + 1
        return link, answer
