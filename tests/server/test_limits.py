"""What the plan of a team does not take, in the platform's words."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_sv_versioning.server.limits import COMMUNITY, UNLIMITED, Limits
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.api import Api, png

Limited = Callable[[Limits], AbstractContextManager[Api]]
NO_IMAGE = b"NRRD0004\n"


@pytest.fixture
def limited(tmp_path: Path) -> Limited:
    """Servers of the test's own, by limits."""

    @contextmanager
    def serve(limits: Limits) -> Iterator[Api]:
        with EmbeddedServer(tmp_path / "data", limits=limits) as server, Api(server.info) as api:
            yield api

    return serve


@pytest.mark.parametrize("kind", ["images", "videos"])
def test_links(limited: Limited, tmp_path: Path, kind: str) -> None:
    with limited(COMMUNITY) as api:
        project = api.project(type=kind)
        item = {"title": "a", "link": "s3://bucket/a", "meta": {}}

        answer = api.post(f"{kind}.bulk.add", {"datasetId": project.dataset_id, kind: [item]})

        assert answer.status_code == 403
        assert f"Upload remote {kind} is only available for PRO teams" in answer.text


@pytest.mark.parametrize(
    ("limits", "name", "status"),
    [
        (COMMUNITY, "multi_view", 403),
        (COMMUNITY, "default", 200),
        (COMMUNITY, None, 200),
        (UNLIMITED, "multi_view", 200),
    ],
)
def test_labeling_interfaces(limited: Limited, limits: Limits, name: str | None, status: int) -> None:
    with limited(limits) as api:
        settings = {"labelingInterface": name}

        answer = api.post("projects.settings.update", {"id": api.project().id, "settings": settings})

        assert answer.status_code == status
        assert ("The Labeling Interface is available only" in answer.text) is (status == 403)


@pytest.mark.parametrize(
    ("method", "content", "limit"),
    [
        ("images.bulk.upload", png(), "image_bytes"),
        ("images.bulk.upload", NO_IMAGE, "volume_bytes"),
        ("videos.bulk.upload", b"video", "video_bytes"),
    ],
)
def test_sizes_of_media(limited: Limited, method: str, content: bytes, limit: str) -> None:
    def upload(api: Api) -> requests.Response:
        return api.session.post(api.url(method), files={"0-file": ("0", content)}, timeout=30)

    def bounds(size: int) -> dict[str, Any]:
        return {limit: size}

    size = len(content)
    with limited(Limits(**bounds(size - 1))) as api:
        answer = upload(api)
        assert answer.status_code == 400
        assert f'"type":"FileSize","sizeLimit":{size - 1}' in answer.text
    with limited(Limits(**bounds(size))) as api:
        assert upload(api).status_code == 200


def test_sizes_of_team_files(limited: Limited) -> None:
    parts: list[Any] = [("name", (None, "a")), ("path", (None, "/")), ("file", ("a", b"12345"))]
    with limited(Limits(team_file_bytes=4)) as api:
        several = api.session.post(api.url("file-storage.bulk.upload?teamId=1"), files=parts, timeout=30)
        raw = {"content-type": "application/octet-stream"}
        url = api.url("file-storage.upload?teamId=1&path=/a")
        one = api.session.post(url, data=b"12345", headers=raw, timeout=30)

        for answer in (several, one):
            assert (answer.status_code, answer.json()["details"]["message"]) == (400, "File too large")
        assert api.upload_file("/", "a", b"1234")["path"] == "/a"
