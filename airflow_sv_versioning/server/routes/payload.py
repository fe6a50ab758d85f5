"""Reading requests: a JSON object or a query string, member by member."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_sv_versioning.server.behaviour.listing import Query
from airflow_sv_versioning.server.errors import bad_request, invalid
from airflow_sv_versioning.server.routes.shapes import (
    ANY_OBJECT,
    FILTER,
    SHORT,
    Shape,
    check_list,
    check_objects,
    is_integer,
)

MAX_PAGE = 10**9


class Payload:
    """The members of one request. What is absent and what is ``null`` is the same to optional members."""

    def __init__(self, body: Any) -> None:
        self._body = body

    @classmethod
    def of_json(cls, text: bytes) -> Payload:
        """Read a request's body; an empty one is an empty object."""
        if not text.strip():
            return cls({})
        try:
            return cls(_parse(text))
        except RecursionError as error:
            raise bad_request("The request's body is nested too deeply") from error
        except ValueError as error:
            raise bad_request(f"The request's body is not JSON: {error}") from error

    @classmethod
    def of_query(cls, parameters: Mapping[str, str]) -> Payload:
        """Read a query string; what looks like a JSON number, flag, list or object is one."""
        return cls({key: _guess(value) for key, value in parameters.items()})

    @property
    def members(self) -> Mapping[str, Any]:
        """All members."""
        if not isinstance(self._body, dict):
            raise bad_request("The request's body must be a JSON object")
        return self._body

    @property
    def values(self) -> list[Any]:
        """The elements of a request whose body is a list."""
        if not isinstance(self._body, list):
            raise bad_request("The request's body must be a JSON list")
        return self._body

    def integer(self, key: str) -> int:
        """A required integer, such as an id."""
        value = self.optional_integer(key)
        if value is None:
            raise bad_request(f'"{key}" is required', type="VALIDATION_ERROR")
        return value

    def optional_integer(self, key: str) -> int | None:
        """An integer, also one written as text."""
        value = self.members.get(key)
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
            value = int(value)
        if value is None or is_integer(value):
            return value
        raise bad_request(f'"{key}" must be an integer', type="VALIDATION_ERROR")

    def optional_number(self, key: str) -> float | None:
        """A number, whole or not."""
        value = self.members.get(key)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is None or (is_number and math.isfinite(value)):
            return value
        raise bad_request(f'"{key}" must be a number', type="VALIDATION_ERROR")

    def text(self, key: str) -> str:
        """A required, non-empty text."""
        value = self.optional_text(key)
        if not value:
            raise bad_request(f'"{key}" is required', type="VALIDATION_ERROR")
        return value

    def optional_text(self, key: str) -> str | None:
        """A text."""
        value = self.members.get(key)
        if value is None or isinstance(value, str):
            return value
        raise bad_request(f'"{key}" must be a text', type="VALIDATION_ERROR")

    def short_text(self, key: str) -> str | None:
        """A text of which the platform keeps no more than 255 characters.

        Source: reference, projects.versions.commit.
        """
        value = self.optional_text(key)
        if value is not None and len(value) > SHORT:
            message = f"length must be less than or equal to {SHORT} characters long"
            raise invalid(message, (key,), "string.max", limit=SHORT)
        return value

    def flag(self, key: str, default: bool) -> bool:
        """A boolean."""
        value = self.members.get(key)
        return default if value is None else bool(value)

    def integers(self, key: str) -> list[int]:
        """A required list of ids."""
        return check_list(self.members.get(key), key, "integers", is_integer)

    def texts(self, key: str) -> list[str]:
        """A required list of texts."""
        return check_list(self.members.get(key), key, "texts", lambda item: isinstance(item, str))

    def optional_texts(self, key: str) -> list[str]:
        """A list of texts; empty where it is absent."""
        return [] if self.members.get(key) is None else self.texts(key)

    def objects(self, key: str, shape: Shape = ANY_OBJECT) -> list[Mapping[str, Any]]:
        """A required list of objects."""
        return check_objects(self.members.get(key), key, shape)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """A required object."""
        value = self.members.get(key)
        if not isinstance(value, dict):
            raise bad_request(f'"{key}" must be an object', type="VALIDATION_ERROR")
        return value

    def optional_mapping(self, key: str) -> Mapping[str, Any] | None:
        """An object."""
        return None if self.members.get(key) is None else self.mapping(key)

    def query(self) -> Query:
        """What a listing request asks for."""
        fields = self.optional_texts("fields")
        after = self.members.get("after")
        page = 1 if self.optional_integer("page") is None else self.integer("page")
        per_page = self.optional_integer("per_page")
        if page < 1 or (per_page is not None and per_page < 1):
            raise bad_request('"page" and "per_page" begin at 1', type="VALIDATION_ERROR")
        if page > MAX_PAGE:
            raise bad_request(f'"page" ends at {MAX_PAGE}', type="VALIDATION_ERROR")
        if self.members.get("filters"):
            raise bad_request('This server knows "filter", not "filters"', type="VALIDATION_ERROR")
        return Query(
            filters=self.objects("filter", FILTER) if self.members.get("filter") else (),
            sort=self.optional_text("sort") or "id",
            descending=self._sort_order() == "desc",
            page=page,
            per_page=per_page,
            token_mode=self.members.get("pagination_mode") == "token",
            after=None if after is None else str(after),
            fields=frozenset(fields) or None,
        )

    def _sort_order(self) -> str:
        order = self.optional_text("sort_order") or "asc"
        if order not in ("asc", "desc"):
            raise bad_request('"sort_order" must be asc or desc', type="VALIDATION_ERROR")
        return order


def _parse(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # What is wrong, or only unusual, is told by the slower decoder.
        value = json.loads(text, parse_constant=_refuse_constant)
    if b"\\ud" in text.lower():
        # Half of a surrogate pair is a valid escape, but no text that could be stored.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _guess(text: str) -> Any:
    try:
        return _parse(text.encode())
    except (ValueError, RecursionError):
        return text
