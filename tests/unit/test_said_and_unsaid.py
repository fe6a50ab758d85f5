"""What is absent from classes, tags and settings says the same as what the platform takes for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_sv_versioning.compare.differences import find_differences
from tests.support.archives import write_snapshot

TAG = {"id": 61, "name": "note", "value_type": "any_number"}
CLASS = {"id": 51, "title": "thing", "shape": "rectangle"}


def differences(folder, metas, settings=({}, {})):
    one, other = (
        write_snapshot(folder / str(number), {}, meta, settings=chosen)
        for number, (meta, chosen) in enumerate(zip(metas, settings, strict=True))
    )
    assert bool(find_differences(one, other)) is bool(find_differences(other, one))
    return find_differences(one, other)


def of_tags(*tags):
    return [{"classes": [], "tags": [tag]} for tag in tags]


def of_classes(*classes):
    return [{"classes": [entry], "tags": []} for entry in classes]


@pytest.mark.parametrize(
    "said",
    [
        {"applicable_type": "all"},
        {"target_type": "all"},
        {"classes": []},
        {"hotkey": ""},
        {"default": False},
        {"color": "#0F788A"},
        {"default_value": None},
    ],
    ids=str,
)
def test_a_tag_that_says_what_holds_anyway_is_no_other(said, tmp_path: Path) -> None:
    assert differences(tmp_path, of_tags(TAG, {**TAG, **said})) == []


@pytest.mark.parametrize(
    "said",
    [{"applicable_type": "imagesOnly"}, {"classes": ["thing"]}, {"default_value": 0}, {"default": True}],
    ids=str,
)
def test_a_tag_that_says_more_is_another(said, tmp_path: Path) -> None:
    [difference] = differences(tmp_path, of_tags(TAG, {**TAG, **said}))

    assert difference.startswith("tag 'note' changed: ")


def test_colours_are_compared_where_both_are_told(tmp_path: Path) -> None:
    colours = [{**TAG, "color": colour} for colour in ("#0F788A", "#0F788B")]

    assert len(differences(tmp_path, of_tags(*colours))) == 1


@pytest.mark.parametrize("said", [{"description": ""}, {"geometry_config": {}}, {"hotkey": None}], ids=str)
def test_a_class_that_says_nothing_more_is_no_other(said, tmp_path: Path) -> None:
    assert differences(tmp_path, of_classes(CLASS, {**CLASS, **said})) == []


def test_a_class_without_a_shape_takes_any(tmp_path: Path) -> None:
    bare = {"id": 51, "title": "thing"}

    assert differences(tmp_path / "any", of_classes(bare, {**bare, "shape": "any"})) == []
    assert len(differences(tmp_path / "rectangle", of_classes(bare, CLASS))) == 1


@pytest.mark.parametrize(
    "said",
    [{"groupImages": False}, {"labelingInterface": "default"}, {"groupImagesByTagId": None}, None],
    ids=str,
)
def test_settings_that_say_what_holds_anyway_are_no_others(said, tmp_path: Path) -> None:
    assert differences(tmp_path, of_tags(TAG, TAG), settings=({}, said)) == []


def test_a_setting_that_is_on_is_another(tmp_path: Path) -> None:
    [difference] = differences(tmp_path, of_tags(TAG, TAG), settings=({}, {"groupImages": True}))

    assert difference == "setting 'groupImages' added: true"
