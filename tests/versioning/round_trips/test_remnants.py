"""Figures, objects and tags whose definition is gone: left out of versions and restores, and named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.versioning import CreateResult
from tests.support.photos import write_photos
from tests.support.projects import leaves_no_project, list_version_files, make_project, replace_archive, touch
from tests.support.proxy import alter
from tests.support.types import Client, Versions, Wire
from tests.support.video_projects import make_video_project, write_videos
from tests.support.volumes import make_volume_project

# Project type -> the class and the tag that are deleted, and what is of this class.
GONE = {
    "images": ("lemon", "count", "figure"),
    "videos": ("a car", "speed", "object"),
    "volumes": ("лёгкое", "score", "object"),
}
TYPES = pytest.mark.parametrize("project_type", list(GONE))
WHAT = pytest.mark.parametrize("what", ["class", "tag"])


@pytest.fixture
def project(project_type: str, client: Client, tmp_path: Path) -> int:
    if project_type == "images":
        project_id = make_project(client, sorted(write_photos(tmp_path / "photos", 2).iterdir()))
        _tag_figures(client, project_id)
        return project_id
    if project_type == "videos":
        return make_video_project(client, write_videos(tmp_path / "films", 2))
    return make_volume_project(client, tmp_path)


def _tag_figures(client, project_id: int) -> None:
    [dataset] = client.datasets.list_all(project_id)
    ids = [image["id"] for page in client.images.iter_pages(dataset.id) for image in page]
    tags = {entry["name"]: entry["id"] for entry in client.projects.get_meta(project_id)["tags"]}
    figures = client.figures.list_for_items(dataset.id, ids)
    entries = [{"tagId": tags["count"], "figureId": figure["id"], "value": 4} for figure in figures]
    client.tags.add_to_figures(project_id, entries)


def without(meta: dict[str, Any], project_type: str, what: str) -> dict[str, Any]:
    """Take one class or tag out of a project's meta."""
    gone_class, gone_tag, _ = GONE[project_type]
    if what == "class":
        return {**meta, "classes": [entry for entry in meta["classes"] if entry["title"] != gone_class]}
    return {**meta, "tags": [entry for entry in meta["tags"] if entry["name"] != gone_tag]}


@TYPES
@WHAT
def test_a_version_does_without_them_names_them_and_can_be_restored(
    project_type: str,
    what: str,
    project: int,
    wire: Wire,
    wired: Versions,
    versions: Versions,
    client: Client,
):
    whole = versions.create(project)
    touch(client, project)
    wire.on("projects.meta", *[alter(lambda meta: without(meta, project_type, what))] * 20)

    made = wired.create(project, capture="full", archive_format="v2.1.0")

    [warning] = made.warnings
    assert "defined no more" in warning
    assert ("tag" if what == "tag" else GONE[project_type][2]) in warning
    assert made.as_dict()["warnings"] == [warning]
    restored = versions.restore(project, made.version_id, verify="full")
    assert warning in restored.warnings
    assert restored.counts["tags"] < whole.counts["tags"]


@pytest.fixture
def older(
    project_type: str, project: int, versions: Versions, client: Client, tmp_path: Path
) -> Callable[[str, str], CreateResult]:
    """Make a version as it was made before they were left out."""

    def make(what: str, archive_format: str) -> CreateResult:
        made = versions.create(project)
        archive, folder = tmp_path / "archive", tmp_path / "unpacked"
        client.files.download(1, made.archive_path, archive)
        snapshot = unpack_archive(archive, project_type, folder).snapshot
        snapshot.project_meta = without(snapshot.project_meta, project_type, what)
        packed = pack_archive(snapshot, archive_format, tmp_path / "older", {})
        replace_archive(client, made, packed.path.read_bytes())
        return made

    return make


@TYPES
@WHAT
@pytest.mark.parametrize("is_newest", [True, False], ids=["newest_format", "older_format"])
def test_an_older_version_that_holds_them_is_restored_without_them_on_demand_only(
    project_type: str,
    what: str,
    is_newest: bool,
    older: Callable[[str, str], CreateResult],
    project: int,
    versions: Versions,
    client: Client,
):
    newest, oldest = written_versions(project_type)
    version = older(what, newest if is_newest else oldest)

    with (
        leaves_no_project(client),
        pytest.raises(FormatError, match=r"defined no more.*missing_entities='skip'"),
    ):
        versions.restore(project, version.version_id)
    assert not versions.verify(project, version.version_id).is_good

    restored = versions.restore(project, version.version_id, missing_entities="skip", verify="full")
    [warning] = restored.warnings
    assert "are left out" in warning
    plan = versions.plan_restore(project, version.version_id, missing_entities="skip")
    assert plan.warnings == restored.warnings
    assert plan.counts == restored.counts


def test_items_that_a_version_does_not_hold_whole_are_read_anew_by_the_next_one(
    photos: list[Path], client: Client, wire: Wire, wired: Versions
):
    project_id = make_project(client, photos[:3])
    gone = [alter(lambda meta: without(meta, "images", "class"))] * 20
    wire.on("projects.meta", *gone)
    first = wired.create(project_id)
    touch(client, project_id)
    wire.on("projects.meta", *gone)

    second = wired.create(project_id)

    assert second.capture == "incremental"
    assert second.warnings == first.warnings


def test_what_a_restore_refuses_is_refused_before_the_upload(
    client: Client, wire: Wire, wired: Versions, tmp_path: Path
):
    project_id = make_volume_project(client, tmp_path)

    def beyond(annotations: Any) -> Any:
        for annotation in annotations:
            for plane in annotation["planes"]:
                for piece in plane["slices"]:
                    piece["index"] += 1000
        return annotations

    wire.on("volumes.annotations.bulk.info", *[alter(beyond)] * 10)

    with pytest.raises(FormatError, match="cannot be restored: figure"):
        wired.create(project_id)

    assert list_version_files(client, project_id) == set()


def test_content_that_no_archive_may_hold_is_refused_before_the_upload(
    photos: list[Path], client: Client, wire: Wire, wired: Versions
):
    project_id = make_project(client, photos[:1])
    deep: dict[str, Any] = {"a": 1}
    for _ in range(300):
        deep = {"a": deep}

    def nested(page: Any) -> Any:
        for figure in page["entities"]:
            figure["customData"] = deep
        return page

    wire.on("figures.list", *[alter(nested)] * 5)

    with pytest.raises(FormatError, match="custom_data of table figures"):
        wired.create(project_id)

    assert list_version_files(client, project_id) == set()
