"""What the integrity lines say of one video: in an archive, and of a project as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from airflow_sv_versioning.archive import iter_item_lines, unpack_archive
from airflow_sv_versioning.capture.project_rows import dataset_row, project_info, project_meta
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Dataset
from airflow_sv_versioning.exceptions import FormatError, NotFoundError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import names_of
from airflow_sv_versioning.project_types.videos.digests import integrity_lines
from airflow_sv_versioning.snapshot.tree import in_tree_order
from airflow_sv_versioning.snapshot.writer import SnapshotWriter


class IntegrityLine(msgspec.Struct):
    """A line of :mod:`~airflow_sv_versioning.project_types.videos.digests`."""

    id: int
    path: str
    hash: str | None
    link: str | None
    size_bytes: int | None
    frames_count: int | None
    annotation_sha256: str


def find_archived_video(archive: Path, path: str, directory: Path) -> IntegrityLine | None:
    """Find what an archive says of a video; only one that another tool wrote is unpacked for that.

    :param path: ``dataset/path/video name``.
    """
    lines = iter_item_lines(archive)
    if lines is None:
        lines = integrity_lines(unpack_archive(archive, "videos", directory).snapshot)
    return next((line for line in map(_decoded, lines) if line.path == path), None)


def _decoded(line: bytes) -> IntegrityLine:
    """Decode a line that anybody may have written.

    :raises FormatError: it is none of those of :mod:`~airflow_sv_versioning.project_types.videos.digests`.
    """
    try:
        return msgspec.json.decode(line, type=IntegrityLine)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FormatError(f"The archive's account of its videos cannot be read: {error}.") from error


def read_video(client: SuperviselyClient, project_id: int, path: str, directory: Path) -> IntegrityLine:
    """Read one video of a project with its annotation, and say the same of it.

    :raises NotFoundError: the project has no such video.
    """
    project = client.projects.get(project_id)
    meta = project_meta(client.projects.get_meta(project_id), project)
    reader = project_type_of("videos").reader(client, names_of(meta), directory)
    datasets = _datasets(client, project_id)
    for dataset, name in _places(datasets, path):
        ids = [video["id"] for video in client.videos.list_by_names(dataset.id, [name])]
        items = reader.list_by_ids(dataset.id, ids[:1])
        if not items:
            continue
        with SnapshotWriter(directory, "videos") as writer:
            writer.append("datasets", [dataset_row(*place) for place in datasets])
            writer.append_rows(reader.listed_rows(items))
            writer.append_rows(reader.read(dataset.id, items) or {})
            snapshot = writer.finish(project_info(project), meta)
        (line,) = integrity_lines(snapshot)
        return _decoded(line)
    raise NotFoundError(f"Project {project_id} has no video {path!r}.", project_id=project_id)


def _datasets(client: SuperviselyClient, project_id: int) -> list[tuple[Dataset, str]]:
    datasets = list(client.datasets.list_all(project_id))
    return list(in_tree_order(datasets, lambda d: d.id, lambda d: d.parent_id, lambda d: d.name))


def _places(datasets: list[tuple[Dataset, str]], path: str) -> Iterator[tuple[Dataset, str]]:
    """Tell where a path may lead: names may hold slashes, too."""
    for dataset, folder in datasets:
        if path.startswith(f"{folder}/"):
            yield dataset, path[len(folder) + 1 :]
