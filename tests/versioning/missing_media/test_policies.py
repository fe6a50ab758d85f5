"""What each policy makes of media that are gone, for each type of projects."""

from copy import deepcopy
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import MissingMediaError
from tests.support.compare import assert_same
from tests.support.missing_media import Filled
from tests.support.projects import leaves_no_project
from tests.support.types import Client, Versions

LOSSES = pytest.mark.parametrize(
    ("count", "link"), [(1, False), (2, False), (3, True), (0, True)], ids=["one", "some", "all", "link"]
)


@pytest.fixture
def lost(filled: Filled, lose, count: int, link: bool) -> list[str]:
    if count == 0 and link and not filled.link:
        pytest.skip("the platform has no volumes by link")
    return lose(count, link=link)


@LOSSES
def test_fail_names_what_is_gone_and_makes_nothing(filled: Filled, lost, versions: Versions, client: Client):
    with leaves_no_project(client), pytest.raises(MissingMediaError, match="Nothing was created") as caught:
        versions.restore(*filled.version)

    assert sorted(caught.value.missing) == sorted(lost)
    assert f"{len(lost)} of " in str(caught.value)
    assert all(path in str(caught.value) for path in lost)


@LOSSES
def test_skip_restores_what_is_there_and_names_the_rest(filled: Filled, lost, versions: Versions):
    restored = versions.restore(*filled.version, missing_entities="skip", verify="full")

    assert sorted(restored.skipped) == sorted(lost)
    expected = {path: item for path, item in filled.read().items() if path not in lost}
    assert_same(filled.read(restored.project_id), expected)


@LOSSES
def test_a_placeholder_keeps_size_and_annotations_and_is_tagged(filled: Filled, lost, versions: Versions):
    expected = filled.read()

    restored = versions.restore(*filled.version, missing_entities="placeholder", verify="full")

    assert sorted(restored.placeholders) == sorted(lost)
    assert restored.skipped == ()
    found = filled.read(restored.project_id)
    for path in lost:
        assert found[path].pop("hash") not in {None, *filled.hashes.values()}
        assert found[path].pop("link", None) is None
        assert _take_tag(found[path], restored.placeholder_tag)
        expected[path].pop("hash")
        expected[path].pop("link", None)
    assert_same(found, expected)


@LOSSES
def test_reupload_brings_the_original_back(filled: Filled, lost, link, versions: Versions):
    expected = filled.read()

    restored = versions.restore(*filled.version, missing_entities="reupload", verify="full")

    assert sorted(restored.reuploaded) == sorted(lost)
    assert restored.unlinked == ((filled.link,) if link and filled.link else ())
    found = filled.read(restored.project_id)
    for path in restored.unlinked:
        # What was a link is a file now.
        assert found[path].pop("hash") is not None
        assert found[path].pop("link") is None
        del expected[path]["hash"], expected[path]["link"]
    assert_same(found, expected)


def test_placeholders_of_one_size_and_format_share_a_file(filled: Filled, lose, versions: Versions):
    items = filled.maker.items(filled.project_id)
    lost = lose(3)

    restored = versions.restore(*filled.version, missing_entities="placeholder")

    hashes = filled.maker.hashes(restored.project_id)
    shapes = {(items[path].get("width"), items[path].get("height"), items[path]["mime"]) for path in lost}
    assert len(shapes) < len(lost)
    assert len({hashes[path] for path in lost}) == len(shapes)


def test_nothing_missing_needs_no_policy(filled: Filled, versions: Versions):
    for policy in ("placeholder", "reupload"):
        restored = versions.restore(*filled.version, missing_entities=policy)
        result = restored.as_dict()
        assert [result[key] for key in ("skipped", "placeholders", "reuploaded", "unlinked")] == [[]] * 4
        assert restored.placeholder_tag is None
        assert_same(filled.read(restored.project_id), filled.read())


def test_what_the_vault_lost_too_is_told_before_anything_is_made(
    filled: Filled, lose, versions: Versions, client: Client, tmp_path: Path
):
    lost = lose(2)

    with (
        leaves_no_project(client),
        pytest.raises(MissingMediaError, match="does not hold its original") as caught,
    ):
        versions.restore(*filled.version, missing_entities="reupload", vault=tmp_path / "empty")

    assert sorted(caught.value.missing) == sorted(lost)


def _take_tag(item: dict, name: str | None) -> bool:
    """Remove the tag of placeholders from what was read of an item."""
    tags = item["tags"]
    kept = [tag for tag in deepcopy(tags) if name not in (tag if isinstance(tag, list) else tag.values())]
    item["tags"] = kept
    return len(tags) == len(kept) + 1
