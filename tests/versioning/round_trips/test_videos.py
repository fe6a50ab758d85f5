"""Versions of video projects, and what goes wrong with them."""

import json
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from airflow_sv_versioning.archive import unpack_archive
from airflow_sv_versioning.exceptions import (
    FormatError,
    IntegrityError,
    MissingMediaError,
    OutcomeUnknownError,
    SuperviselyError,
)
from tests.support.archives import unwrapped
from tests.support.compare import assert_same
from tests.support.media import serve_media
from tests.support.projects import count_projects, leaves_no_project, touch
from tests.support.proxy import alter, first, lose_answer, refuse
from tests.support.types import Client, Made, Patch, Versions, Wire
from tests.support.video_projects import add_video_dataset, annotate, box, make_video_project, read_videos

FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
CREATE_CALLS = ["videos.list", "videos.annotations.bulk.info", "figures.list"]
RESTORE_CALLS = [
    "videos.bulk.add",
    "videos.custom-data.set",
    "annotation-objects.bulk.add",
    "annotation-objects.tags.bulk.add",
    "videos.tags.bulk.add",
    "figures.bulk.add",
]
COUNTS = {"datasets": 1, "videos": 3, "objects": 4, "figures": 14, "tags": 12}


@pytest.fixture
def made(versions: Versions, street: int) -> Made:
    return versions.create(street)


@FORMATS
def test_a_video_project_comes_back_as_it_was(archive_format, client: Client, versions: Versions, street):
    made = versions.create(street, archive_format=archive_format)

    restored = versions.restore(street, made.version_id, verify="full")

    assert (made.archive_format, made.counts) == (archive_format, COUNTS)
    assert restored.counts == COUNTS
    assert_same(read_videos(client, restored.project_id), read_videos(client, street))


@FORMATS
def test_a_version_of_a_restored_project_holds_the_same(
    archive_format, client: Client, versions: Versions, street, tmp_path: Path
):
    made = versions.create(street, archive_format=archive_format)
    again = versions.create(versions.restore(street, made.version_id).project_id, archive_format="v2.1.0")

    lines = [integrity(client, result.archive_path, tmp_path) for result in (made, again)]

    assert len(lines[0]) == 3
    for one, other in zip(*lines, strict=True):
        assert {**one, "id": None} == {**other, "id": None}
    assert len({line["annotation_sha256"] for line in lines[0]}) == 2  # two alike, one bare


def integrity(client, path, folder) -> list[dict]:
    archive = folder / "archive"
    archive.write_bytes(client.files.find_bytes(1, path))
    return [json.loads(line) for line in unwrapped(archive)["videos.integrity.jsonl"].splitlines()]


def test_one_video_can_be_checked_without_the_rest(client: Client, made: Made, street, films, tmp_path: Path):
    line = integrity(client, made.archive_path, tmp_path)[1]

    assert (line["path"], line["frames_count"]) == ("street/0001.mp4", 120)
    assert line["size_bytes"] == films[1].stat().st_size
    assert line["hash"] == read_videos(client, street)["street/0001.mp4"]["hash"]


def test_an_unchanged_video_project_makes_no_new_version(
    versions: Versions, made: Made, client: Client, street
):
    again = versions.create(street)
    touch(client, street)

    assert (again.version_id, again.created, again.counts) == (made.version_id, False, COUNTS)
    assert versions.create(street).version_num == 2


def test_a_video_project_that_grows_while_it_is_read_is_held_in_one_state(
    wire: Wire, wired: Versions, versions: Versions, client: Client, street, films
):
    wire.on(
        "videos.annotations.bulk.info", first(lambda: add_video_dataset(client, street, "late", films[3:]))
    )

    made = wired.create(street)

    assert (made.consistent, made.counts["videos"]) == (True, 5)
    restored = versions.restore(street, made.version_id, verify="full")
    assert_same(read_videos(client, restored.project_id), read_videos(client, street))


def test_a_video_that_is_annotated_while_others_are_read_is_read_again(
    wire: Wire, wired: Versions, versions: Versions, client: Client, street
):
    dataset = next(client.datasets.list_all(street))
    (page,) = client.videos.iter_pages(dataset.id)
    bare = page[-1]["id"]
    wire.on("figures.list", first(lambda: annotate(client, street, dataset.id, bare)))

    made = wired.create(street)

    assert made.consistent
    assert made.counts["figures"] == 21
    restored = versions.restore(street, made.version_id, verify="full")
    assert_same(read_videos(client, restored.project_id), read_videos(client, street))


def test_a_video_project_that_never_stands_still_holds_whole_videos(
    wire: Wire, wired: Versions, versions: Versions, client: Client, street, films
):
    numbers = count()
    wire.always(
        "videos.list", first(lambda: add_video_dataset(client, street, f"late {next(numbers)}", films[3:]))
    )

    made = wired.create(street)

    assert not made.consistent
    restored = versions.restore(street, made.version_id, verify="full")
    now = read_videos(client, street)
    found = read_videos(client, restored.project_id)
    assert_same(found, {key: now[key] for key in found})


@pytest.mark.parametrize("method", CREATE_CALLS)
def test_create_survives_a_gateway_that_fails_once(method, wire: Wire, wired: Versions, street):
    wire.on(method, refuse(503))

    assert wired.create(street).counts == COUNTS


@pytest.mark.parametrize("method", RESTORE_CALLS)
def test_restore_survives_an_answer_that_is_lost(
    method, wire: Wire, wired: Versions, made: Made, client: Client, street
):
    projects = count_projects(client)
    wire.on(method, lose_answer(502))

    restored = wired.restore(street, made.version_id, verify="full")

    assert_same(read_videos(client, restored.project_id), read_videos(client, street))
    assert count_projects(client) == projects + 1


@pytest.mark.parametrize("method", RESTORE_CALLS)
def test_a_failed_annotation_is_an_error_that_names_the_video(
    method, wire: Wire, wired: Versions, made: Made, client: Client, street
):
    """The official client writes such failures to its log, or tries for three minutes."""
    wire.always(method, refuse(400, f"no {method} today"))

    with (
        leaves_no_project(client),
        pytest.raises(SuperviselyError, match=rf"ideo '000\d\.mp4' \(id \d+\).*{method}"),
    ):
        wired.restore(street, made.version_id)


def test_dataset_custom_data_that_cannot_be_read_fails_the_version(
    wire: Wire, wired: Versions, versions: Versions, street
):
    wire.always("datasets.list", refuse(400, "no datasets today"))

    with pytest.raises(SuperviselyError, match="no datasets today"):
        wired.create(street)

    assert versions.get_list(street) == []


def test_the_restored_project_tells_where_it_came_from_and_keeps_its_settings(
    versions: Versions, client: Client, street
):
    client.projects.update_settings(street, {"advancedSettings": {"isReadOnlyProject": False}})
    restored = client.projects.get(versions.restore(street, versions.create(street).version_id).project_id)

    assert restored.custom_data["restored_from"]["project_id"] == street
    assert restored.custom_data["camera"] == {"номер": 7}
    assert restored.settings["advancedSettings"] == {"isReadOnlyProject": False}


def test_a_preview_of_videos_is_made(versions: Versions, client: Client, street):
    made = versions.create(street, enable_preview=True)

    preview = client.projects.get(made.preview_project_id or 0)
    assert (preview.type, preview.images_count) == ("videos", 3)
    assert_same(read_videos(client, preview.id), read_videos(client, street))


def test_a_film_that_is_gone_fails_before_anything_is_made(
    wire: Wire, wired: Versions, made: Made, client: Client, street
):
    lost = read_videos(client, street)["street/0001.mp4"]["hash"]
    wire.always("images.internal.hashes.list", alter(lambda found: [h for h in found if h != lost]))

    with leaves_no_project(client), pytest.raises(MissingMediaError, match=r"street/0001\.mp4 \(id \d+\)"):
        wired.restore(street, made.version_id)


def test_a_film_that_is_gone_is_left_out_when_asked(
    wire: Wire, wired: Versions, made: Made, client: Client, street
):
    expected = read_videos(client, street)
    lost = expected.pop("street/0001.mp4")["hash"]
    wire.always("images.internal.hashes.list", alter(lambda found: [h for h in found if h != lost]))

    restored = wired.restore(street, made.version_id, skip_missed_entities=True, verify="full")

    assert restored.skipped == ("street/0001.mp4",)
    assert restored.counts == {"datasets": 1, "videos": 2, "objects": 2, "figures": 7, "tags": 6}
    assert_same(read_videos(client, restored.project_id), expected)


@pytest.fixture
def linked(client: Client, films):
    """A project with one linked video whose host is gone."""
    project_id = make_video_project(client, films[:2])
    dataset_id = client.datasets.add(project_id, "linked").id
    with serve_media(films[2].read_bytes(), "video/mp4") as media:
        (video,) = client.videos.add(dataset_id, [{"title": "far.mp4", "link": media.url, "meta": {}}])
        annotate(client, project_id, dataset_id, video["id"])
    return project_id


def test_a_link_that_does_not_answer_fails_and_names_the_video(linked, client: Client, versions: Versions):
    made = versions.create(linked)

    with leaves_no_project(client), pytest.raises(SuperviselyError, match=r"linked/far\.mp4 \(id \d+\)"):
        versions.restore(linked, made.version_id)


def test_a_link_that_does_not_answer_is_left_out_when_asked(linked, client: Client, near_versions: Versions):
    made = near_versions.create(linked)

    restored = near_versions.restore(linked, made.version_id, missing_entities="skip", verify="full")

    assert restored.skipped == ("linked/far.mp4",)
    expected = read_videos(client, linked)
    del expected["linked/far.mp4"]
    assert_same(read_videos(client, restored.project_id), expected)


def test_videos_of_one_name_in_a_dataset_do_not_collapse(client: Client, street, rewritten):
    """The official client looks its new videos up by name."""

    def rename(tables):
        tables["videos"][1]["name"] = tables["videos"][0]["name"]

    restored = rewritten(street, rename)

    assert list(restored.renamed.values()) == ["0000_001.mp4"]
    assert client.projects.get(restored.project_id).images_count == 3


def _unknown_class(tables):
    tables["objects"][0]["class_name"] = "dragon"


def _unknown_object(tables):
    tables["figures"][3]["src_object_id"] = 987654


def _past_the_end(tables):
    tables["figures"][3]["frame_index"] = 120


def _before_the_beginning(tables):
    tables["figures"][3]["frame_index"] = -1


def _tag_past_the_end(tables):
    tables["tags"][0]["frame_to"] = 120


def _tag_of_nobody(tables):
    next(tag for tag in tables["tags"] if tag["owner_type"] == "object")["owner_id"] = 5


STREET = r"street/0000\.mp4' \(id \d+\)"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_unknown_class, f"dragon.*{STREET}"),
        (_unknown_object, f"{STREET}.*of object 987654"),
        (_past_the_end, f"{STREET}.*on frame 120, but the video has 120 frames"),
        (_before_the_beginning, f"{STREET}.*on frame -1"),
        (_tag_past_the_end, f"{STREET}.*on frames 0 to 120, but the video has 120 frames"),
        (_tag_of_nobody, f"{STREET}.*on object 5"),
    ],
)
def test_an_annotation_that_cannot_be_is_refused_before_anything_is_made(
    damage, told, client: Client, street, rewritten
):
    with leaves_no_project(client), pytest.raises(FormatError, match=told):
        rewritten(street, damage)


@pytest.fixture
def rewritten(versions: Versions, client: Client, monkeypatch: Patch):
    """Restore a version whose tables somebody changed."""

    def restore(project_id, change):
        made = versions.create(project_id)

        def unpack_changed(path, project_type, directory, *more):
            unpacked = unpack_archive(path, project_type, directory, *more)
            snapshot = unpacked.snapshot
            tables = {
                name: snapshot.read(name).to_pylist() for name in ("videos", "objects", "figures", "tags")
            }
            change(tables)
            for name, rows in tables.items():
                schema = snapshot.read(name).schema
                pq.write_table(
                    type(snapshot.read(name)).from_pylist(rows, schema=schema), snapshot.path(name)
                )
            return unpacked

        monkeypatch.setattr("airflow_sv_versioning.archive.unpack_archive", unpack_changed)
        return versions.restore(project_id, made.version_id)

    return restore


def test_a_version_whose_lines_tell_of_another_annotation_is_refused(versions: Versions, street, monkeypatch):
    from airflow_sv_versioning.project_types.videos import digests

    with monkeypatch.context() as patched:
        another = SimpleNamespace(of=lambda video_id: "0" * 64)
        patched.setattr(digests, "_annotation_digests", lambda snapshot: another)
        made = versions.create(street)

    with pytest.raises(IntegrityError, match=r"street/0000\.mp4"):
        versions.restore(street, made.version_id)


@FORMATS
@pytest.mark.parametrize("with_dataset", [False, True])
def test_a_project_without_videos_is_versioned_and_restored(
    archive_format, with_dataset, client: Client, versions: Versions
):
    project_id = make_video_project(client, [])
    if with_dataset:
        client.datasets.add(project_id, "nothing here")

    made = versions.create(project_id, archive_format=archive_format)
    restored = versions.restore(project_id, made.version_id, verify="full")

    assert client.projects.get(restored.project_id).type == "videos"


def test_a_frame_of_many_figures_keeps_their_order_when_an_answer_is_lost(
    wire: Wire, wired: Versions, versions: Versions, client: Client, films
):
    project_id = make_video_project(client, films[:1])
    dataset = next(client.datasets.list_all(project_id))
    (page,) = client.videos.iter_pages(dataset.id)
    classes = client.projects.get_meta(project_id)["classes"]
    (owner,) = client.objects.add(dataset.id, [{"classId": classes[0]["id"], "entityId": page[0]["id"]}])
    crowd = [
        {
            "objectId": owner,
            "geometryType": "rectangle",
            "geometry": box(number / 8, 1, 50, 60),
            "meta": {"frame": 7},
        }
        for number in range(450)
    ]
    client.videos.add_figures(page[0]["id"], crowd)
    made = versions.create(project_id)
    wire.on("figures.bulk.add", lose_answer(502), lose_answer(502), lose_answer(502))

    restored = wired.restore(project_id, made.version_id)

    assert_same(read_videos(client, restored.project_id), read_videos(client, project_id))


def test_an_answer_that_stays_lost_is_no_silence(
    wire: Wire, wired: Versions, made: Made, client: Client, street
):
    wire.always("videos.bulk.add", refuse(502))

    with leaves_no_project(client), pytest.raises(OutcomeUnknownError, match=r"0000\.mp4"):
        wired.restore(street, made.version_id)
