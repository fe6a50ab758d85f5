"""Items by hand, written by a format in one shard or several, as an export does it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
from msgspec.structs import replace

from airflow_sv_versioning.dataset.figures import Figure, FigureRows, Figures, Place, Tag
from airflow_sv_versioning.dataset.formats.format import Contents, Format
from airflow_sv_versioning.dataset.records import Item

WIDTH, HEIGHT = 64, 48


def figure(
    geometry_type: str, geometry: Any, class_name: str = "thing", tags: Sequence[Tag] = (), **more: Any
) -> Figure:
    """A figure, of which the number is given later."""
    text = geometry if geometry is None or isinstance(geometry, str) else json.dumps(geometry)
    return Figure(0, class_name, geometry_type, text, tags, **more)


def figures_of(figures: Iterable[Figure]) -> Figures:
    """The figures of one item."""
    each = list(figures)
    rows = FigureRows(
        numbers=[one.number for one in each],
        class_names=[one.class_name for one in each],
        geometry_types=pa.array([one.geometry_type for one in each], pa.string()),
        geometries=pa.array([one.geometry for one in each], pa.string()),
        tags=[one.tags for one in each],
        places=[Place(one.frame, one.slice_index, one.plane, one.object_number, one.mask) for one in each],
        figure_ids=[one.figure_id for one in each],
    )
    return Figures(rows, 0, len(each))


def points(*exterior: tuple[float, float], holes: Sequence[Any] = ()) -> Any:
    """The JSON of what has points."""
    return {"points": {"exterior": [list(point) for point in exterior], "interior": list(holes)}}


def image(*figures: Figure, split: str = "all", name: str = "a.png", **more: Any) -> Item:
    """An image, of which the number is given later."""
    more = {"dataset_path": "ds", "file_name": f"ds/{name}", "key": 0, **more}
    row = {"name": name, "width": WIDTH, "height": HEIGHT, **more.pop("row", {})}
    return Item(0, row, split=split, figures=figures_of(figures), **more)


def video(*figures: Figure, split: str = "all", name: str = "a.mp4", **more: Any) -> Item:
    """A video, of which the number is given later."""
    more = {"dataset_path": "ds", "file_name": f"ds/{name}", "key": 0, **more}
    row = {"name": name, "frame_width": WIDTH, "frame_height": HEIGHT}
    return Item(0, row, split=split, figures=figures_of(figures), **more)


def write(
    data_format: Format,
    items: Sequence[Item],
    folder: Path,
    *,
    shards: int = 1,
    classes: Mapping[str, str] | Sequence[Any] = (("thing", "any"),),
    **options: Any,
) -> Counter[tuple[str, str]]:
    """Write items as a data set.

    :param classes: name -> shape, or definitions as in a meta.
    :return: what was lost.
    """
    contents = contents_of(data_format, items, classes=classes, **options)
    data_format.check(contents)
    files, losses = folder / "files", Counter[tuple[str, str]]()
    fragments = [folder / f"fragments-{shard}" for shard in range(shards)]
    numbered = _numbered(items)
    for shard, fragment in enumerate(fragments):
        fragment.mkdir(parents=True)
        writer = data_format.open_writer(contents, files, fragment)
        with closing(writer):
            for item in numbered:
                if data_format.unit(contents, item.split, item.key) % shards == shard:
                    writer.write(item)
        losses += Counter(writer.losses)
    data_format.assemble(contents, fragments, files)
    assert all((files / name).is_file() for name in data_format.file_names(contents))
    return losses


def contents_of(data_format: Format, items: Sequence[Item], **more: Any) -> Contents:
    """What an export tells a format before the first item."""
    classes = more.pop("classes")
    defined = [
        {"title": entry[0], "shape": entry[1], "geometry_config": {}} if isinstance(entry, tuple) else entry
        for entry in (classes.items() if isinstance(classes, Mapping) else classes)
    ]
    first = data_format.first_category_id
    ids = {entry["title"]: number for number, entry in enumerate(defined, first)}
    splits = Counter(item.split for item in items)
    return Contents(
        version={"project_name": "Project", "version_num": 7},
        project_type=more.pop("project_type", "images"),
        meta={"classes": defined, "tags": []},
        category_ids=more.pop("category_ids", ids),
        items=splits,
        item_bytes=dict.fromkeys(splits, 0),
        media=more.pop("media", "none"),
        options=more,
    )


def _numbered(items: Sequence[Item]) -> list[Item]:
    number, numbered = 0, []
    for place, item in enumerate(items, start=1):
        figures = [replace(each, number=number + at) for at, each in enumerate(item.figures, start=1)]
        number += len(figures)
        numbered.append(replace(item, number=place, figures=figures_of(figures)))
    return numbered
