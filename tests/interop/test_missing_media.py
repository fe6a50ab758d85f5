"""Projects filled by the official SDK, versioned, robbed of media, restored, and read by the SDK."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.compare import assert_same
from tests.support.media import MediaServer, serve_media
from tests.support.photos import write_photos
from tests.support.types import Client, Request, Sdk, TempFolders, Versions
from tests.support.video_projects import write_videos

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

TYPES = ("images", "videos", "volumes")
READERS = {"images": "read", "videos": "read_videos", "volumes": "read_volumes"}
# What the server learns of a file when it gets it, and which of it no placeholder can have.
OF_THE_FILE = ("hash", "link", "fileMeta", "size")


@dataclass(frozen=True)
class Robbed:
    """A project whose media are gone, each of which its version keeps in a vault.

    :param content: what the SDK read in it before.
    :param sizes: what it found in the files.
    """

    type: str
    version: tuple[int, int]
    content: dict[str, Any]
    sizes: dict[str, Any]


@pytest.fixture(scope="module")
def sdk(sdk: Sdk, lossy: EmbeddedServer) -> Sdk:
    return replace(sdk, server=lossy.info)


@pytest.fixture(scope="module")
def near(lossy: EmbeddedServer) -> Iterator[Versions]:
    """Versions through a client that tries links into this machine."""
    with Client(lossy.info.url, lossy.info.token, private_links=True) as client:
        yield Versions(client)


def _fill(sdk: Sdk, lossy: EmbeddedServer, project_type: str, folder: Path, host: MediaServer) -> int:
    place: dict[str, Any] = {"workspace_id": lossy.info.workspace_id, "name": project_type}
    if project_type == "images":
        photos = write_photos(folder / "photos", 14)
        host.content = max(photos.iterdir()).read_bytes()
        return sdk("fill", **place, photos=str(photos), link=host.url, many=3)
    if project_type == "videos":
        films = write_videos(folder / "films", 6)
        host.content, host.content_type = films[5].read_bytes(), "video/mp4"
        films[5].unlink()
        return sdk("fill_videos", **place, films=str(folder / "films"), link=host.url)
    return sdk("fill_volumes", **place, many=2)


@pytest.fixture(scope="module", params=TYPES)
def robbed(
    request: Request, sdk: Sdk, lossy: EmbeddedServer, near: Versions, tmp_path_factory: TempFolders
) -> Iterator[Robbed]:
    folder = tmp_path_factory.mktemp(f"robbed-{request.param}")
    with serve_media(b"") as host:
        project_id = _fill(sdk, lossy, request.param, folder, host)
        made = near.create(project_id, vault=folder / "vault")
        content = sdk(READERS[request.param], project_id=project_id)
        sizes = sdk(f"open_{request.param}", project_id=project_id)
        for content_hash in {item["hash"] for item in content[request.param].values()} - {None}:
            lossy.remove_media(content_hash)
        host.status = 404
        yield Robbed(request.param, (project_id, made.version_id), content, sizes)


def test_skip_leaves_the_frame_of_the_project(robbed: Robbed, near: Versions, sdk: Sdk):
    restored = near.restore(*robbed.version, missing_entities="skip", verify="full")

    found = sdk(READERS[robbed.type], project_id=restored.project_id)
    assert len(restored.skipped) == len(robbed.content[robbed.type])
    assert_same(found, {**robbed.content, robbed.type: {}})


def test_the_sdk_finds_all_but_the_media_in_placeholders_and_opens_them(
    robbed: Robbed, near: Versions, sdk: Sdk
):
    restored = near.restore(*robbed.version, missing_entities="placeholder", verify="full")

    assert len(restored.placeholders) == len(robbed.content[robbed.type])
    found = sdk(READERS[robbed.type], project_id=restored.project_id)
    marks = _count_marks(found[robbed.type])
    assert min(marks.values()) >= 1
    assert_same(_without_media(found, robbed.type), _without_media(robbed.content, robbed.type))
    opened = sdk(f"open_{robbed.type}", project_id=restored.project_id)
    assert_same(opened, robbed.sizes)


def test_the_sdk_finds_everything_again_after_a_reupload(robbed: Robbed, near: Versions, sdk: Sdk):
    """The last test of a project: its media are back then."""
    restored = near.restore(*robbed.version, missing_entities="reupload", verify="full")

    found = sdk(READERS[robbed.type], project_id=restored.project_id)
    links = {path for path, item in robbed.content[robbed.type].items() if item.get("link")}
    assert len(restored.unlinked) == len(links)
    expected = deepcopy(robbed.content)
    for path in links:
        for item in (found[robbed.type][path], expected[robbed.type][path]):
            for key in OF_THE_FILE:
                item.pop(key, None)
    assert_same(found, expected)
    opened = sdk(f"open_{robbed.type}", project_id=restored.project_id)
    assert_same(opened, robbed.sizes)


def _count_marks(items: dict[str, Any]) -> dict[str, int]:
    return {path: repr(item["tags"]).count("'placeholder'") for path, item in items.items()}


def _without_media(content: dict[str, Any], project_type: str) -> dict[str, Any]:
    """Drop files, and the tag of placeholders wherever it shows."""
    kept = _without_mark(content)
    for item in kept[project_type].values():
        for key in OF_THE_FILE:
            item.pop(key, None)
    return kept


def _without_mark(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_mark(item) for key, item in value.items() if key != "placeholder"}
    if isinstance(value, list):
        return [_without_mark(item) for item in value if not _is_mark(item)]
    return value


def _is_mark(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("name") == "placeholder" or value.get("tag") == "placeholder"
    return isinstance(value, list) and value[:1] == ["placeholder"]
