"""Snapshots in which one thing is not as the platform would have it by itself: a column of a table.

What is tried of a column stands in the tables of cases: what the row holds in that column, and in others of
the row where one alone would mean nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from tests.support.volumes import SIZES, meta_of

Case = Mapping[str, Any]
Cases = dict[str, dict[str, Case]]


@dataclass(frozen=True)
class The:
    """Stands for the id of a thing of the cell in which a case is tried."""

    what: str


_JSON = '{"a":{"ключ":[1,2.5,null,true]}}'
_BOX = '{"points":{"exterior":[[1,1],[3,3]],"interior":[]}}'
_MASK = '{"data":"eJw=","origin":[1,1]}'
_OTHER_MASK = '{"data":"eJw=","origin":[2,3]}'
_META = {
    "classes": [
        {"id": 51, "title": "thing", "shape": "any", "color": "#FFEE00", "geometry_config": {}},
        {"id": 52, "title": "машина", "shape": "any", "color": "#11AA00", "geometry_config": {}},
    ],
    "tags": [
        {"id": 61, "name": "note", "value_type": "any_string", "color": "#0000FF"},
        {"id": 62, "name": "заметка", "value_type": "any_string", "color": "#00FF00"},
    ],
}
_DATASETS: dict[str, Case] = {
    "parent_src_dataset_id": {"parent_src_dataset_id": The("other dataset")},
    "name": {"name": "имя"},
    "description": {"description": "Описание"},
    "custom_data": {"custom_data": _JSON},
}
_ITEM: dict[str, Case] = {
    "src_dataset_id": {"src_dataset_id": The("other dataset")},
    "name": {"name": "имя"},
    "custom_data": {"custom_data": _JSON},
    "description": {"description": "Описание"},
}
_FIGURES: dict[str, Case] = {
    "geometry_type": {"geometry_type": "polygon"},
    "geometry_json": {"geometry_json": _BOX.replace("[3,3]", "[3.125,2.25]")},
    "meta": {"meta": _JSON},
    "priority": {"priority": 7},
    "custom_data": {"custom_data": _JSON},
    "description": {"description": "Описание"},
    "nn_created": {"nn_created": True},
    "nn_updated": {"nn_updated": True},
}
_TAGS: dict[str, Case] = {
    "owner_type": {"owner_type": "item", "owner_id": The("item")},
    "owner_id": {"owner_id": The("other object")},
    "src_item_id": {"src_item_id": The("other item"), "owner_id": The("object of the other item")},
    "tag_id": {"tag_id": 62, "name": "заметка"},
    "name": {"name": "заметка", "tag_id": 62},
    "value_json": {"value_json": '"другое"'},
    "is_finished": {"is_finished": False},
    "non_final_value": {"non_final_value": True},
    "custom_data": {"custom_data": _JSON},
    "frame_from": {"frame_from": 2, "frame_to": 2},
    "frame_to": {"frame_from": 0, "frame_to": 2},
}


def _owned(item_column: str) -> Cases:
    elsewhere = {item_column: The("other item"), "src_object_id": The("object of the other item")}
    return {
        "datasets": _DATASETS,
        "objects": {"class_name": {"class_name": "машина"}, item_column: {item_column: The("other item")}},
        "figures": {
            **_FIGURES,
            item_column: elsewhere,
            "src_object_id": {"src_object_id": The("other object")},
        },
        "tags": _TAGS,
    }


def _of_images() -> Cases:
    other_mask = {"src_figure_id": The("other mask")}
    return {
        "datasets": _DATASETS,
        "figures": {
            **_FIGURES,
            "src_image_id": {"src_image_id": The("other item")},
            "class_id": {"class_id": 52, "class_name": "машина"},
            "class_name": {"class_id": 52, "class_name": "машина"},
            "smart_tool_input": {"smart_tool_input": _JSON},
            "object_id": {"object_id": 9},
            "instance": {"instance": "связь"},
        },
        "alpha_geometries": {"src_figure_id": other_mask, "geometry_json": {"geometry_json": _OTHER_MASK}},
        "tags": {
            **_TAGS,
            "owner_id": {"owner_id": The("other figure")},
            "src_item_id": {"src_item_id": The("other item"), "owner_id": The("figure of the other item")},
        },
    }


@dataclass(frozen=True)
class Media:
    """Files that the server holds.

    :param hashes: of two of them.
    :param link: leads to the first.
    :param facts: what the platform tells of the first.
    """

    hashes: Sequence[str]
    link: str
    facts: Mapping[str, Any]


NO_MEDIA = Media(
    ("a=", "b="),
    "http://host/film.mp4",
    {"frames_count": 5, "frame_width": 6, "frame_height": 7, "frames_to_timecodes": "[0]"},
)
"""For snapshots that no server sees."""


def cases_of(project_type: str, media: Media = NO_MEDIA) -> Cases:
    """Tell what is tried of a type: table -> column -> case."""
    if project_type == "images":
        found = _of_images()
        found["images"] = {
            **{name: case for name, case in _ITEM.items() if name != "custom_data"},
            "link": {"hash": None, "link": media.link},
            "meta": {"meta": _JSON},
            "parent_src_image_id": {"parent_src_image_id": The("other item")},
        }
    elif project_type == "videos":
        found = _owned("src_video_id")
        found["figures"] |= {
            "frame_index": {"frame_index": 3},
            "track_id": {"track_id": "5e2c-дорожка"},
            "smart_tool_input": {"smart_tool_input": _JSON},
        }
        link = {"hash": None, "link": media.link}
        facts = {name: {name: value} for name, value in media.facts.items()}
        found["videos"] = {**_ITEM, "link": link, "meta": {"meta": _JSON}, **facts}
    else:
        found = _owned("src_volume_id")
        found["figures"] |= {"plane_name": {"plane_name": "coronal"}, "slice_index": {"slice_index": 3}}
        found["volumes"] = {
            **_ITEM,
            "link": {"link": media.link},
            "meta": {"meta": json.dumps(meta_of(SIZES))},
        }
    found[project_type]["hash"] = {"hash": media.hashes[1]}
    return found


def write_cells(
    directory: Path,
    project_type: str,
    cells: Iterable[tuple[str, str, Case]],
    media: Media = NO_MEDIA,
    first: int = 1,
) -> Snapshot:
    """Write a snapshot of cells: two items each, with what can be on an item.

    Cells of the table of datasets have two of their own; all others are in the same two.

    :param cells: of each the table whose row is changed, a name, and the changes.
    :param first: number of the first cell, from which ids are made.
    """
    directory.mkdir(parents=True)
    with SnapshotWriter(directory, project_type) as writer:
        home = _datasets(_FIRST_HOME * first, "cells")
        writer.append("datasets", home)
        for number, (table, name, case) in enumerate(cells, first):
            datasets = _datasets(number, name) if table == "datasets" else home
            ids = _ids(number, datasets)
            rows = _cell(project_type, ids, name, media)
            if table == "datasets":
                rows["datasets"] = datasets
            # The first row of a table is the one that a case is about.
            rows[table][0] |= {
                key: ids[value.what] if isinstance(value, The) else value for key, value in case.items()
            }
            for one, its_rows in rows.items():
                writer.append(one, its_rows)
        info = {"id": 1, "name": "cells", "type": project_type, "custom_data": {}, "settings": {}}
        return writer.finish(info, {**_META, "projectType": project_type})


# More than there are cells, so that no id is given twice.
_FIRST_HOME = 1000


def _datasets(number: int, name: str) -> list[dict[str, Any]]:
    return [
        {"src_dataset_id": 100 * number, "name": name},
        {"src_dataset_id": 100 * number + 1, "name": f"beside {name}"},
    ]


def _ids(number: int, datasets: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    names = [
        *("item", "other item", "tag"),
        *("bare object", "object", "other object", "object of the other item"),
        *("bare figure", "figure", "other figure", "figure of the other item", "mask", "other mask"),
    ]
    ids = {name: 100 * number + place for place, name in enumerate(names, len(datasets))}
    own, other = (dataset["src_dataset_id"] for dataset in datasets)
    return {**ids, "dataset": own, "other dataset": other}


def _cell(
    project_type: str, ids: Mapping[str, int], name: str, media: Media
) -> dict[str, list[dict[str, Any]]]:
    item_column = f"src_{project_type[:-1]}_id"
    items = [
        {
            item_column: ids[item],
            "src_dataset_id": ids["dataset"],
            "name": f"{item} of {name}",
            "hash": media.hashes[0],
        }
        for item in ("item", "other item")
    ]
    owner = "figure" if project_type == "images" else "object"
    tag = {
        "tag_assignment_id": ids["tag"],
        "owner_type": owner,
        "owner_id": ids[owner],
        "src_item_id": ids["item"],
        "tag_id": 61,
        "name": "note",
        "value_json": '"some"',
    }
    on_items = _on_images(ids) if project_type == "images" else _on_others(project_type, item_column, ids)
    return {project_type: items, **on_items, "tags": [tag]}


def _on_images(ids: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    figures = [
        {
            "src_figure_id": ids[figure],
            "src_image_id": ids[item],
            "class_id": 51,
            "class_name": "thing",
            "geometry_type": "alpha_mask" if "mask" in figure else "rectangle",
            "geometry_json": None if "mask" in figure else _BOX,
        }
        for figure, item in (
            ("bare figure", "item"),
            ("figure", "item"),
            ("other figure", "item"),
            ("mask", "item"),
            ("other mask", "item"),
            ("figure of the other item", "other item"),
        )
    ]
    return {"figures": figures, "alpha_geometries": [{"src_figure_id": ids["mask"], "geometry_json": _MASK}]}


def _on_others(
    project_type: str, item_column: str, ids: Mapping[str, int]
) -> dict[str, list[dict[str, Any]]]:
    objects = [
        {item_column: ids[item], "src_object_id": ids[one], "class_name": "thing", "key": f"{ids[one]:032x}"}
        for item, one in (
            ("item", "bare object"),
            ("item", "object"),
            ("item", "other object"),
            ("other item", "object of the other item"),
        )
    ]
    place = {"frame_index": 0} if project_type == "videos" else {"plane_name": "axial", "slice_index": 0}
    figure = {
        "src_figure_id": ids["figure"],
        item_column: ids["item"],
        "src_object_id": ids["object"],
        "geometry_type": "rectangle",
        "geometry_json": _BOX,
        **place,
    }
    return {"objects": objects, "figures": [figure]}
