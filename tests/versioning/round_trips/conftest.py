"""Media that the server holds, for snapshots and archives that are made without it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.server.run import ServerInfo
from airflow_sv_versioning.versioning import CreateResult, ProjectVersions
from tests.support.column_cases import Media
from tests.support.media import serve_media
from tests.support.video_projects import write_videos
from tests.support.volumes import SIZES, nrrd


@dataclass(frozen=True)
class Shop:
    """Where archives become versions.

    :param media: type of projects -> files of that type which the server holds.
    """

    client: SuperviselyClient
    versions: ProjectVersions
    media: Mapping[str, Media]

    def publish(self, project_type: str, archive: Path, name: str) -> CreateResult:
        """Make a version of an archive."""
        from tests.support.projects import replace_archive

        project = self.client.projects.add(1, f"{name} {archive}", project_type)
        made = self.versions.create(project.id)
        replace_archive(self.client, made, archive.read_bytes())
        return made


@pytest.fixture(scope="module")
def shop(server: ServerInfo, photos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A server with a few files, behind a client that takes links into this machine."""
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

    folder = tmp_path_factory.mktemp("media")
    films = write_videos(folder, 2)
    with (
        SuperviselyClient(server.url, server.token, private_links=True) as client,
        serve_media(films[0].read_bytes(), "video/mp4") as served,
        serve_media(photos[0].read_bytes(), "image/jpeg") as served_photo,
    ):
        images, videos = _upload(client, "images", photos[:2]), _upload(client, "videos", films)
        media = {
            "images": Media(tuple(image["hash"] for image in images), served_photo.url, {}),
            "videos": Media(tuple(video["hash"] for video in videos), served.url, _facts(videos[0])),
            "volumes": Media(tuple(_store_scans(client, folder)), served.url, {}),
        }
        yield Shop(client, ProjectVersions(client), media)


def _upload(client: SuperviselyClient, project_type: str, files: Sequence[Path]) -> list[dict[str, Any]]:
    project = client.projects.add(1, f"{project_type} of {id(files)}", project_type)
    dataset = client.datasets.add(project.id, "files")
    items = client.images if project_type == "images" else client.videos
    return items.upload(dataset.id, [(file.name, file) for file in files])


def _facts(video: Mapping[str, Any]) -> dict[str, Any]:
    file = video["fileMeta"]
    return {
        "frames_count": file["framesCount"],
        "frame_width": file["width"],
        "frame_height": file["height"],
        "frames_to_timecodes": str(file["framesToTimecodes"]),
    }


def _store_scans(client: SuperviselyClient, folder: Path) -> list[str]:
    files = [folder / f"{number}.nrrd" for number in range(2)]
    for number, file in enumerate(files):
        file.write_bytes(nrrd(np.full(SIZES, number, "<i2")))
    return list(client.volumes.store_files(files).values())
