"""What ``capture`` takes from the latest version, by what is known of the stamps of a type's items."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.archive import unpack_archive
from airflow_sv_versioning.compare.differences import find_differences
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.server.rules import VENDOR
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.versioning import CreateResult
from airflow_sv_versioning.versioning.doctor.object_bench import VideoBench, VolumeBench
from airflow_sv_versioning.versioning.reuse import Reuse
from tests.support.compare import assert_same
from tests.support.media import serve_media
from tests.support.plain_projects import PlainProject, make_plain_project
from tests.support.projects import make_project, touch
from tests.support.proxy import first
from tests.support.types import Client, Server, TempFolders, Versions, Wire
from tests.support.video_projects import box, write_videos

BOTH = pytest.mark.parametrize("project_type", ["videos", "volumes"])


@pytest.mark.parametrize(
    ("capture", "project_type", "shown", "from_latest_version", "trusts_stamps", "notes"),
    [
        ("auto", "images", (), True, True, False),
        ("auto", "videos", (), False, False, True),
        ("auto", "volumes", ("videos",), False, False, True),
        ("auto", "volumes", ("videos", "volumes"), True, True, False),
        ("incremental", "videos", (), True, True, False),
        ("full", "images", (), False, True, False),
        ("full", "videos", (), False, False, False),
        ("full", "videos", ("videos",), False, True, False),
    ],
)
def test_what_is_reused_follows_what_is_known(
    capture, project_type, shown, from_latest_version, trusts_stamps, notes
):
    reuse = Reuse.choose(capture, project_type, shown)

    assert (reuse.from_latest_version, reuse.trusts_stamps) == (from_latest_version, trusts_stamps)
    assert bool(reuse.note) == notes


@pytest.mark.parametrize("types", ["videos", ["pointclouds"], [None]])
def test_stamps_of_what_is_no_type_cannot_be_trusted(types: Any):
    with pytest.raises(ConfigurationError, match=r"trusted_stamps .* images, videos, volumes"):
        Client("http://x.example", "t", trusted_stamps=types)


@pytest.fixture(scope="module")
def standing_still(tmp_path_factory: TempFolders) -> Iterator[Server]:
    """A platform where no edit of an annotation moves the ``updatedAt`` of its item."""
    rules = replace(VENDOR, stamps_of_annotated_items_move=frozenset())
    with EmbeddedServer(tmp_path_factory.mktemp("server"), rules=rules) as server:
        yield server.info


@pytest.fixture
def still(standing_still: Server) -> Iterator[Client]:
    with Client(standing_still.url, standing_still.token) as client:
        yield client


def _move(project: PlainProject) -> None:
    project.edit_figure(geometry=box(0, 0, 2, 2))


def _stamps(project: PlainProject) -> list[str]:
    items = project.client.videos if project.project_type == "videos" else project.client.volumes
    return [item["updatedAt"] for item in items.list_by_ids(project.dataset_id, [project.item_id])]


@pytest.mark.parametrize(
    ("project_type", "add", "edit"),
    [
        ("videos", PlainProject.add_figure, _move),
        ("volumes", PlainProject.add_figure, _move),
        ("volumes", PlainProject.add_mask_with_voxels, PlainProject.repaint_mask),
    ],
    ids=["a box of a video", "a box of a volume", "a mask"],
)
def test_an_edit_that_moves_no_stamp_is_in_the_next_version(project_type, add, edit, still: Client, tmp_path):
    project = PlainProject(still, project_type, tmp_path)
    project.add_project()
    add(project)
    versions = Versions(still)
    one = versions.create(project.id)
    before = project.read(), _stamps(project)
    edit(project)
    assert _stamps(project) == before[1], "the server is not the one that the test is about"

    two = versions.create(project.id)

    restored = versions.restore(project.id, two.version_id)
    held = project.read(restored.project_id)
    assert held != before[0]
    assert_same(held, project.read())
    assert (one.capture, one.capture_note, two.capture) == ("full", None, "full")
    assert "trusted_stamps" in (two.capture_note or "")


def _held(client: Client, made: CreateResult, folder: Path) -> Snapshot:
    folder.mkdir()
    archive = folder / "archive"
    client.files.download(1, made.archive_path, archive)
    project_type = client.projects.get(made.project_id).type
    return unpack_archive(archive, project_type, folder / "unpacked").snapshot


@pytest.mark.parametrize("bench_of", [VideoBench, VolumeBench])
def test_the_next_version_holds_every_edit_that_a_doctor_tries(bench_of, still: Client, tmp_path: Path):
    project_id = still.projects.add(1, f"edited {tmp_path}", bench_of.project_type).id
    bench, versions = bench_of(still, project_id), Versions(still)
    edits = bench.edits()
    before = _held(still, versions.create(project_id), tmp_path / "before")
    missed = []

    for number, edit in enumerate(edits):
        assert bench.moves(edit) == (False, True), edit
        after = _held(still, versions.create(project_id), tmp_path / str(number))
        if not find_differences(before, after):
            missed.append(edit.what)
        before = after

    assert missed == []


def test_an_edit_under_the_reading_that_moves_no_stamp_is_read(
    standing_still: Server, still: Client, tmp_path: Path
):
    project = PlainProject(still, "videos", tmp_path)
    project.add_project()
    project.add_figure()
    with Wire(standing_still.url) as wire, Client(wire.url, standing_still.token) as wired:
        # Asked for when the annotation has come.
        wire.on("figures.list", first(lambda: _move(project)))
        made = Versions(wired).create(project.id)

    restored = Versions(still).restore(project.id, made.version_id)
    assert made.consistent
    assert_same(project.read(restored.project_id), project.read())


@BOTH
def test_stamps_that_were_shown_to_move_make_versions_incremental(
    project_type: str, server: Server, client: Client, tmp_path: Path
):
    project_id = make_plain_project(client, tmp_path, project_type, "a figure")
    with Client(server.url, server.token, trusted_stamps=[project_type]) as trusting:
        captures = []
        for versions, asked in [
            (Versions(client), "auto"),
            (Versions(client), "auto"),
            (Versions(client), "incremental"),
            (Versions(trusting), "auto"),
            (Versions(trusting), "full"),
        ]:
            captures.append(versions.create(project_id, capture=asked).capture)  # type: ignore[arg-type]
            touch(client, project_id)

    assert captures == ["full", "full", "incremental", "incremental", "full"]


def test_images_are_incremental_by_themselves(client: Client, versions: Versions, photos: list[Path]):
    project_id = make_project(client, photos[:1])
    versions.create(project_id)
    touch(client, project_id)

    made = versions.create(project_id)

    assert (made.capture, made.capture_note) == ("incremental", None)


def test_a_capture_without_a_name_is_refused(versions: Versions):
    with pytest.raises(ConfigurationError, match=r"capture .*auto"):
        versions.create(1, capture="quick")  # type: ignore[arg-type]


def test_what_is_behind_links_of_videos_is_not_read_again_because_annotations_are(
    client: Client, near_versions: Versions, tmp_path: Path
):
    [film] = write_videos(tmp_path, 1)
    project_id = client.projects.add(1, f"linked {tmp_path}", "videos").id
    dataset_id = client.datasets.add(project_id, "linked").id
    store = str(tmp_path / "store")
    with serve_media(film.read_bytes(), "video/mp4") as media:
        client.videos.add(dataset_id, [{"title": "linked.mp4", "link": media.url}])
        near_versions.create(project_id, vault=store)
        asked = len(media.headers)
        touch(client, project_id)

        made = near_versions.create(project_id, vault=store)

        assert len(media.headers) == asked
    assert made.capture == "full"
