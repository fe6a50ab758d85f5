"""A restore that fails leaves nothing behind, and says why."""

from collections.abc import Callable
from typing import Any

import pytest

from airflow_sv_versioning.exceptions import (
    ArchiveMissingError,
    CancelledError,
    ConfigurationError,
    IntegrityError,
    MissingMediaError,
    NotFoundError,
    RestoreIncompleteError,
    SuperviselyError,
    VersionNotFoundError,
)
from tests.support.projects import (
    RESTORE_WRITES,
    count_projects,
    leaves_no_project,
    make_project,
    read_images,
    touch,
)
from tests.support.proxy import alter, refuse
from tests.support.types import Client, Made, Patch, Versions, Wire


@pytest.mark.parametrize("method", RESTORE_WRITES)
def test_a_half_made_project_is_removed(
    method, wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    wire.always(method, refuse(400, f"no {method} today"))

    with leaves_no_project(client), pytest.raises(SuperviselyError, match=method):
        wired.restore(project_id, made.version_id)


def test_a_half_made_project_is_kept_when_asked_and_named(
    wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    wire.always("figures.bulk.add", refuse(400))

    with pytest.raises(RestoreIncompleteError) as raised:
        wired.restore(project_id, made.version_id, keep_incomplete=True)

    kept = raised.value.context["project_id"]
    assert str(kept) in str(raised.value)
    assert client.projects.get(kept).images_count == 3


def test_a_stopped_restore_cleans_up(versions: Versions, made: Made, client: Client, project_id: int):
    asked = iter(range(1000))

    with leaves_no_project(client), pytest.raises(CancelledError):
        versions.restore(project_id, made.version_id, should_stop=lambda: next(asked) >= 2)


def test_media_that_are_gone_fail_before_anything_is_made(
    wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    wire.always("images.internal.hashes.list", alter(lambda hashes: sorted(hashes)[1:]))

    with leaves_no_project(client), pytest.raises(MissingMediaError) as raised:
        wired.restore(project_id, made.version_id)

    assert len(raised.value.missing) == 1
    assert raised.value.missing[0].startswith("photos/")


def test_media_that_are_gone_are_left_out_when_asked_and_told(
    wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    wire.always("images.internal.hashes.list", alter(lambda hashes: sorted(hashes)[1:]))

    restored = wired.restore(project_id, made.version_id, skip_missed_entities=True)

    expected = read_images(client, project_id)
    assert len(restored.skipped) == 1
    del expected[restored.skipped[0]]
    assert read_images(client, restored.project_id) == expected


def test_an_archive_that_is_gone_is_told(versions: Versions, made: Made, client: Client, project_id: int):
    client.files.remove(1, made.archive_path)

    with pytest.raises(ArchiveMissingError, match=str(made.version_id)):
        versions.restore(project_id, made.version_id)


def test_an_id_and_a_number_that_contradict_each_other_are_refused(
    versions: Versions, client: Client, project_id: int
):
    one = versions.create(project_id)
    touch(client, project_id)
    versions.create(project_id)

    with leaves_no_project(client), pytest.raises(ConfigurationError):
        versions.restore(project_id, version_id=one.version_id, version_num=2)


@pytest.mark.parametrize("name", ["", "  ", "x" * 3000, "two\nlines", "tab\t", "\u2028", "half \ud800", 7])
@pytest.mark.parametrize("do", ["restore", "plan_restore"])
def test_a_name_that_no_project_can_have_is_refused_before_the_download(
    do, name, wire: Wire, wired: Versions, project_id: int
):
    with pytest.raises(ConfigurationError, match="project_name"):
        getattr(wired, do)(project_id, version_num=1, project_name=name)

    assert wire.requests == []


@pytest.mark.parametrize("do", ["restore", "plan_restore"])
@pytest.mark.parametrize("workspace_id", [0, 987654321])
def test_an_unknown_workspace_is_refused_before_the_download(
    do, workspace_id, wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    versions.create(project_id)

    with pytest.raises(NotFoundError, match=str(workspace_id)):
        getattr(wired, do)(project_id, version_num=1, workspace_id=workspace_id)

    assert wire.seen("file-storage.download") == []


def test_a_long_name_of_the_source_is_shortened_for_what_is_restored(
    versions: Versions, client: Client, project_id: int
):
    client.projects.edit(project_id, name="n" * 255)
    made = versions.create(project_id)

    first = versions.restore(project_id, made.version_id).project_name
    second = versions.restore(project_id, made.version_id).project_name

    assert (len(first), len(second)) == (255, 255)
    assert first.endswith("n, from ver. 1")
    assert second.endswith("_001")


def test_neither_id_nor_number_is_refused(versions: Versions, project_id: int):
    with pytest.raises(ConfigurationError):
        versions.restore(project_id)


@pytest.mark.parametrize("number", [0, -1, 7])
def test_a_number_that_no_version_has_is_told(number, versions: Versions, project_id: int):
    versions.create(project_id)

    with pytest.raises((VersionNotFoundError, ConfigurationError), match=str(number)):
        versions.restore(project_id, version_num=number)


def test_a_version_of_another_project_is_refused(versions: Versions, client: Client, project_id, photos):
    other = make_project(client, photos[:1])
    made = versions.create(other)

    with pytest.raises(VersionNotFoundError):
        versions.restore(project_id, made.version_id)


def test_classes_and_tags_are_joined_by_name_whatever_the_order_of_the_answer(
    wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    def reverse(meta):
        return {**meta, "classes": meta["classes"][::-1], "tags": meta["tags"][::-1]}

    wire.always("projects.meta.update", alter(reverse))

    restored = wired.restore(project_id, made.version_id)

    assert read_images(client, restored.project_id) == read_images(client, project_id)


def test_images_of_one_name_in_one_dataset_come_back_under_names_of_their_own(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    """Archives of older platforms hold such datasets."""

    def same_names(page):
        return {**page, "entities": [{**image, "name": "same.png"} for image in page["entities"]]}

    wire.always("images.list", alter(same_names))
    made = wired.create(project_id)
    wire.heal()

    restored = versions.restore(project_id, made.version_id)

    assert restored.renamed
    images = read_images(client, restored.project_id)
    original = read_images(client, project_id)
    assert sorted(i["hash"] for i in images.values()) == sorted(i["hash"] for i in original.values())


def test_a_version_without_custom_data_restores(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    wire.always("projects.info", alter(lambda project: {**project, "customData": None}))
    made = wired.create(project_id)
    wire.heal()

    restored = versions.restore(project_id, made.version_id)

    assert read_images(client, restored.project_id) == read_images(client, project_id)


def test_the_restored_project_says_where_it_comes_from(versions: Versions, client: Client, project_id: int):
    versions.create(project_id)
    touch(client, project_id)
    made = versions.create(project_id)

    restored = versions.restore(project_id, made.version_id)

    origin = client.projects.get(restored.project_id).custom_data["restored_from"]
    assert origin["project_id"] == project_id
    assert origin["version_num"] == 2


def _without_tags(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "entities": [{**entity, "tags": []} for entity in told["entities"]]}


def _one_less(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "entities": told["entities"][:-1], "total": told["total"] - 1}


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        (
            "projects.meta.update",
            lambda told: {**told, "classes": told["classes"][:-1]},
            r"did not make the classes \['a kiwi'\]",
        ),
        (
            "images.bulk.add",
            lambda told: [{**image, "name": "another.jpg"} for image in told],
            r"stored image '.*' \(id \d+\) of dataset \d+ under another name",
        ),
        ("images.list", _without_tags, r"0 of 1 tags are on \d+"),
        ("images.list", _one_less, r"does not list \[\d+\], which were tagged"),
    ],
)
def test_an_answer_without_what_was_made_ends_the_restore(
    method: str,
    change: Callable[[Any], Any],
    message: str,
    wire: Wire,
    wired: Versions,
    versions: Versions,
    client: Client,
    project_id: int,
) -> None:
    [dataset] = client.datasets.list_all(project_id)
    [page] = client.images.iter_pages(dataset.id)
    client.tags.set_custom_data_on_item(page[0]["tags"][0]["id"], {"by": "a test"})
    made = versions.create(project_id)
    wire.always(method, alter(change))

    with leaves_no_project(client), pytest.raises(IntegrityError, match=message):
        wired.restore(project_id, made.version_id)


def test_a_half_project_that_cannot_be_removed_is_told_and_removed_by_the_next_restore(
    wire: Wire,
    wired: Versions,
    versions: Versions,
    client: Client,
    project_id: int,
) -> None:
    made = versions.create(project_id)
    projects = count_projects(client)
    wire.always("figures.bulk.add", refuse(400, "no figures today"))
    wire.always("projects.archive", refuse(403, "not yours"))
    lines: list[str] = []

    with pytest.raises(SuperviselyError, match="no figures today"):
        wired.restore(project_id, made.version_id, report=lines.append)

    assert any("could not be removed, and stays marked" in line and "not yours" in line for line in lines)
    assert count_projects(client) == projects + 1
    wire.heal()
    wired.restore(project_id, made.version_id)
    assert count_projects(client) == projects + 1, "the whole one, in place of the half one"


def test_where_all_names_are_taken_nothing_is_made(
    versions: Versions,
    client: Client,
    project_id: int,
    monkeypatch: Patch,
) -> None:
    monkeypatch.setattr("airflow_sv_versioning.restore.project.MAX_NAMES", 2)
    made = versions.create(project_id)
    name = f"taken {project_id}"
    for taken in (name, f"{name}_001"):
        client.projects.add(1, taken)
    message = f"2 projects named like '{name}'; give .* another name"

    for bring_back in (versions.plan_restore, versions.restore):
        with leaves_no_project(client), pytest.raises(ConfigurationError, match=message):
            bring_back(project_id, made.version_id, project_name=name)
