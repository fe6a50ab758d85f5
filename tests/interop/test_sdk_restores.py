"""We make a version, the official SDK brings it back."""

import pytest

from tests.interop.conftest import FilledProject
from tests.support.compare import assert_same
from tests.support.lost_by_sdk import restored_by_sdk
from tests.support.projects import backup_of, touch
from tests.support.proxy import alter
from tests.support.types import Client, Sdk, Server, Versions, Wire

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

READERS = pytest.mark.parametrize(
    ("one_sdk", "archive_format"),
    [("sdk", "v2.1.0"), ("sdk", "v1.0.0"), ("plain_sdk", "v1.0.0")],
    ids=["columnar", "pickle", "pickle without pyarrow"],
    indirect=["one_sdk"],
)


@READERS
def test_all_that_the_sdk_can_restore_comes_back(
    one_sdk, archive_format, sdk: Sdk, client: Client, versions: Versions, nasty: FilledProject
):
    touch(client, nasty.id)
    made = versions.create(nasty.id, archive_format=archive_format)
    assert made.archive_format == archive_format

    project_id = one_sdk("restore", project_id=nasty.id, version_id=made.version_id)

    assert_same(sdk("read", project_id=project_id), restored_by_sdk(nasty.content))


@READERS
def test_a_version_that_names_a_vault_comes_back(
    one_sdk, archive_format, sdk: Sdk, client: Client, versions: Versions, nasty: FilledProject, tmp_path
):
    touch(client, nasty.id)
    made = versions.create(nasty.id, archive_format=archive_format, vault=tmp_path)
    assert backup_of(made).copied > 0

    project_id = one_sdk("restore", project_id=nasty.id, version_id=made.version_id)

    assert_same(sdk("read", project_id=project_id), restored_by_sdk(nasty.content))


@pytest.mark.parametrize("skip_missed_entities", [False, True])
def test_the_sdk_finds_our_version_by_its_number(
    skip_missed_entities, sdk: Sdk, client: Client, versions: Versions, small: int
):
    versions.create(small)
    touch(client, small)
    versions.create(small)

    project_id = sdk("restore", project_id=small, version_num=2, skip_missed_entities=skip_missed_entities)

    assert client.projects.get(project_id).images_count == 3


def test_the_sdk_lists_what_we_made(sdk: Sdk, client: Client, versions: Versions, small: int):
    one = versions.create(small, "first", "лимоны")
    touch(client, small)
    two = versions.create(small, "second")

    listed = {info["id"]: info for info in sdk("list", project_id=small)}

    assert {key: (info["version"], info["name"]) for key, info in listed.items()} == {
        one.version_id: (1, "first"),
        two.version_id: (2, "second"),
    }
    assert listed[one.version_id]["description"] == "лимоны"


def test_our_version_is_the_sdks_answer_for_an_unchanged_project(sdk: Sdk, versions: Versions, small: int):
    made = versions.create(small)

    assert sdk("create", project_id=small) == made.version_id


def test_versions_of_both_share_one_map(sdk: Sdk, client: Client, versions: Versions, small: int):
    one = versions.create(small)
    touch(client, small)
    two = sdk("create", project_id=small)
    touch(client, small)
    three = versions.create(small)

    versions_map = sdk("map", project_id=small)

    entries = {int(key): entry for key, entry in versions_map.items() if key.isdigit()}
    assert {key: (entry["number"], entry["previous"]) for key, entry in entries.items()} == {
        one.version_id: (1, None),
        two: (2, one.version_id),
        three.version_id: (3, two),
    }
    assert versions_map["latest"] == three.version_id
    assert [info["version"] for info in sdk("list", project_id=small)] == [1, 2, 3]


@READERS
def test_the_sdk_restores_a_version_of_ours_without_custom_data(
    one_sdk, archive_format, wire: Wire, wired: Versions, client: Client, small: int
):
    wire.always("projects.info", alter(lambda project: {**project, "customData": None}))
    made = wired.create(small, archive_format=archive_format)

    project_id = one_sdk("restore", project_id=small, version_id=made.version_id)

    assert client.projects.get(project_id).images_count == 3


def test_the_sdk_restores_an_empty_project_of_ours(
    sdk: Sdk, server: Server, client: Client, versions: Versions
):
    project_id = client.projects.add(server.workspace_id, "nothing at all").id
    client.datasets.add(project_id, "nothing here")
    made = versions.create(project_id)

    restored = sdk("restore", project_id=project_id, version_id=made.version_id)

    assert [dataset.name for dataset in client.datasets.list_all(restored)] == ["nothing here"]
