"""Our own round trip loses nothing, as the official SDK sees it."""

from typing import Any

import pytest

from tests.interop.conftest import FilledProject
from tests.support.compare import assert_same
from tests.support.projects import touch
from tests.support.types import Request, Sdk, Server

pytestmark = [pytest.mark.sdk, pytest.mark.slow]


@pytest.fixture(scope="module", params=["v2.1.0", "v1.0.0"])
def round_trip(
    request: Request, sdk: Sdk, server: Server, nasty: FilledProject
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """What a project was, what came back, and through which format."""
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

    with SuperviselyClient(server.url, server.token) as client:
        touch(client, nasty.id)
        versions = ProjectVersions(client)
        made = versions.create(nasty.id, archive_format=request.param)
        restored = versions.restore(nasty.id, made.version_id, verify="full")
    return nasty.content, sdk("read", project_id=restored.project_id), request.param


def test_the_restored_project_is_equal(round_trip: tuple[dict[str, Any], dict[str, Any], str]):
    was, is_now, _ = round_trip
    assert_same(is_now, was)


def test_names_are_unaltered(round_trip: tuple[dict[str, Any], dict[str, Any], str]):
    _, is_now, _ = round_trip
    names = {key.rsplit("//", 1)[1] for key in is_now["images"]}
    assert {"no extension", "a photo.tif", "пример 图片 🍋.png", "v1.2.final"} <= names


def test_a_moved_dataset_keeps_its_place(round_trip: tuple[dict[str, Any], dict[str, Any], str]):
    _, is_now, _ = round_trip
    assert {"archive", "archive/train", "archive/train/deep", "other/train"} <= is_now["datasets"].keys()


def test_image_description_and_parent_come_back(round_trip: tuple[dict[str, Any], dict[str, Any], str]):
    _, is_now, _ = round_trip
    child = is_now["images"]["shapes//child.png"]
    parent = is_now["images"][child["parent"]]
    assert parent["description"] == "Описание of one image"


def test_figure_priority_custom_data_and_flags_come_back(
    round_trip: tuple[dict[str, Any], dict[str, Any], str],
):
    _, is_now, archive_format = round_trip
    figures = [figure for image in is_now["images"].values() for figure in image["figures"]]
    drawn = sorted((f["meta"]["source"], f) for f in figures if "source" in (f["meta"] or {}))
    assert [figure["priority"] for _, figure in drawn] == [7, 6, 5, 4, 3, 2, 1]
    assert drawn[1][1]["customData"] == {"score": 0.1, "model": "лимон"}
    if archive_format == "v1.0.0":
        return
    assert [figure["nnCreated"] for _, figure in drawn] == [True, False, True, False, True, False, True]


def test_the_same_tag_twice_stays_twice(round_trip: tuple[dict[str, Any], dict[str, Any], str]):
    _, is_now, _ = round_trip
    image = is_now["images"]["shapes//shape 0.png"]
    assert image["tags"].count(["text", "лимон"]) == 2
    tagged_twice = [
        figure
        for other in is_now["images"].values()
        for figure in other["figures"]
        if figure["tags"].count(["text", "twice"]) == 2
    ]
    assert len(tagged_twice) == 2
