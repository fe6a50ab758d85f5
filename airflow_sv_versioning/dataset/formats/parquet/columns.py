"""The columns of each table, and what Arrow and Hugging Face ``datasets`` call their types.

A column is described by a word of Arrow's, or ``image`` or ``category``; a list of one description is a list
of such things, a mapping a structure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Columns = Mapping[str, Any]

_POINTS = [["float64"]]
_CLASS = {"class_name": "string", "category_id": "category"}
_TAG = {"name": "string", "value": "string", "number": "float64"}
_TAG_ON_FRAMES = {**_TAG, "first_frame": "int32", "last_frame": "int32"}
_SHAPE = {"bbox": ["float64"], "exterior": _POINTS, "interior": [_POINTS], "geometry": "string"}
_FIGURE = {"id": "int64", "figure_id": "int64", **_CLASS, "geometry_type": "string", **_SHAPE}
_ITEM = {"file_name": "string", "dataset": "string", "name": "string"}
_SOURCE = {
    "size": "int64", "hash": "string", "link": "string", "description": "string", "meta": "string",
}  # fmt: skip

TABLES: Mapping[str, Mapping[str, Columns]] = MappingProxyType(
    {
        "images": {
            "data": {
                "image": "image",
                "image_id": "int64",
                **_ITEM,
                "width": "int32",
                "height": "int32",
                "mime": "string",
                **_SOURCE,
                "tags": [_TAG],
                "annotations": [{**_FIGURE, "tags": [_TAG]}],
            },
        },
        "videos": {
            "data": {
                **_ITEM,
                "frame": "int32",
                "time": "float64",
                "width": "int32",
                "height": "int32",
                "tags": [_TAG],
                "annotations": [{**_FIGURE, "object_number": "int64", "tags": [_TAG]}],
            },
            "videos": {
                "path": "string",
                "video_id": "int64",
                **_ITEM,
                "width": "int32",
                "height": "int32",
                "frames_count": "int32",
                **_SOURCE,
                "custom_data": "string",
                "tags": [_TAG_ON_FRAMES],
                "objects": [{"object_number": "int64", **_CLASS, "tags": [_TAG_ON_FRAMES]}],
            },
        },
        "volumes": {
            "volumes": {
                "path": "string",
                "volume_id": "int64",
                **_ITEM,
                "mime": "string",
                **_SOURCE,
                "custom_data": "string",
            },
            "objects": {"file_name": "string", "object_number": "int64", **_CLASS},
            "figures": {
                "file_name": "string",
                "object_number": "int64",
                **_FIGURE,
                "plane": "string",
                "slice_index": "int32",
                "mask": "string",
            },
            "tags": {"file_name": "string", "object_number": "int64", **_TAG},
        },
    }
)
"""Project type -> its tables -> their columns."""

# What most rows have in common; dictionaries of anything else would be as long as the column.
_REPEATED = {
    *("dataset", "width", "height", "mime", "class_name", "category_id", "geometry_type", "plane"),
    *("frames_count", "first_frame", "last_frame"),
}


def table_schema(project_type: str, table: str, category_ids: Mapping[str, int]) -> pa.Schema:
    """Build the schema of a table, which tells Hugging Face ``datasets`` of images and classes, too.

    Source: ``Features.from_arrow_schema``, datasets 5.2.
    """
    import pyarrow as pa

    columns = TABLES[project_type][table]
    names = _label_names(category_ids)
    features = {name: _feature(description, names) for name, description in columns.items()}
    told = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    fields = [(name, _arrow_type(description)) for name, description in columns.items()]
    return pa.schema(fields, metadata={"huggingface": told})


def writer_settings(project_type: str, table: str) -> dict[str, Any]:
    """Tell how Arrow is to write a table's files."""
    columns = TABLES[project_type][table]
    leaves = dict(_leaves(columns))
    return {
        # Pictures are compressed already.
        "compression": {leaf: "none" if leaf == "image.bytes" else "zstd" for leaf in leaves},
        "use_dictionary": [leaf for leaf, name in leaves.items() if name in _REPEATED],
        "write_statistics": [leaf for leaf in leaves if leaf in columns],
    }


def _arrow_type(description: Any) -> pa.DataType:
    import pyarrow as pa

    if isinstance(description, Mapping):
        return pa.struct([(name, _arrow_type(of)) for name, of in description.items()])
    if isinstance(description, list):
        return pa.list_(_arrow_type(description[0]))
    if description == "image":
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return pa.int64() if description == "category" else getattr(pa, description)()


def _feature(description: Any, label_names: list[str]) -> Any:
    if isinstance(description, Mapping):
        return {name: _feature(of, label_names) for name, of in description.items()}
    if isinstance(description, list):
        return [_feature(description[0], label_names)]
    if description == "image":
        return {"_type": "Image"}
    if description == "category" and label_names:
        return {"_type": "ClassLabel", "names": label_names}
    return {"_type": "Value", "dtype": "int64" if description == "category" else description}


def _label_names(category_ids: Mapping[str, int]) -> list[str]:
    """Name the classes by their ids; none where the ids leave some out, which labels cannot."""
    names = sorted(category_ids, key=lambda name: category_ids[name])
    return names if [category_ids[name] for name in names] == list(range(len(names))) else []


def _leaves(description: Any, path: str = "", name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the columns that Parquet has of a description: their paths, and their own names."""
    if isinstance(description, Mapping):
        for inner, of in description.items():
            yield from _leaves(of, f"{path}.{inner}" if path else inner, inner)
    elif isinstance(description, list):
        yield from _leaves(description[0], f"{path}.list.element", name)
    elif description == "image":
        yield from ((f"{path}.{part}", part) for part in ("bytes", "path"))
    else:
        yield path, name
