"""A version to export, and exports in processes of their own that are killed at a chosen moment."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.dataset.cache import Cache
from airflow_sv_versioning.dataset.destination import open_destination
from airflow_sv_versioning.dataset.export import export_dataset, export_shard, finish_export
from airflow_sv_versioning.dataset.export_options import ExportOptions
from airflow_sv_versioning.dataset.export_results import ExportResult
from airflow_sv_versioning.dataset.formats import registry
from airflow_sv_versioning.dataset.opening import open_version
from airflow_sv_versioning.dataset.reader import VersionReader
from airflow_sv_versioning.dataset.staging import Destination, Shard, names_below
from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.backends import Bucket
from tests.support.plain_format import PLACE
from tests.support.projects import ids_of, make_project

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["pyarrow.compute", "pyarrow.dataset", "numpy", "s3fs", "tests.support.exports"]
)
# What Python tells of before it asks the system for it, where that changes a disk.
_EVENTS = {"open", "os.rename", "os.mkdir", "os.link", "os.remove", "os.rmdir"}


def make_mixed_project(client: SuperviselyClient, photos: Sequence[Path]) -> int:
    """Make a project of twelve images in two datasets, whose names clash; one has a point."""
    project_id = make_project(client, photos[:3])
    client.projects.update_meta(project_id, _with_points(client.projects.get_meta(project_id)))
    dataset_id = client.datasets.add(project_id, "images").id
    names = ["x.jpg", "X.png", "con.jpg", "été.jpg", *(f"{number}.jpg" for number in range(5))]
    images = client.images.upload(
        dataset_id, [(name, photos[number % len(photos)]) for number, name in enumerate(names)]
    )
    classes, _ = ids_of(client, project_id)
    client.figures.add(dataset_id, [*_figures(images, classes)])
    return project_id


def _with_points(meta: Mapping[str, Any]) -> dict[str, Any]:
    dot = {"title": "dot", "shape": "point", "color": "#FF0000", "geometry_config": {}}
    return {**meta, "classes": [*meta["classes"], dot]}


def _figures(images: Sequence[Mapping[str, Any]], classes: Mapping[str, int]) -> list[dict[str, Any]]:
    box = {"points": {"exterior": [[1, 2], [9, 10]], "interior": []}}
    boxes = [
        {"entityId": image["id"], "classId": classes["lemon"], "geometryType": "rectangle", "geometry": box}
        for image in images
    ]
    point = {"points": {"exterior": [[3, 4]], "interior": []}}
    dot = {"entityId": images[0]["id"], "classId": classes["dot"], "geometryType": "point", "geometry": point}
    return [*boxes, dot]


def export(
    reader: VersionReader, options: ExportOptions, destination: Destination, shards: int = 1
) -> ExportResult:
    """Export in shards, one after the other, the last one first."""
    if shards == 1:
        return export_dataset(reader, options, destination, Progress())
    for number in reversed(range(shards)):
        export_shard(reader, options, destination, Shard(number, shards), Progress())
    return finish_export(reader, options, destination, shards, Progress())


def read_tree(folder: Path) -> dict[str, bytes]:
    """Read all files below a folder, by their names there."""
    return {name: (folder / name).read_bytes() for name in names_below(folder)}


class Job:
    """An export that other processes can do, too.

    :param archive: of the version.
    :param destination: a folder, or what makes an UPath.
    """

    def __init__(
        self,
        archive: Path,
        cache: Path,
        options: ExportOptions,
        destination: Path | tuple[str, Mapping[str, Any]],
        shards: int = 1,
    ) -> None:
        self._archive = archive
        self._cache = cache
        self._options = options
        self._destination = destination
        self._shards = shards

    def run(self) -> None:
        """Do it."""
        registry._PLACES["coco"] = PLACE
        with open_version(self._archive, project_type="images", cache=Cache(self._cache)) as reader:
            export(reader, self._options, self.open_destination(), self._shards)

    def open_destination(self) -> Destination:
        """Open where it goes."""
        if isinstance(self._destination, Path):
            return open_destination(self._destination)
        from upath import UPath

        url, options = self._destination
        return open_destination(UPath(url, **options))

    def start(self, moment: int | None = None) -> Any:
        """Begin it in a process of its own, which is killed at a moment; returns the process."""
        process = _FORKS.Process(target=_run, args=(self, moment))
        process.start()
        return process

    def kill_at(self, moment: int) -> None:
        """Have it killed."""
        process = self.start(moment)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL

    def count_moments(self) -> int:
        """Do it, and find out how often it changes its destination."""
        file = self._cache.with_name("moments")
        process = _FORKS.Process(target=_count_moments, args=(self, file))
        process.start()
        process.join(60)
        return int(file.read_text())

    def find_error(self, file_bytes: int) -> str:
        """Do it on a disk that takes no more than small files; tells how it fails."""
        file = self._cache.with_name("error")
        process = _FORKS.Process(target=_find_error, args=(self, file_bytes, file))
        process.start()
        process.join(60)
        return file.read_text()


def _run(job: Job, moment: int | None) -> None:
    if moment is not None:
        numbers = count()
        _follow(job, lambda: signal.raise_signal(signal.SIGKILL) if next(numbers) == moment else None)
    job.run()


def _count_moments(job: Job, file: Path) -> None:
    numbers = count()
    _follow(job, lambda: next(numbers))
    job.run()
    file.write_text(str(next(numbers)))


def _find_error(job: Job, file_bytes: int, file: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    try:
        job.run()
    except SuperviselyError as error:
        file.write_text(f"{error.kind}: {error}")


def _follow(job: Job, tick: Callable[[], object]) -> None:
    """Say when this process is about to change its destination, or has sent something there."""

    if isinstance(job._destination, Path):
        parent = str(job._destination.parent)

        def look(event: str, arguments: tuple[Any, ...]) -> None:
            if event in _EVENTS and str(arguments[0]).startswith(parent) and _changes(event, arguments):
                tick()

        sys.addaudithook(look)
        return
    for name in ("write", "write_file", "remove"):
        setattr(Bucket, name, _followed(getattr(Bucket, name), tick))


def _changes(event: str, arguments: tuple[Any, ...]) -> bool:
    return event != "open" or bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))


def _followed(function: Any, tick: Any) -> Any:
    def both(*arguments: Any) -> Any:
        found = function(*arguments)
        tick()
        return found

    return both
