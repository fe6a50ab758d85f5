"""What formats of pictures need to know of items."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_sv_versioning.dataset.records import Item
from airflow_sv_versioning.exceptions import FormatError, IntegrityError


def size_of(item: Item) -> tuple[int, int]:
    """Tell width and height in pixels.

    :raises FormatError: the version does not know them.
    """
    width, height = (item.row.get(name) or item.row.get(f"frame_{name}") for name in ("width", "height"))
    if width and height and width > 0 and height > 0:
        return width, height
    name = f"{item.dataset_path}/{item.row['name']}"
    message = (
        f"The version does not tell how wide and high {name!r} is, which this format needs. "
        "Export without it: leave it out of the selection, or choose Parquet."
    )
    raise FormatError(message, item=name, width=width, height=height)


def category_of(class_name: str, category_ids: Mapping[str, int]) -> int:
    """Tell the id of a class.

    :raises IntegrityError: it has none, for the version does not define it.
    """
    try:
        return category_ids[class_name]
    except KeyError:
        message = f"A figure is of class {class_name!r}, which the version's meta does not define."
        raise IntegrityError(message, class_name=class_name) from None
