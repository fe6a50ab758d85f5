"""Put on the server what stands in for missing media, before anything refers to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.snapshot.media.store import MediaStore
from airflow_sv_versioning.snapshot.missing.placeholders import placeholders_for
from airflow_sv_versioning.snapshot.missing.remedies import rows_of
from airflow_sv_versioning.snapshot.parallel import map_ordered
from airflow_sv_versioning.snapshot.plan import RestorePlan
from airflow_sv_versioning.snapshot.progress import Progress


def supply_media(
    client: SuperviselyClient,
    plan: RestorePlan,
    work_dir: Path,
    progress: Progress,
) -> RestorePlan:
    """Upload the placeholders and originals that a plan asks for; no project is touched.

    :param work_dir: takes a few files at a time.
    :returns: the plan with :attr:`~RestorePlan.references`.
    :raises IntegrityError: a store's content, or what arrived of it, is not what it should be.
    """
    supply = _Supply(client, plan, work_dir, progress)
    references: dict[int, str] = {}
    if plan.remedy.placeholders:
        references |= supply.draw_placeholders(plan.remedy.placeholders)
    if plan.remedy.store is not None:
        references |= plan.remedy.originals
        supply.upload_originals(plan.remedy.store, set(plan.remedy.originals.values()))
    return dataclasses.replace(plan, references=references) if references else plan


class _Supply:
    def __init__(
        self, client: SuperviselyClient, plan: RestorePlan, work_dir: Path, progress: Progress
    ) -> None:
        self._client = client
        self._plan = plan
        self._work_dir = work_dir
        self._progress = progress

    def draw_placeholders(self, groups: Sequence[Sequence[int]]) -> dict[int, str]:
        """Draw and upload a file for each group; returns the hash for each item."""
        references: dict[int, str] = {}
        drawn = map_ordered(self._draw, groups, self._client.max_workers)
        for done, (group, placeholder) in enumerate(zip(groups, drawn, strict=True), start=1):
            self._progress.count("Placeholders uploaded", done, len(groups))
            references.update(dict.fromkeys(group, placeholder))
        return references

    def upload_originals(self, store: MediaStore, hashes: Iterable[str]) -> None:
        """Copy contents from the store to the server, those that it lacks."""
        wanted = sorted(hashes)
        present = self._client.images.find_existing_hashes(wanted)
        lacking = [content for content in wanted if content not in present]
        uploads = map_ordered(lambda content: self._copy(store, content), lacking, self._client.max_workers)
        for done, _ in enumerate(uploads, start=1):
            self._progress.count("Originals uploaded", done, len(lacking))

    def _draw(self, group: Sequence[int]) -> str:
        self._progress.check()
        kind = self._plan.kind
        placeholders = placeholders_for(kind.project_type)
        ((_, row),) = rows_of(self._plan.snapshot, kind, placeholders.columns, group[:1])
        with TemporaryDirectory(dir=self._work_dir) as folder:
            path = Path(folder) / "placeholder"
            placeholders.draw(row, path)
            digest = content_hash(path)
            if not self._client.images.find_existing_hashes([digest]):
                self._client.media.upload(kind.project_type, path, digest)
        return digest

    def _copy(self, store: MediaStore, digest: str) -> None:
        self._progress.check()
        with TemporaryDirectory(dir=self._work_dir) as folder:
            path = Path(folder) / "original"
            with path.open("wb") as file:
                for chunk in store.iter_chunks(digest):
                    file.write(chunk)
            self._client.media.upload(self._plan.kind.project_type, path, digest)
