"""Objects that several videos share: made once, in their order, whatever happens to an answer."""

import dataclasses
import json

import pytest

from airflow_sv_versioning.exceptions import IntegrityError
from tests.support.compare import assert_same
from tests.support.projects import leaves_no_project
from tests.support.proxy import alter, lose_answer
from tests.support.types import Client, Made, Versions, Wire
from tests.support.video_projects import box, make_video_project, read_videos

SHARED = 205  # more than one request takes
CALLS = ["annotation-objects.bulk.add", "annotation-objects.tags.bulk.add", "figures.bulk.add"]


def _views(client, films, *, interface: str | None) -> int:
    """Make a project of which two videos share objects, between objects that one of them has alone."""
    project_id = make_video_project(client, films)
    if interface:
        client.projects.update_settings(project_id, {"labelingInterface": interface})
    (dataset,) = client.datasets.list_all(project_id)
    (page,) = client.videos.iter_pages(dataset.id)
    meta = client.projects.get_meta(project_id)
    class_id, tag_id = meta["classes"][0]["id"], meta["tags"][1]["id"]
    shared = [{"classId": class_id} for _ in range(SHARED)]
    own = {"classId": class_id, "entityId": page[0]["id"]}
    ids = client.objects.add(dataset.id, [own, *shared[:100], own, *shared[100:]])
    for number, video in enumerate(page[:2]):
        seen = [object_id for object_id in ids if number == 0 or object_id not in (ids[0], ids[101])]
        client.objects.add_tags(
            {"entityId": video["id"]}, [{"tagId": tag_id, "objectId": seen[5], "value": number}]
        )
        figures = [
            {
                "objectId": object_id,
                "geometryType": "rectangle",
                "geometry": box(1.5, 2, 30 + place / 8, 40),
                "meta": {"frame": place % 7},
            }
            for place, object_id in enumerate(seen)
        ]
        client.videos.add_figures(video["id"], figures)
    return project_id


@pytest.fixture
def project_id(client: Client, films) -> int:
    """Two videos that share objects, though nothing says that they are views of one scene."""
    return _views(client, films[:2], interface=None)


@pytest.mark.parametrize("interface", ["multi_view", None])
def test_shared_objects_stay_shared_and_keep_their_place_among_own_ones(
    interface, client: Client, versions: Versions, films
):
    project_id = _views(client, films[:3], interface=interface)

    made = versions.create(project_id)
    restored = versions.restore(project_id, made.version_id, verify="full")

    assert restored.counts == made.counts
    assert_same(read_videos(client, restored.project_id), read_videos(client, project_id))


@pytest.mark.parametrize("method", CALLS)
def test_a_lost_answer_makes_no_shared_object_twice(
    method, wire: Wire, wired: Versions, client: Client, versions: Versions, films
):
    project_id = _views(client, films[:3], interface="multi_view")
    made = versions.create(project_id)
    wire.on(method, lose_answer(502), lose_answer(502))

    restored = wired.restore(project_id, made.version_id, verify="full")

    assert_same(read_videos(client, restored.project_id), read_videos(client, project_id))
    assert _object_count(client, restored.project_id) == _object_count(client, project_id)


def _object_count(client, project_id):
    return sum(client.objects.count(dataset.id) for dataset in client.datasets.list_all(project_id))


def test_a_video_that_is_left_out_takes_no_shared_object_with_it(
    wire: Wire, wired: Versions, client: Client, versions: Versions, films
):
    project_id = _views(client, films[:3], interface="multi_view")
    made = versions.create(project_id)
    expected = read_videos(client, project_id)
    lost = expected.pop("street/0000.mp4")["hash"]
    wire.always("images.internal.hashes.list", alter(lambda found: [h for h in found if h != lost]))

    restored = wired.restore(project_id, made.version_id, skip_missed_entities=True, verify="full")

    assert_same(read_videos(client, restored.project_id), expected)


def test_an_object_that_did_not_arrive_fails_a_restore_that_only_counts(
    wire: Wire, wired: Versions, client: Client, made: Made, project_id: int
):
    wire.always("annotation-objects.list", alter(lambda answer: {**answer, "total": answer["total"] - 1}))

    with leaves_no_project(client), pytest.raises(IntegrityError, match="208 of 209 objects"):
        wired.restore(project_id, made.version_id)


def test_a_tag_that_did_not_arrive_fails_a_restore_that_only_counts(
    wire: Wire, wired: Versions, client: Client, made: Made, project_id: int
):
    def lose_a_tag(exchange):
        body = exchange.request.json
        less = json.dumps({**body, "tags": body["tags"][1:]}).encode()
        return wire.forward(dataclasses.replace(exchange.request, body=less))

    wire.always("videos.tags.bulk.add", lose_a_tag)

    with leaves_no_project(client), pytest.raises(IntegrityError, match="3 of 4 tags"):
        wired.restore(project_id, made.version_id)


def test_a_tag_that_is_only_missing_in_the_answer_is_there(
    wire: Wire, wired: Versions, client: Client, made: Made, project_id: int
):
    wire.always("videos.tags.bulk.add", alter(lambda answer: answer[1:]))

    restored = wired.restore(project_id, made.version_id, verify="full")

    assert_same(read_videos(client, restored.project_id), read_videos(client, project_id))
