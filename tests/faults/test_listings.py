"""Listings and answers in bulk that are short, doubled, or without the parts that were asked for."""

from itertools import count
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import (
    IncompleteListingError,
    ProjectChangedError,
    SuperviselyError,
    UnexpectedAnswerError,
)
from tests.support.projects import ids_of, make_project, read_images, touch
from tests.support.proxy import Reply, alter
from tests.support.types import Client, Patch, Versions, Wire
from tests.support.video_projects import make_video_project
from tests.support.volumes import make_volume_project


@pytest.fixture
def projects(client: Client, photos: list[Path], films, tmp_path: Path):
    """A project of each type, made when it is asked for."""
    return {
        "images": lambda: make_project(client, photos[:3]),
        "videos": lambda: make_video_project(client, films[:3]),
        "volumes": lambda: make_volume_project(client, tmp_path),
    }


def shorter(answer):
    return {**answer, "entities": answer["entities"][:-1]}


def doubled(answer):
    entities = answer["entities"]
    return {**answer, "entities": [*entities, entities[0]], "total": answer["total"] + 1}


def empty(answer):
    return {**answer, "entities": []}


LISTINGS = [
    *((kind, "datasets.list") for kind in ("images", "videos", "volumes")),
    *((kind, f"{kind}.list") for kind in ("images", "videos", "volumes")),
    ("images", "figures.list"),
    ("videos", "figures.list"),
    ("volumes", "figures.list"),
]


@pytest.mark.parametrize("wrong", [shorter, doubled, empty])
@pytest.mark.parametrize(("kind", "method"), LISTINGS)
def test_no_version_is_made_of_a_listing_that_is_not_whole(
    kind, method, wrong, projects, wire: Wire, wired: Versions, versions: Versions
):
    project_id = projects[kind]()
    wire.always(method, alter(wrong))

    with pytest.raises(IncompleteListingError) as raised:
        wired.create(project_id)

    assert method in str(raised.value)
    assert versions.get_list(project_id) == []
    assert versions.create(project_id).version_num == 1, "the reservation was given back"


@pytest.mark.parametrize(("kind", "method"), LISTINGS)
def test_a_listing_that_is_short_once_is_read_again(
    kind, method, projects, wire: Wire, wired: Versions, versions: Versions
):
    project_id = projects[kind]()
    wire.on(method, alter(shorter))

    made = wired.create(project_id)

    assert made.consistent
    assert made.counts == versions.restore(project_id, made.version_id, verify="full").counts
    assert made.counts[kind] == 3 if kind != "volumes" else made.counts[kind] > 0


@pytest.mark.parametrize("kind", ["videos", "volumes"])
def test_no_version_is_made_without_the_notes_on_figures_that_annotations_have(
    kind, projects, wire: Wire, wired: Versions, versions: Versions
):
    project_id = projects[kind]()
    wire.always("figures.list", alter(lambda answer: {**shorter(answer), "total": answer["total"] - 1}))

    with pytest.raises(IncompleteListingError, match=r"figures\.list leaves out figures \[\d+\]"):
        wired.create(project_id)

    assert versions.get_list(project_id) == []


@pytest.mark.parametrize(("kind", "method"), LISTINGS)
def test_a_listing_that_is_short_once_is_read_again_where_a_version_is_the_base(
    kind, method, projects, wire: Wire, wired: Versions, versions: Versions, client: Client
):
    project_id = projects[kind]()
    first_one = versions.create(project_id)
    touch(client, project_id)
    wire.on(method, alter(shorter))

    made = wired.create(project_id)

    assert made.consistent
    assert made.counts == first_one.counts


@pytest.mark.parametrize("wrong", [lambda answer: answer[1:], lambda answer: [*answer, answer[0]]])
@pytest.mark.parametrize("kind", ["videos", "volumes"])
def test_no_version_is_made_of_annotations_that_are_not_whole(
    kind, wrong, projects, wire: Wire, wired: Versions, versions: Versions
):
    project_id = projects[kind]()
    wire.always(f"{kind}.annotations.bulk.info", alter(wrong))

    with pytest.raises(IncompleteListingError):
        wired.create(project_id)

    assert versions.get_list(project_id) == []


@pytest.mark.parametrize("reply", [Reply(204), Reply(200)], ids=["204", "empty"])
def test_no_version_is_made_without_the_masks(
    reply, projects, wire: Wire, wired: Versions, versions: Versions
):
    project_id = projects["volumes"]()
    wire.always("figures.bulk.download.geometry", lambda _: reply)

    with pytest.raises(SuperviselyError, match=r"figures\.bulk\.download\.geometry"):
        wired.create(project_id)

    assert versions.get_list(project_id) == []


def add_bare_mask(client, project_id):
    """Add a figure in space as a killed import leaves it: without its mask."""
    dataset = next(iter(client.datasets.list_all(project_id)))
    [volume, *_] = next(client.volumes.iter_pages(dataset.id))
    class_ids, _ = ids_of(client, project_id)
    owner = {"classId": class_ids["anything"], "entityId": volume["id"]}
    [object_id] = client.objects.add(dataset.id, [owner])
    figure = {"objectId": object_id, "geometryType": "mask_3d", "tool": "mask_3d"}
    return client.volumes.add_figures(volume["id"], [figure])[0]


def add_bare_alpha_mask(client, project_id):
    """The same on an image."""
    meta = client.projects.get_meta(project_id)
    glass = {"title": "glass", "shape": "alpha_mask", "color": "#112233"}
    classes = client.projects.update_meta(project_id, {**meta, "classes": [*meta["classes"], glass]})[
        "classes"
    ]
    [class_id] = [entry["id"] for entry in classes if entry["title"] == "glass"]
    dataset = next(iter(client.datasets.list_all(project_id)))
    [image, *_] = next(client.images.iter_pages(dataset.id))
    figure = {"entityId": image["id"], "classId": class_id, "geometryType": "alpha_mask"}
    return client.figures.add(dataset.id, [figure])[0]


@pytest.mark.parametrize("archive_format", ["auto", "older"])
@pytest.mark.parametrize(("kind", "add_bare"), [("volumes", add_bare_mask), ("images", add_bare_alpha_mask)])
def test_a_figure_of_which_the_server_says_that_it_has_no_mask_is_versioned_and_named(
    kind, add_bare, archive_format, projects, client: Client, versions: Versions
):
    project_id = projects[kind]()
    figure_id = add_bare(client, project_id)
    older = {"volumes": "v2.0.0", "images": "v1.0.0"}

    made = versions.create(
        project_id, archive_format=older[kind] if archive_format == "older" else archive_format
    )

    assert [warning for warning in made.warnings if "have no mask" in warning and str(figure_id) in warning]
    restored = versions.restore(project_id, made.version_id, verify="full")
    assert restored.counts["figures"] == made.counts["figures"]


def test_a_404_of_a_proxy_does_not_say_that_a_figure_has_no_mask(
    projects, wire: Wire, wired: Versions, versions: Versions
):
    project_id = projects["volumes"]()
    wire.always("figures.bulk.download.geometry", lambda _: Reply(404, {}, b"<h1>no route</h1>"))

    with pytest.raises(SuperviselyError):
        wired.create(project_id)

    assert versions.get_list(project_id) == []


def test_images_that_come_while_they_are_listed_are_versioned_as_of_several_moments(
    wire: Wire, wired: Versions, client: Client, versions: Versions, photos: list[Path], monkeypatch: Patch
):
    """The totals of the first and the last page differ, for the project moves: the listing is not short."""
    project_id = make_project(client, photos[:3])
    [dataset] = client.datasets.list_all(project_id)
    numbers = count()

    def add_after_the_first_page(exchange):
        if exchange.request.json.get("after") and not exchange.request.json["filter"]:
            client.images.upload(dataset.id, [(f"late {next(numbers)}.jpg", photos[4])])
        return exchange.forward()

    wire.always("images.list", add_after_the_first_page)
    monkeypatch.setattr("airflow_sv_versioning.client.images.LIST_PAGE", 2)

    made = wired.create(project_id)

    assert not made.consistent
    restored = versions.restore(project_id, made.version_id)
    assert read_images(client, restored.project_id).items() <= read_images(client, project_id).items()
    with pytest.raises(ProjectChangedError):
        wired.create(project_id, on_concurrent_change="fail")


def test_a_version_without_a_date_is_told_and_not_taken_for_an_old_one(
    wire: Wire, wired: Versions, versions: Versions, client: Client
):
    project_id = client.projects.add(1, "No dates").id
    made = versions.create(project_id)

    def undated(listed):
        return {**listed, "entities": [{**entity, "createdAt": None} for entity in listed["entities"]]}

    wire.always("projects.versions.list", alter(undated))
    with pytest.raises(UnexpectedAnswerError, match=rf"version 1 \(id {made.version_id}\) .* by its id"):
        wired.choose(project_id, as_of="2100-01-01")
    assert wired.choose(project_id, version_num=1).id == made.version_id
