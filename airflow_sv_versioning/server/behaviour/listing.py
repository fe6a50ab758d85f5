"""Listings: filter, sort and page, the same way for every kind of entity."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import msgspec

from airflow_sv_versioning.server.database import Reader, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, array, dumps, loads, merge
from airflow_sv_versioning.server.rules import Cursor

MAX_INTEGER = 2**63
# Sort key and id of the last entity of a page.
Integer = Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER - 1)]
Token = tuple[str | float | Integer | None, Integer]
OPERATORS = {
    "=": "=", "eq": "=", "!=": "!=", "not": "!=", ">": ">", "gt": ">", ">=": ">=", "gte": ">=",
    "<": "<", "lt": "<", "<=": "<=", "lte": "<=", "in": "IN", "!in": "NOT IN",
}  # fmt: skip


@dataclass(frozen=True)
class Query:
    """What a caller wants to see of a listing.

    :param filters: conjunctive ``{"field", "operator", "value"}``.
    :param after: where the previous answer of token mode ended; opaque to callers.
    :param fields: names of the members to answer; ``None`` means all.
    :param max_per_page: cap beside that of the listing.
    :param tells_cursor: whether answers have the member ``after``.
    :param has_numeric_tokens: whether tokens are numbers, which listings in the order of ids can have.
    """

    filters: Sequence[Mapping[str, Any]] = ()
    sort: str = "id"
    descending: bool = False
    page: int = 1
    per_page: int | None = None
    token_mode: bool = False
    after: str | None = None
    fields: frozenset[str] | None = None
    max_per_page: int | None = None
    tells_cursor: bool = True
    has_numeric_tokens: bool = False

    def under(self, cursor: Cursor, max_per_page: int | None) -> Query:
        """The query as a server with these rules takes it."""
        return replace(
            self,
            token_mode=self.token_mode and cursor != "ignored",
            tells_cursor=cursor != "ignored",
            has_numeric_tokens=cursor == "number" and self.sort == "id",
            max_per_page=max_per_page,
        )

    def wants(self, field_name: str) -> bool:
        """Whether the member is asked for."""
        return self.fields is None or field_name in self.fields

    def filters_on(self, *field_names: str) -> bool:
        """Whether some filter looks at one of these fields."""
        return any(condition.get("field") in field_names for condition in self.filters)


@dataclass
class Where:
    """A conjunction of SQL conditions."""

    conditions: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def add(self, condition: str, *parameters: Any) -> Where:
        """Narrow down."""
        self.conditions.append(condition)
        self.parameters.extend(parameters)
        return self

    def copy(self) -> Where:
        """An independent copy."""
        return Where([*self.conditions], [*self.parameters])

    def sql(self) -> str:
        """The WHERE clause."""
        return " WHERE " + " AND ".join(self.conditions) if self.conditions else ""


@dataclass(frozen=True)
class Page:
    """Which entities are on one page."""

    ids: list[int]
    total: int
    per_page: int
    after: str | int | None
    tells_cursor: bool

    def around(self, entities: JsonText) -> JsonText:
        """The answer's envelope around the list of entities, in the order of the ids."""
        envelope: dict[str, Any] = {
            "total": self.total,
            "perPage": self.per_page,
            "pagesCount": max(1, -(-self.total // self.per_page)),
        }
        if self.tells_cursor:
            envelope["after"] = self.after
        return merge(envelope, {"entities": entities})


@dataclass(frozen=True)
class Rows:
    """One page of database rows."""

    found: Page
    rows: list[sqlite3.Row]

    def page(self, entities: Sequence[Any]) -> JsonText:
        """The answer's envelope around the rows' entities, in the same order."""
        return self.found.around(array([dumps(entity) for entity in entities]))


@dataclass(frozen=True)
class Listing:
    """What may be listed, and by which fields.

    :param source: what follows ``SELECT ... FROM``; its first table's rows are the entities.
    :param alias: name of that table in the query.
    :param columns: wire name of each field to filter and sort by -> SQL expression.
    :param nullable: fields that some rows do not have; such rows sort as if it were empty.
    :param default_per_page: how many entities a page has where nobody says it. Source: reference.
    :param max_per_page: more are not answered at once; no maximum is documented.
    """

    source: str
    alias: str
    columns: Mapping[str, str]
    nullable: frozenset[str] = frozenset()
    default_per_page: int = 500
    max_per_page: int = 1000

    def page(self, db: Reader, query: Query, where: Where) -> Page:
        """Find the entities of one page.

        :raises RequestRejectedError: unknown field or operator, malformed value or token.
        """
        narrowed = where.copy()
        for condition in query.filters:
            self._narrow(narrowed, condition)
        total = db.value(f"SELECT COUNT(*) FROM {self.source}{narrowed.sql()}", narrowed.parameters)  # noqa: S608
        most = min(self.max_per_page, query.max_per_page or self.max_per_page)
        per_page = min(query.per_page or self.default_per_page, most)
        ids = self._ids(db, query, narrowed, per_page)
        shown = ids[:per_page]
        has_more = query.token_mode and len(ids) > per_page
        after = self._token(db, query, shown[-1]) if has_more else None
        return Page(shown, total, per_page, after, query.tells_cursor)

    def run(self, db: Reader, query: Query, where: Where) -> Rows:
        """Read the rows of one page.

        :raises RequestRejectedError: unknown field or operator, malformed value or token.
        """
        found = self.page(db, query, where)
        rows = db.all(
            f"SELECT {self.alias}.* FROM json_each(?) AS wanted "  # noqa: S608
            f"CROSS JOIN {self.source} WHERE {self.alias}.id = wanted.value ORDER BY wanted.key",
            (json_list(found.ids),),
        )
        return Rows(found, rows)

    def each(
        self, db: Reader, query: Query, where: Where, entity: Callable[[sqlite3.Row], Mapping[str, Any]]
    ) -> JsonText:
        """Answer a page of entities that can be made from their rows alone."""
        found = self.run(db, query, where)
        return found.page([project(entity(row), query.fields) for row in found.rows])

    def _column(self, field_name: object) -> str:
        if not isinstance(field_name, str) or field_name not in self.columns:
            raise bad_request(f"Cannot filter or sort by {field_name!r}; known: {', '.join(self.columns)}")
        return self.columns[field_name]

    def _narrow(self, where: Where, condition: Mapping[str, Any]) -> None:
        column = self._column(condition.get("field"))
        operator = OPERATORS.get(str(condition.get("operator", "=")))
        value = condition.get("value")
        if operator is None:
            raise bad_request(f"Unknown filter operator {condition.get('operator')!r}")
        if operator.endswith("IN"):
            if not isinstance(value, list):
                raise bad_request(f"Filter {condition['field']!r} with 'in' needs a list of values")
            where.add(in_list(column if operator == "IN" else f"{column} NOT"), json_list(value))
        elif value is None:
            where.add(f"{column} IS {'NOT ' if operator == '!=' else ''}NULL")
        elif isinstance(value, (str, float)) or (isinstance(value, int) and abs(value) < MAX_INTEGER):
            where.add(f"{column} {operator} ?", value)
        else:
            raise bad_request(f"Filter {condition['field']!r} needs a text or a number as its value")

    def _ids(self, db: Reader, query: Query, where: Where, per_page: int) -> list[int]:
        """The ids of one page and the next one, in one value instead of a thousand rows."""
        key, identity = self._sort_key(query), f"{self.alias}.id"
        direction = "DESC" if query.descending else "ASC"
        narrowed, offset = where.copy(), (query.page - 1) * per_page
        if query.token_mode and query.after is not None:
            comparison = "<" if query.descending else ">"
            narrowed.add(f"({key}, {identity}) {comparison} (?, ?)", *_decode_token(query))
            offset = 0
        ids: list[int] = loads(
            db.value(
                f"SELECT json_group_array(id) FROM (SELECT {identity} FROM {self.source}{narrowed.sql()} "  # noqa: S608
                f"ORDER BY {key} {direction}, {identity} {direction} LIMIT ? OFFSET ?)",
                [*narrowed.parameters, per_page + 1, offset],
            )
        )
        return ids

    def _sort_key(self, query: Query) -> str:
        column = self._column(query.sort)
        return f"IFNULL({column}, '')" if query.sort in self.nullable else column

    def _token(self, db: Reader, query: Query, last: int) -> str | int:
        if query.has_numeric_tokens:
            return last
        key = db.value(
            f"SELECT {self._sort_key(query)} FROM {self.source} WHERE {self.alias}.id = ?",  # noqa: S608
            (last,),
        )
        return base64.urlsafe_b64encode(json.dumps([key, last]).encode()).decode()


def project(entity: Mapping[str, Any], fields: frozenset[str] | None) -> dict[str, Any]:
    """Keep the members asked for; unknown names are ignored."""
    return {key: value for key, value in entity.items() if fields is None or key in fields}


def _decode_token(query: Query) -> tuple[Any, int]:
    token = query.after or ""
    if query.has_numeric_tokens and token.isascii() and token.isdigit() and len(token) < 19:
        return int(token), int(token)
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token.encode()), type=Token)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"{token[:100]!r} is not a token of this listing") from error
