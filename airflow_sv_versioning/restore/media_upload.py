"""Put on the server what stands in for missing media, before anything refers to it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.exceptions import FileTooLargeError, IntegrityError
from airflow_sv_versioning.restore.media_files import media_file
from airflow_sv_versioning.restore.plan import RestorePlan
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress

_SMALLER = "Restore with missing_entities='skip' to go on without it, or into a team with a larger plan."

_Group = Sequence[int]
"""Ids of items that share a file."""


def supply_media(client: SuperviselyClient, plan: RestorePlan, progress: Progress) -> RestorePlan:
    """Upload the placeholders and originals that a plan asks for; no project is touched.

    A few files at a time are on this machine's disk.

    :returns: the plan with :attr:`~RestorePlan.references`.
    :raises IntegrityError: a vault's content, or what arrived of it, is not what it should be.
    """
    groups = [*plan.remedy.placeholders, *_by_content(plan)]
    references: dict[int, str] = {}
    uploads = map_ordered(lambda group: _supply(client, plan, group, progress), groups, client.max_workers)
    for done, (group, content) in enumerate(zip(groups, uploads, strict=True), start=1):
        progress.count("Media uploaded", done, len(groups))
        references.update(dict.fromkeys(group, content))
    return dataclasses.replace(plan, references=references) if references else plan


def _by_content(plan: RestorePlan) -> list[_Group]:
    groups: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for item_id, content in plan.remedy.originals.items():
        groups[content, item_id in plan.remedy.unlinked].append(item_id)
    return list(groups.values())


def _supply(client: SuperviselyClient, plan: RestorePlan, group: _Group, progress: Progress) -> str:
    """Upload the file of some items, unless the server has it; returns its hash."""
    progress.check()
    with media_file(plan, group[0]) as path:
        content = content_hash(path)
        expected = plan.remedy.originals.get(group[0])
        if group[0] not in plan.remedy.unlinked and expected not in {None, content}:
            raise IntegrityError(
                f"The original of {plan.missing[group[0]].path} has the hash {content}, not {expected}.",
                expected=expected,
                actual=content,
            )
        if not client.images.find_existing_hashes([content]):
            try:
                client.media.upload(plan.project_type.upload, path, content, check=progress.check)
            except FileTooLargeError as error:
                error.message = f"{plan.missing[group[0]].path}: {error.message} {_SMALLER}"
                raise
    return content
