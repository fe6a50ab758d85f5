"""Images: adding, editing, downloading."""

import re
import threading
from pathlib import Path

import pytest
import requests

from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.api import Api, Project, details_of, png
from tests.support.media import hash_of, serve_media


def test_an_uploaded_image_is_known_by_its_hash(api: Api):
    content = png(13, 7, "green")
    assert api.call("images.internal.hashes.list", [hash_of(content)]) == []
    assert api.upload(content) == hash_of(content)
    wanted = [hash_of(b"nothing"), hash_of(content)]
    assert api.call("images.internal.hashes.list", wanted) == [hash_of(content)]


def test_an_image_has_every_member_that_clients_read(api: Api, project: Project):
    content = png(13, 7)
    image = {
        "title": "ünï.png",
        "hash": api.upload(content),
        "meta": {"lens": {"f": 1.4}},
        "description": "d",
    }
    added = api.call("images.bulk.add", {"datasetId": project.dataset_id, "images": [image]})[0]
    assert (added["name"], added["width"], added["height"]) == ("ünï.png", 13, 7)
    assert (added["mime"], added["ext"], added["size"]) == ("image/png", "png", len(content))
    assert (added["meta"], added["tags"], added["labelsCount"]) == ({"lens": {"f": 1.4}}, [], 0)
    assert (added["projectId"], added["datasetId"]) == (project.id, project.dataset_id)
    assert (added["link"], added["parentId"], added["description"]) == (None, None, "d")
    assert added == api.call("images.info", {"id": added["id"]})
    assert requests.get(added["fullStorageUrl"], timeout=30).content == content


def test_answers_keep_the_order_of_the_request(api: Api, project: Project):
    names = [f"{number}.png" for number in (3, 1, 2)]
    image_ids = api.images(project.dataset_id, names)
    found = [api.call("images.info", {"id": image_id})["name"] for image_id in image_ids]
    assert found == names


def test_a_hash_that_is_not_stored_is_refused(api: Api, project: Project):
    images = [{"title": "a.png", "hash": api.upload(png())}, {"title": "b.png", "hash": hash_of(b"gone")}]
    details = api.refuse("images.bulk.add", {"datasetId": project.dataset_id, "images": images}, 404)
    assert details["hashes"] == [hash_of(b"gone")]
    assert api.call("images.list", {"datasetId": project.dataset_id})["total"] == 0


def test_media_that_are_gone_from_the_disk_are_not_known(tmp_path: Path):
    with EmbeddedServer(tmp_path) as server, Api(server.info) as api:
        project = api.project()
        image_id = api.image(project)
        for path in (tmp_path / "blobs").rglob("*"):
            if path.is_file():
                path.unlink()
        assert api.call("images.internal.hashes.list", [hash_of(png())]) == []
        api.refuse("images.download", {"id": image_id}, status=404)
        api.refuse("images.bulk.download", {"imageIds": [image_id]}, status=404)


def test_a_file_that_is_no_image_is_refused(api: Api):
    image = {"title": "a.png", "hash": api.upload(b"no image")}
    details = api.refuse("images.bulk.add", {"datasetId": api.project().dataset_id, "images": [image]})
    assert details["type"] == "NOT_AN_IMAGE"


def test_taken_names_are_told_with_their_ids(api: Api, project: Project):
    first, _ = api.images(project.dataset_id, ["a.png", "b.png"])
    blob_hash = api.upload(png())
    images = [{"title": name, "hash": blob_hash} for name in ("a.png", "c.png")]
    details = api.refuse("images.bulk.add", {"datasetId": project.dataset_id, "images": images})
    assert (details["type"], details["errors"]) == ("NONUNIQUE", [{"name": "a.png", "id": first}])
    assert api.call("images.list", {"datasetId": project.dataset_id})["total"] == 2


def test_an_image_is_added_by_the_id_of_another(api: Api):
    project, other = api.project(), api.project()
    image_id = api.image(other)
    api.call("images.editInfo", {"id": image_id, "meta": {"a": 1}})
    images = [
        {"title": "copy.png", "imageId": image_id},
        {"title": "own.png", "imageId": image_id, "meta": {}},
    ]
    added = api.call("images.bulk.add", {"datasetId": project.dataset_id, "images": images})
    assert [image["hash"] for image in added] == [hash_of(png())] * 2
    assert [image["meta"] for image in added] == [{"a": 1}, {}]


def test_a_link_is_fetched_to_learn_what_it_is(api: Api, project: Project):
    content = png(13, 7)
    with serve_media(content) as host:
        image = {"title": "linked.png", "link": host.url}
        added = api.call("images.bulk.add", {"datasetId": project.dataset_id, "images": [image]})[0]
        assert (added["link"], added["hash"]) == (host.url, None)
        assert (added["width"], added["height"], added["size"]) == (13, 7, len(content))
        assert added["fullStorageUrl"] == host.url
        assert api.post("images.download", {"id": added["id"]}).content == content
        assert api.call("remote-storage.exists", {"path": host.url}) == {"exists": True}
        assert api.call("remote-storage.exists", {"path": host.gone}) == {"exists": False}
    project_info = api.call("projects.info", {"id": project.id})
    assert (project_info["localEntitiesCount"], project_info["remoteEntitiesCount"]) == (0, 1)


def test_a_dead_link_is_refused_unless_validation_is_skipped(api: Api, project: Project):
    with serve_media(png()) as host:
        link = host.gone
        body = {"datasetId": project.dataset_id, "images": [{"title": "dead.png", "link": link}]}
        details = api.refuse("images.bulk.add", body)
        assert link in details["message"]
        added = api.call("images.bulk.add", {**body, "skipValidation": True})[0]
    assert (added["link"], added["width"], added["mime"]) == (link, None, None)


def test_a_bucket_link_is_looked_up_beside_the_data(tmp_path: Path):
    with EmbeddedServer(tmp_path) as server, Api(server.info) as api:
        folder = tmp_path / "remote-storage" / "s3" / "bucket" / "a"
        folder.mkdir(parents=True)
        (folder / "b.png").write_bytes(png(9, 8))
        image = {"title": "b.png", "link": "s3://bucket/a/b.png"}
        added = api.call("images.bulk.add", {"datasetId": api.project().dataset_id, "images": [image]})[0]
        assert (added["width"], added["height"]) == (9, 8)
        for link in ("s3://bucket/a/c.png", "s3://../../server.sqlite", "file:///etc/passwd", "nonsense"):
            assert api.call("remote-storage.exists", {"path": link}) == {"exists": False}


def test_an_image_is_edited_member_by_member(api: Api, project: Project):
    parent, image_id = api.images(project.dataset_id, ["parent.png", "child.png"])
    api.call("images.editInfo", {"id": image_id, "meta": {"a": 1}})
    edited = api.call(
        "images.editInfo", {"id": image_id, "name": "b.png", "description": "d", "parentId": parent}
    )
    assert (edited["name"], edited["description"], edited["parentId"]) == ("b.png", "d", parent)
    assert edited["meta"] == {"a": 1}
    api.refuse("images.editInfo", {"id": image_id, "name": "parent.png"})


def test_images_are_listed_by_dataset_tree_and_project(api: Api, project: Project):
    child = api.call("datasets.add", {"projectId": project.id, "name": "c", "parentId": project.dataset_id})[
        "id"
    ]
    other = api.call("datasets.add", {"projectId": project.id, "name": "o"})["id"]
    for dataset_id in (project.dataset_id, child, other):
        api.images(dataset_id, ["a.png"])
    bodies = [
        {"datasetId": project.dataset_id, "recursive": False},
        {"datasetId": project.dataset_id, "recursive": True},
        {"projectId": project.id, "datasetId": None},
    ]
    assert [api.call("images.list", body)["total"] for body in bodies] == [1, 2, 3]
    api.refuse("images.list", {})


def test_many_images_are_downloaded_at_once(api: Api, project: Project):
    contents = {name: png(5, 5, name) for name in ("red", "green", "blue")}
    images = [{"title": name, "hash": api.upload(content)} for name, content in contents.items()]
    added = api.call("images.bulk.add", {"datasetId": project.dataset_id, "images": images})
    answer = api.post("images.bulk.download", {"imageIds": [image["id"] for image in added]})
    boundary = answer.headers["content-type"].split("boundary=")[1]
    parts = answer.content.split(b"--" + boundary.encode())[1:-1]
    found = {}
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        match = re.search(rb'(^|[\s;])name="(\d*)"', head)
        assert match is not None
        found[int(match.group(2))] = body.removesuffix(b"\r\n")
    assert found == {image["id"]: contents[image["name"]] for image in added}


def test_removing_an_image_keeps_its_media(api: Api, image_id: int):
    api.call("images.bulk.remove", {"imageIds": [image_id]})
    api.refuse("images.info", {"id": image_id}, status=404)
    assert api.call("images.internal.hashes.list", [hash_of(png())]) == [hash_of(png())]
    api.refuse("images.bulk.remove", {"imageIds": [image_id]}, status=404)


def test_images_belong_into_image_projects(api: Api):
    project = api.project(type="videos")
    image = {"title": "a.png", "hash": api.upload(png())}
    api.refuse("images.bulk.add", {"datasetId": project.dataset_id, "images": [image]})


@pytest.mark.parametrize(
    ("image", "status"),
    [({"title": "nothing.png"}, 400), ({"hash": "x"}, 400), ({"title": "a.png", "hash": "no hash"}, 404)],
)
def test_an_image_needs_a_title_and_a_source(api: Api, image: dict[str, str], status: int):
    api.refuse("images.bulk.add", {"datasetId": api.project().dataset_id, "images": [image]}, status)


def test_writers_at_the_same_time_do_not_disturb_each_other(api: Api, project: Project):
    blob_hash = api.upload(png())
    answers: list[requests.Response] = []

    def add(number: int) -> None:
        images = [{"title": f"{number}-{place}.png", "hash": blob_hash} for place in range(20)]
        with Api(api.info) as own:
            answers.append(own.post("images.bulk.add", {"datasetId": project.dataset_id, "images": images}))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 8
    ids = {image["id"] for answer in answers for image in answer.json()}
    assert len(ids) == 160
    assert api.call("images.list", {"datasetId": project.dataset_id})["total"] == 160


def test_one_of_two_equal_names_wins(api: Api, project: Project):
    image = {"title": "same.png", "hash": api.upload(png())}
    answers: list[requests.Response] = []

    def add() -> None:
        with Api(api.info) as own:
            answers.append(own.post("images.bulk.add", {"datasetId": project.dataset_id, "images": [image]}))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    for answer in answers:
        if answer.status_code == 400:
            assert details_of(answer)["type"] == "NONUNIQUE"
