"""What there is to say of one table of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Clustering:
    """How the rows of one table are arranged.

    :param owner: the column with the id of the owner, whose rows stand together.
    :param owner_type: the column that says what the owner is, where ids alone do not.
    :param place: the column by which the rows of one owner ascend; what is equal in it, or all where there is
        no such column, stands in the order in which it came.
    """

    owner: str
    owner_type: str | None = None
    place: str | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that decide."""
        return [name for name in (self.owner, self.owner_type, self.place) if name]


@dataclass(frozen=True)
class Table:
    """One table of the snapshots of a project type.

    :param columns: name -> type, in Arrow's word; in the order of the file.
    :param required: columns without which the table says nothing; every row has them.
        Source: the least that SDK 6.74.51 restores.
    :param item: the column that says which item a row belongs to.
    :param key: columns that tell rows apart.
    :param clustering: how rows are arranged; ``None`` where nobody asks.
    :param owner_types: of tags, what they hang on.
    """

    columns: Mapping[str, str]
    required: tuple[str, ...]
    item: str | None = None
    key: tuple[str, ...] = ()
    clustering: Clustering | None = None
    owner_types: tuple[str, ...] = ()
