"""Entities as JSON: SQLite writes a whole page as one text, while other requests have the interpreter.

A member is an SQL expression for its JSON text. Stored JSON goes into answers as it is and is never parsed
again. What SQL cannot write it leaves between two marks, and the caller says how such a gap is filled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from airflow_sv_versioning.server.database import Reader, json_list
from airflow_sv_versioning.server.jsontext import JsonText

Members = Mapping[str, str]
"""Name of each member -> SQL expression for its JSON text, never ``NULL``."""
Fill = Callable[[str], str]
"""From what stands in a gap to the JSON text of the member."""

# A control character that JSON texts do not contain: within strings it is escaped.
_MARK, _SQL_MARK = "\x1e", "char(30)"
NULL = "'null'"


def text(column: str) -> str:
    """A member from a column of text, or from any that may hold something else."""
    return f"json_quote({column})"


def verbatim(column: str) -> str:
    """A member from a column of whole numbers or of stored JSON."""
    return f"IFNULL({column}, 'null')"


def flag(column: str) -> str:
    """A member from a column of 0 and 1."""
    return f"CASE WHEN {column} THEN 'true' ELSE 'false' END"


def gap(expression: str) -> str:
    """A member that is filled in later from this expression's text; ``null`` where that is ``NULL``."""
    return f"IFNULL({_SQL_MARK} || {expression} || {_SQL_MARK}, 'null')"


def object_of(members: Members, *more: str) -> str:
    """An SQL expression for a JSON object.

    :param more: expressions for further members with the comma before them, or for nothing at all.
    """
    # `||` would copy the text once a member; this copies it once.
    names = ",".join(f'"{name}":%s' for name in members)
    arguments = ", ".join([f"'{{{names}{'%s' * len(more)}}}'", *members.values(), *more])
    return f"printf({arguments})"


def array_of(element: str, rows: str) -> str:
    """An SQL expression for a JSON array.

    :param rows: what follows the expression of one element in its query, with the order.
    """
    # The inner query's order is that of the array: `group_concat` took no ORDER BY before SQLite 3.44.
    elements = f"SELECT {element} AS element {rows}"
    return f"(SELECT '[' || IFNULL(group_concat(element), '') || ']' FROM ({elements}))"  # noqa: S608


@dataclass(frozen=True)
class Entities:
    """Rows of one table as the platform writes them.

    :param always: members that are answered whichever were asked for.
    """

    table: str
    members: Members
    always: frozenset[str] = frozenset()

    def write(
        self, db: Reader, ids: Sequence[int], fill: Fill, fields: Collection[str] | None = None
    ) -> JsonText:
        """A list of the entities with these ids, in this order.

        :param fields: names of the members to answer; ``None`` means all, unknown ones are ignored.
        """
        shown = {
            name: expression
            for name, expression in self.members.items()
            if fields is None or name in fields or name in self.always
        }
        rows = (
            f"FROM json_each(?) AS wanted CROSS JOIN {self.table} ON {self.table}.id = wanted.value "
            "ORDER BY wanted.key"
        )
        written: str = db.value(f"SELECT {array_of(object_of(shown), rows)}", (json_list(ids),))
        parts = written.split(_MARK)
        parts[1::2] = map(fill, parts[1::2])
        return JsonText("".join(parts))

    def write_one(
        self, db: Reader, row_id: int, fill: Fill, fields: Collection[str] | None = None
    ) -> JsonText:
        """The entity with this id, which must exist."""
        return JsonText(self.write(db, [row_id], fill, fields)[1:-1])
