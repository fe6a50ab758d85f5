"""Media that the server cannot make items of: found out when it refuses a batch of items for one of them.

Hashes were asked for before the restore began, but files may go meanwhile. Links into private networks, which
this machine does not contact unless it may, were left to the server; here it is asked for every one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import uuid4

from airflow_sv_versioning.exceptions import NotFoundError, RequestRejectedError
from airflow_sv_versioning.project_types.base import is_linked
from airflow_sv_versioning.restore.media_check import NOT_STORED, find_lost_hashes
from airflow_sv_versioning.restore.work import RestoreWork
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.snapshot.tables import ids_not_in

REFUSALS = (RequestRejectedError, NotFoundError)
"""How the server says that it cannot make an item of what it was given."""

_BATCH = 50


def find_lost_media(work: RestoreWork) -> dict[int, str]:
    """Ask again for the hashes of a restore that the server refused.

    :returns: item id in the snapshot -> why it cannot be made; empty if the server knows all of them.
    """
    import pyarrow.compute as pc

    plan = work.plan
    where = ~pc.field("hash").is_null() & ~is_linked(plan.project_type)
    if (not_missing := ids_not_in(plan.project_type.id_column, plan.missing)) is not None:
        where &= not_missing
    lost = find_lost_hashes(work.client, plan.snapshot, work.progress, where)
    return {item_id: f"{NOT_STORED} ({content_hash})" for item_id, content_hash in lost.items()}


def find_refused_links(work: RestoreWork) -> dict[int, str]:
    """Have the server try each link of a restore that it refused, in a dataset that goes with the project.

    :returns: item id in the snapshot -> the server's words; empty if its refusal was about something else.
    :raises ServerError: it had no time for a link, which says nothing about its media.
    """
    links = list(_links(work))
    if not links:
        return {}
    dataset_id = work.client.datasets.add(work.project_id, f"links {uuid4().hex}").id
    parts = [links[start : start + _BATCH] for start in range(0, len(links), _BATCH)]
    refused: dict[int, str] = {}
    parts_refused = map_ordered(lambda part: _refused(work, dataset_id, part), parts, work.client.max_workers)
    for done, part_refused in enumerate(parts_refused, start=1):
        refused |= part_refused
        work.progress.count("Links tried by the server", min(done * _BATCH, len(links)), len(links))
    return refused


def _links(work: RestoreWork) -> Iterator[tuple[int, str]]:
    plan = work.plan
    where = is_linked(plan.project_type)
    if (restored := plan.restored(plan.project_type.id_column)) is not None:
        where &= restored
    columns = [plan.project_type.id_column, "link", "hash"]
    for row in plan.snapshot.iter_rows(plan.project_type.name, columns, where):
        if link := plan.reference(row).get("link"):
            yield row[plan.project_type.id_column], link


def _refused(work: RestoreWork, dataset_id: int, links: Sequence[tuple[int, str]]) -> dict[int, str]:
    """Try a batch, and its halves where it is refused, down to single links."""
    work.progress.check()
    entries = [{"title": str(item_id), "link": link, "meta": {}} for item_id, link in links]
    try:
        work.plan.project_type.items(work.client).add(dataset_id, entries)
    except REFUSALS as error:
        if len(links) == 1:
            ((item_id, link),) = links
            return {item_id: f"{link}: {error.message}"}
    else:
        return {}
    middle = len(links) // 2
    return _refused(work, dataset_id, links[:middle]) | _refused(work, dataset_id, links[middle:])
