"""Volumes: adding, listing, files, slices and what is refused."""

import io
import struct
from typing import Any

import pytest
from PIL import Image

from tests.support.api import Api, png
from tests.support.media import hash_of
from tests.support.volume_api import NORMALS, SIZES, VolumeProject, meta, nrrd, volume_project


@pytest.fixture
def project(api: Api) -> VolumeProject:
    return volume_project(api)


@pytest.fixture
def volume_id(project: VolumeProject) -> int:
    return project.add()


def test_a_volume_says_what_its_file_holds(project: VolumeProject):
    found = project.info(project.add("a.nrrd"))
    content = nrrd()
    assert (found["name"], found["hash"], found["link"]) == ("a.nrrd", hash_of(content), None)
    assert (found["datasetId"], found["projectId"]) == (project.dataset_id, project.id)
    assert (found["workspaceId"], found["teamId"]) == (1, 1)
    assert found["fileMeta"] == {
        "mime": "image/nrrd",
        "size": len(content),
        "type": "uint8",
        "dimension": 3,
        "sizes": [4, 5, 6],
        "encoding": "gzip",
        "space": "right-anterior-superior",
        "space directions": [[1, 0, 0], [0, 1, 0], [0, 0, 2.5]],
        "space origin": [0, -1, 2.5],
        "space dimension": 3,
        "extra": {"stride": [1, 4, 20], "comments": []},
    }


def test_the_meta_of_a_volume_stays_as_it_was_sent(project: VolumeProject):
    sent = {**meta(), "PatientName": "anonymized", "IJK2WorldMatrix": [0.1, 1e-17, None], "deep": {"ä": [{}]}}
    volume_id = project.add(meta=sent)
    assert project.info(volume_id)["meta"] == sent
    assert project.annotation(volume_id)["volumeMeta"] == sent


def test_volumes_are_answered_in_the_order_sent_and_listed_by_page(api: Api, project: VolumeProject):
    blob_hash = api.upload(nrrd())
    volumes = [
        {"name": f"{number % 7} {number}.nrrd", "hash": blob_hash, "meta": meta()} for number in range(120)
    ]
    body = {"datasetId": project.dataset_id, "volumes": volumes}
    added = api.call("volumes.bulk.add", body)
    names = [volume["name"] for volume in volumes]
    assert [volume["name"] for volume in added] == names
    listing = {"datasetId": project.dataset_id, "sort": "id", "sort_order": "asc", "per_page": 50}
    pages = [api.call("volumes.list", {**listing, "page": page}) for page in (1, 2, 3)]
    assert [len(page["entities"]) for page in pages] == [50, 50, 20]
    assert (pages[0]["total"], pages[0]["pagesCount"]) == (120, 3)
    assert [volume["name"] for page in pages for volume in page["entities"]] == names


def test_a_volume_is_found_by_name_and_by_project(api: Api, project: VolumeProject):
    ids = [project.add(f"{name}.nrrd") for name in "ab"]
    condition = {"field": "name", "operator": "=", "value": "b.nrrd"}
    found = api.call("volumes.list", {"datasetId": project.dataset_id, "filter": [condition]})
    assert [volume["id"] for volume in found["entities"]] == ids[1:]
    assert api.call("volumes.list", {"projectId": project.id})["total"] == 2


def test_a_volume_counts_its_objects_and_figures(project: VolumeProject, volume_id: int):
    project.mask(volume_id, project.object(volume_id))
    project.object(volume_id)
    found = project.info(volume_id)
    assert (found["annotationObjectsCount"], found["figuresCount"]) == (2, 1)


def test_a_volume_is_downloaded_whole_or_in_part(api: Api, project: VolumeProject, volume_id: int):
    content = nrrd()
    assert api.post("volumes.download", {"id": volume_id}).content == content
    part = api.session.post(
        api.url("volumes.download"), json={"id": volume_id}, headers={"range": "bytes=10-19"}, timeout=30
    )
    assert (part.status_code, part.content) == (206, content[10:20])
    url = project.info(volume_id)["fullStorageUrl"]
    assert api.session.get(url, timeout=30).content == content


def test_uploaded_volumes_are_known_by_their_hash(api: Api):
    blob_hash = api.upload(nrrd(seed=77))
    other = hash_of(b"never uploaded")
    assert api.call("images.internal.hashes.list", [other, blob_hash]) == [blob_hash]


def test_taken_names_are_refused_with_their_holders(api: Api, project: VolumeProject):
    volume_id = project.add("a.nrrd")
    blob_hash = api.upload(nrrd())
    again = [{"name": name, "hash": blob_hash, "meta": meta()} for name in ("b.nrrd", "a.nrrd")]
    details = api.refuse("volumes.bulk.add", {"datasetId": project.dataset_id, "volumes": again})
    assert details["type"] == "NONUNIQUE"
    assert details["errors"] == [{"name": "a.nrrd", "id": volume_id}]
    assert api.call("volumes.list", {"datasetId": project.dataset_id})["total"] == 1


def test_the_same_name_in_two_datasets_is_no_conflict(api: Api, project: VolumeProject):
    project.add("a.nrrd")
    body = {"projectId": project.id, "name": "nested", "parentId": project.dataset_id}
    nested = api.call("datasets.add", body)["id"]
    volumes = [{"name": "a.nrrd", "hash": api.upload(nrrd()), "meta": meta()}]
    api.call("volumes.bulk.add", {"datasetId": nested, "volumes": volumes})
    assert api.call("volumes.list", {"projectId": project.id})["total"] == 2


def test_a_volume_without_a_hash_is_refused_by_name(api: Api, project: VolumeProject):
    good = {"name": "good.nrrd", "hash": api.upload(nrrd()), "meta": meta()}
    volumes = [good, {"name": "bare.nrrd", "meta": meta()}]
    details = api.refuse("volumes.bulk.add", {"datasetId": project.dataset_id, "volumes": volumes})
    assert (details["type"], details["names"]) == ("HASH_REQUIRED", ["bare.nrrd"])
    assert api.call("volumes.list", {"datasetId": project.dataset_id})["total"] == 0


def test_an_unknown_hash_is_refused_by_hash(api: Api, project: VolumeProject):
    missing = hash_of(b"missing")
    volumes = [{"name": "a.nrrd", "hash": missing, "meta": meta()}]
    details = api.refuse("volumes.bulk.add", {"datasetId": project.dataset_id, "volumes": volumes}, 404)
    assert (details["type"], details["hashes"]) == ("HASH_NOT_FOUND", [missing])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (nrrd()[:-9], "truncated"),
        (nrrd(encoding="raw")[:-1], "truncated"),
        (nrrd(encoding="bzip2")[:-5], "truncated"),
        (nrrd()[:60], "truncated"),
        (nrrd()[:-8] + bytes(8), "damaged"),
        (png(), "not an NRRD"),
        (b"", "not an NRRD"),
        (nrrd(fields={"sizes": "4 5 7"}), "truncated"),
        (nrrd(fields={"sizes": "4 5"}), "malformed"),
        (nrrd(fields={"sizes": "4 5 x"}), "malformed"),
        (nrrd(fields={"sizes": "4 5 0"}), "malformed"),
        (nrrd(fields={"dimension": "0"}), "malformed"),
        (nrrd(fields={"space origin": "(0,nan,0)"}), "malformed"),
        (nrrd(fields={"space directions": "(1,0,0) (0,x,0) none"}), "malformed"),
        (nrrd(fields={"type": "block"}), "block"),
        (nrrd(fields={"encoding": "hex"}), "hex"),
        (nrrd(fields={"data file": "a.raw"}), "data file"),
        (nrrd(fields={"type": None, "sizes": None}), "no type, sizes"),
        (b"NRRD0005\n" + b"# x\n" * 400_000, "too long"),
    ],
)
def test_a_file_that_is_no_whole_volume_is_refused_with_the_reason(
    api: Api, project: VolumeProject, content: bytes, reason: str
):
    blob_hash = api.upload(content)
    volumes = [{"name": "a.nrrd", "hash": blob_hash, "meta": meta()}]
    for _ in range(2):
        details = api.refuse("volumes.bulk.add", {"datasetId": project.dataset_id, "volumes": volumes})
        assert (details["type"], details["hashes"]) == ("NOT_A_VOLUME", [blob_hash])
        assert reason in details["message"]


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
@pytest.mark.parametrize(
    ("kind", "sizes"),
    [("uint8", (4, 5, 6)), ("short", (2, 5, 6)), ("float", (1, 5, 6)), ("double", (1, 1, 15))],
)
def test_every_usual_kind_of_voxels_is_read(api: Api, project: VolumeProject, encoding, kind, sizes):
    """Each file has 120 bytes of voxels, whatever their type."""
    fields = {"type": kind, "endian": "little", "sizes": " ".join(map(str, sizes))}
    volume_id = project.add(sizes=sizes, hash=api.upload(nrrd(encoding=encoding, fields=fields)))
    file_meta = project.info(volume_id)["fileMeta"]
    assert (file_meta["type"], file_meta["sizes"], file_meta["endian"]) == (kind, list(sizes), "little")


def test_comments_and_own_fields_of_a_file_do_no_harm(api: Api, project: VolumeProject):
    head, _, rest = nrrd().partition(b"\n")
    content = head + b"\n# made by hand\nkinds: domain domain domain\nmy key:=my: value\n" + rest
    volume_id = project.add(hash=api.upload(content))
    assert project.info(volume_id)["fileMeta"]["extra"]["comments"] == ["made by hand"]


@pytest.mark.parametrize(
    "dimensions", [{"x": 4}, {"x": 4, "y": 5, "z": 0}, {"x": 4, "y": 5, "z": "6"}, "456"]
)
def test_dimensions_that_cannot_be_are_refused(api: Api, project: VolumeProject, dimensions: Any):
    volumes = [{"name": "a.nrrd", "hash": api.upload(nrrd()), "meta": {"dimensionsIJK": dimensions}}]
    details = api.refuse("volumes.bulk.add", {"datasetId": project.dataset_id, "volumes": volumes})
    assert (details["type"], details["names"]) == ("DIMENSIONS_INVALID", ["a.nrrd"])


def test_a_volume_whose_meta_tells_nothing_has_the_sizes_of_its_file(api: Api, project: VolumeProject):
    volume_id = project.add(meta={})
    assert project.info(volume_id)["meta"] == {}
    body = {"volumeId": volume_id, "volumeSlices": slices(api, 6)}
    assert "0 to 5" in api.refuse("volumes.slices.bulk.add", body)["message"]


def test_volumes_go_into_volume_projects_only(api: Api):
    images, project = api.project(), volume_project(api)
    volumes = [{"name": "a.nrrd", "hash": api.upload(nrrd()), "meta": meta()}]
    assert (
        "holds images"
        in api.refuse("volumes.bulk.add", {"datasetId": images.dataset_id, "volumes": volumes})["message"]
    )
    body = {"datasetId": project.dataset_id, "images": [{"title": "a.png", "hash": api.upload(png())}]}
    assert "holds volumes" in api.refuse("images.bulk.add", body)["message"]


def test_what_is_no_volume_is_not_found_as_one(api: Api):
    image_id = api.image(api.project())
    for method in ("volumes.info", "volumes.download"):
        api.refuse(method, {"id": image_id}, status=404)
        api.refuse(method, {"id": 99_999_999}, status=404)
    api.refuse("volumes.annotations.bulk.info", {"volumeIds": [image_id]}, status=404)
    api.refuse("volumes.slices.bulk.add", {"volumeId": image_id, "volumeSlices": []}, status=404)


def slices(api: Api, index: Any, **members: Any) -> list[dict[str, Any]]:
    blob_hash = api.upload(nrrd((4, 5)))
    return [{"hash": blob_hash, "sliceIndex": index, "normal": NORMALS["axial"], **members}]


def test_slices_of_each_plane_are_taken_as_often_as_they_come(api: Api, volume_id: int):
    for (_, normal), count in zip(NORMALS.items(), SIZES, strict=True):
        pieces = [slices(api, index, normal=normal)[0] for index in range(count)]
        body = {"volumeId": volume_id, "volumeSlices": pieces}
        added = [api.call("volumes.slices.bulk.add", body) for _ in range(2)][-1]
        assert [piece["sliceIndex"] for piece in added] == list(range(count))
        assert len({piece["id"] for piece in added}) == count


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"sliceIndex": 6}, "SLICE_OUT_OF_RANGE"),
        ({"sliceIndex": -1}, "SLICE_OUT_OF_RANGE"),
        ({"normal": {"x": 1, "y": 1, "z": 0}}, "UNKNOWN_PLANE"),
        ({"normal": None}, "UNKNOWN_PLANE"),
        ({"hash": None}, "VALIDATION_ERROR"),
    ],
)
def test_a_slice_that_the_volume_does_not_have_is_refused(api: Api, project: VolumeProject, wrong, kind):
    body = {"volumeId": project.add(), "volumeSlices": slices(api, 0, **wrong)}
    assert api.refuse("volumes.slices.bulk.add", body)["type"] == kind


def test_a_slice_of_an_unknown_hash_is_refused(api: Api, project: VolumeProject):
    body = {"volumeId": project.add(), "volumeSlices": slices(api, 0, hash=hash_of(b"missing"))}
    assert api.refuse("volumes.slices.bulk.add", body, 404)["type"] == "HASH_NOT_FOUND"


def slice_picture(api: Api, volume_id: int, plane: str, index: int, **window: Any) -> list[list[int]]:
    """The rows of a slice's picture."""
    body = {"volumeId": volume_id, "sliceIndex": index, "normal": NORMALS[plane], **window}
    answer = api.post("volumes.slices.images.download", body)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    picture = Image.open(io.BytesIO(answer.content))
    grey = list(picture.get_flattened_data() if hasattr(picture, "get_flattened_data") else picture.getdata())
    return [grey[start : start + picture.width] for start in range(0, len(grey), picture.width)]


def voxel(x: int, y: int, z: int) -> int:
    """What :func:`nrrd` has at a place."""
    return (x + 4 * (y + 5 * z)) * 7 % 251


def test_slices_are_shown_with_their_first_axis_to_the_right(api: Api):
    volume_id = volume_project(api).add()
    window = {"windowCenter": 127.5, "windowWidth": 255}
    assert slice_picture(api, volume_id, "sagittal", 3, **window) == [
        [voxel(3, y, z) for y in range(5)] for z in range(6)
    ]
    assert slice_picture(api, volume_id, "coronal", 0, **window) == [
        [voxel(x, 0, z) for x in range(4)] for z in range(6)
    ]
    assert slice_picture(api, volume_id, "axial", 5, **window) == [
        [voxel(x, y, 5) for x in range(4)] for y in range(5)
    ]


def test_the_window_of_a_volume_becomes_black_to_white(api: Api):
    volume_id = volume_project(api).add()
    shown = slice_picture(api, volume_id, "axial", 0)
    expected = [[min(255, round(voxel(x, y, 0) / 119 * 255)) for x in range(4)] for y in range(5)]
    assert shown == expected


@pytest.mark.parametrize(
    ("type_name", "pack"), [("int16", "<h"), ("unsigned short", "<H"), ("float", "<f"), ("double", "<d")]
)
def test_slices_of_every_type_of_voxels_are_shown(api: Api, project: VolumeProject, type_name, pack):
    values = struct.pack(f"<8{pack[1]}", *range(0, 80, 10))
    header = f"NRRD0005\ntype: {type_name}\ndimension: 3\nsizes: 2 2 2\nendian: little\nencoding: raw\n\n"
    blob_hash = api.upload(header.encode() + values)
    volume_id = project.add(hash=blob_hash, meta={})
    assert slice_picture(api, volume_id, "axial", 1, windowCenter=127.5, windowWidth=255) == [
        [40, 50],
        [60, 70],
    ]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"sliceIndex": 6}, "SLICE_OUT_OF_RANGE"),
        ({"normal": {"x": 1, "y": 1, "z": 0}}, "UNKNOWN_PLANE"),
        ({"windowWidth": "wide"}, "VALIDATION_ERROR"),
    ],
)
def test_a_picture_of_no_slice_is_refused(api: Api, wrong: dict[str, Any], kind: str):
    body = {"volumeId": volume_project(api).add(), "sliceIndex": 0, "normal": NORMALS["axial"], **wrong}
    assert api.refuse("volumes.slices.images.download", body)["type"] == kind


def test_a_volume_is_renamed_and_removed_as_other_items_are(api: Api, project: VolumeProject):
    volume_id = project.add("a.nrrd")
    answer = api.call("images.editInfo", {"id": volume_id, "name": "b.nrrd"})
    assert (answer["name"], answer["fileMeta"]["dimension"]) == ("b.nrrd", 3)
    api.call("images.bulk.remove", {"imageIds": [volume_id]})
    api.refuse("volumes.info", {"id": volume_id}, status=404)


def test_a_volume_cannot_be_made_a_link(api: Api):
    volume_id = volume_project(api).add()
    details = api.refuse("images.update.links", {"images": [{"id": volume_id, "link": "s3://a/b.nrrd"}]})
    assert details["entityIds"] == [volume_id]
    assert api.post("volumes.download", {"id": volume_id}).content == nrrd()
