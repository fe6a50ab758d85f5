"""Video projects that cannot be versioned: the error names the video, and nothing half-made is left."""

import pytest

from airflow_sv_versioning.exceptions import FormatError, ProjectChangedError, TransportError
from tests.support.projects import list_version_files, read_map, touch
from tests.support.proxy import alter, first
from tests.support.types import Client, Versions, Wire


def _unknown_object(annotation):
    annotation["frames"][1]["figures"][0]["objectId"] = 987654


def _past_the_end(annotation):
    annotation["frames"][-1]["index"] = 120


def _tag_past_the_end(annotation):
    annotation["tags"][0]["frameRange"] = [0, 120]


DAMAGES = pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_unknown_object, "of object 987654"),
        (_past_the_end, "on frame 120, but the video has 120 frames"),
        (_tag_past_the_end, "on frames 0 to 120, but the video has 120 frames"),
    ],
)


def _annotation_of_the_first_video(change):
    """Change one video's annotation, whichever of the requests that run side by side asks for it."""

    def changed(annotations):
        for annotation in annotations:
            if annotation["videoName"] == "0000.mp4" and annotation["objects"]:
                change(annotation)
        return annotations

    return alter(changed)


@DAMAGES
def test_an_annotation_that_cannot_be_restored_is_no_version(
    damage, told, wire: Wire, wired: Versions, versions: Versions, client: Client, street
):
    wire.always("videos.annotations.bulk.info", _annotation_of_the_first_video(damage))

    with pytest.raises(FormatError, match=rf"video 'street/0000\.mp4' \(id \d+\).*{told}"):
        wired.create(street)

    assert_nothing_left(client, versions, street)


def assert_nothing_left(client, versions, project_id):
    assert versions.get_list(project_id) == []
    assert list_version_files(client, project_id) == set()
    assert read_map(client, project_id) == {}
    # Nobody holds the project.
    assert versions.create(project_id, busy_timeout_seconds=0).created


def test_an_annotation_without_sense_names_its_video(
    wire: Wire, wired: Versions, client: Client, versions: Versions, street
):
    def nonsense(annotation):
        annotation["frames"][0]["figures"][0]["objectId"] = "no number"

    wire.always("videos.annotations.bulk.info", _annotation_of_the_first_video(nonsense))

    with pytest.raises(TransportError, match=r"annotation of video \d+"):
        wired.create(street)

    assert_nothing_left(client, versions, street)


def test_parts_of_different_moments_that_do_not_fit_are_worth_another_try(
    wire: Wire, wired: Versions, client: Client, street
):
    wire.always("videos.list", first(lambda: touch(client, street)))
    wire.always("videos.annotations.bulk.info", _annotation_of_the_first_video(_unknown_object))

    with pytest.raises(ProjectChangedError, match=r"street/0000\.mp4.*of object 987654") as caught:
        wired.create(street)

    assert caught.value.transient
