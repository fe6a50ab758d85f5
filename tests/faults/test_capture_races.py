"""Projects that move while they are read, and several writers at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import (
    NotFoundError,
    ProjectChangedError,
    SuperviselyError,
    VersionBusyError,
)
from airflow_sv_versioning.versioning import CreateResult
from tests.support.projects import add_dataset, make_project, read_images, reserve, touch
from tests.support.proxy import Exchange, Reply, alter, first, refuse
from tests.support.types import Client, Server, Versions, Wire


def test_a_project_that_grows_while_it_is_listed_is_held_in_one_state(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int, photos: list[Path]
):
    wire.on("images.list", first(lambda: add_dataset(client, project_id, "late", photos[3:])))

    made = wired.create(project_id)

    assert made.consistent
    restored = versions.restore(project_id, made.version_id)
    assert read_images(client, restored.project_id) == read_images(client, project_id)


@pytest.fixture
def restless(wire: Wire, client: Client, project_id: int, photos: list[Path]):
    """Every reading of the project finds a dataset that the one before did not."""
    numbers = count()
    wire.always(
        "images.list", first(lambda: add_dataset(client, project_id, f"late {next(numbers)}", photos[3:4]))
    )
    return project_id


def test_a_project_that_never_stands_still_is_versioned_with_its_first_stamp(
    restless, wire: Wire, wired: Versions, client: Client, versions: Versions
):
    stamp = client.projects.get(restless).updated_at

    made = wired.create(restless)

    assert not made.consistent
    assert versions.get_info_by_id(restless, made.version_id).project_updated_at == stamp
    assert versions.create(restless).consistent


def test_a_project_that_never_stands_still_fails_when_asked(restless, wired: Versions, versions: Versions):
    with pytest.raises(ProjectChangedError) as raised:
        wired.create(restless, on_concurrent_change="fail")

    assert raised.value.transient
    assert versions.get_list(restless) == []
    assert versions.create(restless).version_num == 1


def _assert_comes_back(versions: Versions, client: Client, made: CreateResult) -> None:
    assert made.consistent
    restored = versions.restore(made.project_id, made.version_id, verify="full")
    assert read_images(client, restored.project_id) == read_images(client, made.project_id)


@pytest.fixture
def growing(client: Client, project_id: int) -> Callable[[], object]:
    """Draws one more box on the project's first image."""
    [dataset] = client.datasets.list_all(project_id)
    [page] = client.images.iter_pages(dataset.id)
    class_id = client.projects.get_meta(project_id)["classes"][0]["id"]
    box = {"points": {"exterior": [[1, 2], [3, 4]], "interior": []}}
    figure = {"entityId": page[0]["id"], "classId": class_id, "geometryType": "rectangle", "geometry": box}
    return lambda: client.figures.add(dataset.id, [figure])


def test_an_image_that_changes_during_each_reading_of_it_is_in_no_version(
    growing, wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    wire.always("figures.list", first(growing))

    with pytest.raises(ProjectChangedError, match=r"Images \['.*'\] .* during each of 10 readings") as raised:
        wired.create(project_id)

    assert raised.value.transient
    assert versions.get_list(project_id) == []


@pytest.mark.parametrize("method", ["images.list", "figures.list"])
def test_a_dataset_that_is_removed_while_it_is_read_is_in_no_version(
    method, wire: Wire, wired: Versions, versions: Versions, client: Client, project_id, photos
):
    doomed = add_dataset(client, project_id, "doomed", photos[3:4])
    gone: list[bool] = []

    def remove(exchange: Exchange) -> Reply:
        if exchange.request.json["datasetId"] == doomed and not gone:
            gone.append(client.transport.call("datasets.archive", {"id": doomed}))
        return exchange.forward()

    wire.always(method, remove)

    made = wired.create(project_id)

    assert (made.counts["datasets"], made.counts["images"]) == (1, 3)
    _assert_comes_back(versions, client, made)


def test_what_is_listed_and_never_found_fails_the_version(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    wire.always("images.list", refuse(404))

    with pytest.raises(NotFoundError):
        wired.create(project_id)

    assert versions.get_list(project_id) == []


def test_a_listing_that_is_short_in_a_project_that_moves_is_read_again(
    growing, wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    def shorter(exchange: Exchange) -> Reply | None:
        growing()
        return alter(lambda listed: {**listed, "entities": listed["entities"][:-1]})(exchange)

    # A listing is asked for twice, and its items are read twice.
    wire.on("figures.list", *[shorter] * 4)

    _assert_comes_back(versions, client, wired.create(project_id))


def test_a_mask_that_is_removed_while_it_is_read_is_in_no_version(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    [dataset] = client.datasets.list_all(project_id)
    [page] = client.images.iter_pages(dataset.id)
    meta = client.projects.get_meta(project_id)
    matte = {"title": "matte", "shape": "alpha_mask", "color": "#AA0000"}
    made_meta = client.projects.update_meta(project_id, {**meta, "classes": [*meta["classes"], matte]})
    [class_id] = [entry["id"] for entry in made_meta["classes"] if entry["title"] == "matte"]
    figure = {"entityId": page[0]["id"], "classId": class_id, "geometryType": "alpha_mask"}
    [mask] = client.figures.add(dataset.id, [figure])
    remove = {"figureIds": [mask]}
    wire.on(
        "figures.bulk.download.geometry", first(lambda: client.transport.call("figures.bulk.remove", remove))
    )

    made = wired.create(project_id)

    assert (made.counts["figures"], made.warnings) == (6, ())
    _assert_comes_back(versions, client, made)


def test_a_sample_that_changes_while_it_is_read_refutes_nothing(
    growing, wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    wired.create(project_id)
    touch(client, project_id)
    wire.on("figures.list", first(growing))

    made = wired.create(project_id)

    assert (made.capture, made.counts["figures"]) == ("incremental", 7)
    _assert_comes_back(versions, client, made)


def test_a_sample_of_a_dataset_that_is_removed_meanwhile_refutes_nothing(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int, photos: list[Path]
):
    doomed = add_dataset(client, project_id, "doomed", photos[3:4])
    wired.create(project_id)
    touch(client, project_id)
    gone: list[bool] = []

    def remove(exchange: Exchange) -> Reply:
        asked = exchange.request.json
        if asked["datasetId"] == doomed and asked["filter"] and not gone:
            gone.append(client.transport.call("datasets.archive", {"id": doomed}))
        return exchange.forward()

    wire.always("images.list", remove)

    made = wired.create(project_id)

    assert gone
    assert (made.capture, made.counts["images"]) == ("incremental", 3)
    _assert_comes_back(versions, client, made)


def test_two_threads_that_version_two_projects_do_not_mix(server: Server, photos: list[Path]):
    with Client(server.url, server.token) as client:
        versions = Versions(client)
        projects = [make_project(client, photos[number : number + 2]) for number in range(4)]

        with ThreadPoolExecutor(len(projects)) as threads:
            made = list(threads.map(versions.create, projects))

        for project_id, result in zip(projects, made, strict=True):
            restored = versions.restore(project_id, result.version_id)
            assert read_images(client, restored.project_id) == read_images(client, project_id)


def test_a_second_writer_waits_for_the_first(client: Client, versions: Versions, project_id: int):
    reservation = reserve(client, project_id)

    with pytest.raises(VersionBusyError, match=str(project_id)):
        versions.create(project_id, busy_timeout_seconds=0.5)

    client.versions.cancel(reservation)
    assert versions.create(project_id).created


def test_datasets_that_cannot_be_read_fail_the_version(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    """The official client goes on and loses their custom data."""
    wire.always("datasets.list", refuse(400, "no datasets today"))

    with pytest.raises(SuperviselyError, match="no datasets today"):
        wired.create(project_id)

    assert versions.get_list(project_id) == []


@pytest.mark.parametrize("empty_dataset", [False, True])
def test_a_project_without_images_is_versioned_and_restored(
    empty_dataset, versions: Versions, client: Client
):
    project_id = make_project(client, [])
    if empty_dataset:
        client.datasets.add(project_id, "nothing here")

    made = versions.create(project_id)
    restored = versions.restore(project_id, made.version_id)

    datasets = [dataset.name for dataset in client.datasets.list_all(restored.project_id)]
    assert datasets == (["nothing here"] if empty_dataset else [])
    assert len(client.projects.get_meta(restored.project_id)["classes"]) == 2


def test_an_unchanged_project_costs_few_requests_and_no_archive(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    made = versions.create(project_id)

    again = wired.create(project_id)

    assert (again.version_id, again.created) == (made.version_id, False)
    assert len(wire.requests) <= 6
    assert not wire.seen("file-storage.bulk.upload")
    assert not wire.seen("images.list")
