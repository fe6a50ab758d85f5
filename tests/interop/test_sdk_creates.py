"""The official SDK makes a version, we bring it back."""

import pytest

from tests.interop.conftest import FilledProject
from tests.support.compare import assert_same
from tests.support.lost_by_sdk import archived_by_sdk
from tests.support.projects import touch
from tests.support.proxy import alter
from tests.support.types import Client, Sdk, Versions, Wire

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

FORMATS = pytest.mark.parametrize(
    ("one_sdk", "archive_format"),
    [("sdk", "v2.1.0"), ("plain_sdk", "v1.0.0")],
    ids=["columnar", "pickle"],
    indirect=["one_sdk"],
)


@FORMATS
def test_all_that_the_sdk_put_into_a_version_comes_back(
    one_sdk, archive_format, sdk: Sdk, client: Client, versions: Versions, nasty: FilledProject
):
    touch(client, nasty.id)
    version_id = one_sdk("create", project_id=nasty.id)

    restored = versions.restore(nasty.id, version_id, verify="full")

    assert not restored.skipped
    assert_same(sdk("read", project_id=restored.project_id), archived_by_sdk(nasty.content))


@FORMATS
def test_our_next_version_keeps_the_format_of_the_sdks(
    one_sdk, archive_format, client: Client, versions: Versions, small: int
):
    one_sdk("create", project_id=small)
    touch(client, small)

    assert versions.create(small).archive_format == archive_format


def test_the_first_version_is_in_the_newer_format(versions: Versions, small: int):
    assert versions.create(small).archive_format == "v2.1.0"


@FORMATS
def test_we_list_what_the_sdk_made(one_sdk, archive_format, versions: Versions, small: int):
    version_id = one_sdk("create", project_id=small, title="before training", description="лимоны")

    (listed,) = versions.get_list(small)

    assert (listed.id, listed.version, listed.name, listed.description) == (
        version_id,
        1,
        "before training",
        "лимоны",
    )
    assert versions.get_info_by_id(small, version_id) == listed
    assert versions.get_info_by_number(small, 1) == listed
    assert versions.get_id_by_number(small, 1) == version_id


def test_a_version_of_the_sdk_is_the_answer_for_an_unchanged_project(
    sdk: Sdk, versions: Versions, small: int
):
    version_id = sdk("create", project_id=small)

    result = versions.create(small)

    assert (result.version_id, result.version_num, result.created) == (version_id, 1, False)


@FORMATS
def test_a_version_of_the_sdk_without_custom_data_comes_back(
    one_sdk, archive_format, wire: Wire, client: Client, versions: Versions, small: int
):
    """Its own restore of such a version fails."""
    wire.always("projects.info", alter(lambda project: {**project, "customData": None}))
    version_id = one_sdk.at(wire.url)("create", project_id=small)

    restored = versions.restore(small, version_id)

    assert client.projects.get(restored.project_id).images_count == 3


def test_a_preview_of_the_sdk_is_known(sdk: Sdk, client: Client, versions: Versions, small: int):
    version_id = sdk("create", project_id=small, preview=True)

    preview = versions.get_info_by_id(small, version_id).preview_project_id

    assert client.projects.get(preview or 0).images_count == 3
