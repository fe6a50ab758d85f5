"""One video of a version can be checked without the rest."""

import json

import pytest

from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    IntegrityError,
    NotFoundError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.versioning import one_video
from tests.support.media import serve_media
from tests.support.types import Client, Made, Patch, Run, Versions
from tests.support.video_projects import add_video_dataset, annotate


@pytest.fixture
def street(client: Client, street: int, films) -> int:
    add_video_dataset(client, street, "street/night", films[:2])
    return street


@pytest.fixture
def made(versions: Versions, street: int) -> Made:
    return versions.create(street)


def _annotate_again(client, project_id, path):
    dataset_name, _, name = path.rpartition("/")
    dataset = next(d for d in client.datasets.list_all(project_id) if d.name == dataset_name)
    (video,) = client.videos.list_by_names(dataset.id, [name])
    annotate(client, project_id, dataset.id, video["id"])


@pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
@pytest.mark.parametrize("path", ["street/0001.mp4", "street/night/0000.mp4"])
def test_a_restored_video_and_its_file_are_what_the_version_says(
    path, archive_format, versions: Versions, street, films, monkeypatch: Patch
):
    made = versions.create(street, archive_format=archive_format)
    restored = versions.restore(street, made.version_id)
    monkeypatch.setattr(one_video, "unpack_archive", None)  # nobody unpacks anything

    checked = versions.check_item(
        street, path, made.version_id, file=films[int(path[-5])], in_project=restored.project_id
    )

    assert (checked.path, checked.version_num, checked.frames_count) == (path, 1, 120)
    assert checked.size_bytes == films[int(path[-5])].stat().st_size


def test_another_file_is_told(versions: Versions, made: Made, street, films):
    with pytest.raises(
        IntegrityError, match=r"0002\.mp4 is not the file of item 'street/0001\.mp4' \(id \d+\)"
    ):
        versions.check_item(street, "street/0001.mp4", made.version_id, file=films[2])


def test_an_annotation_that_changed_since_is_told_and_the_others_are_not(
    client: Client, made: Made, versions: Versions, street
):
    _annotate_again(client, street, "street/0001.mp4")

    with pytest.raises(IntegrityError, match=r"'street/0001\.mp4'.*different is its annotation\."):
        versions.check_item(street, "street/0001.mp4", made.version_id, in_project=street)
    versions.check_item(street, "street/0000.mp4", made.version_id, in_project=street)


def test_a_video_that_the_version_lacks_is_told(versions: Versions, made: Made, street):
    with pytest.raises(ConfigurationError, match=r"holds no item 'street/nothing\.mp4'"):
        versions.check_item(street, "street/nothing.mp4", made.version_id)


def test_a_video_that_the_project_lacks_is_told(versions: Versions, made: Made, client: Client, street: int):
    empty = client.projects.add(1, f"empty beside {street}", "videos").id

    with pytest.raises(NotFoundError, match=rf"Project {empty} has no video 'street/0001\.mp4'"):
        versions.check_item(street, "street/0001.mp4", made.version_id, in_project=empty)


def test_a_linked_video_has_no_file_to_compare(client: Client, versions: Versions, street, films):
    dataset_id = client.datasets.add(street, "linked").id
    with serve_media(films[0].read_bytes(), "video/mp4") as media:
        client.videos.add(dataset_id, [{"title": "far.mp4", "link": media.url, "meta": {}}])
    made = versions.create(street)

    assert versions.check_item(street, "linked/far.mp4", made.version_id, in_project=street).link
    with pytest.raises(ConfigurationError, match="by its link"):
        versions.check_item(street, "linked/far.mp4", made.version_id, file=films[0])


def test_a_project_of_images_has_no_items_to_check_one_by_one(versions: Versions, project_id: int):
    with pytest.raises(UnsupportedProjectError, match="Verify the whole version"):
        versions.check_item(project_id, "a/b.mp4", version_num=1)


def test_the_command_line_checks_a_video(run: Run, made: Made, street: int, films):
    command = ["check-item", street, "street/0001.mp4", "--version-num", "1"]

    code, told, _ = run(*command, "--file", films[1], "--in-project", street)
    assert code == 0
    assert "is this file" in told
    assert "same annotation" in told
    code, out, _ = run(*command, "--json")
    assert code == 0
    assert json.loads(out)["annotation_sha256"] in told
    assert run(*command, "--file", films[2])[0] == 3
    assert run("check-item", street, "nowhere.mp4", "--version-num", "1")[0] == 2
