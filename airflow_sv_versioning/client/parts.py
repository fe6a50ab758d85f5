"""Answers that hold many contents, each in a part of its own."""

from __future__ import annotations

from python_multipart.multipart import MultipartParser, parse_options_header

from airflow_sv_versioning.exceptions import TransportError, UnexpectedAnswerError

# What has more digits is no id of the platform.
_MAX_DIGITS = 19


def parts_by_id(method: str, content_type: str, content: bytes) -> dict[int, bytes]:
    """Take an answer apart: entity id -> content.

    :raises TransportError: it is damaged, ends before its end, or has a part without an id.
    :raises UnexpectedAnswerError: there are no parts, or two of one entity.
    """
    contents = parts_by_name(method, content_type, content)
    return {_entity_id(method, name): part for name, part in contents.items()}


def parts_by_name(method: str, content_type: str, content: bytes) -> dict[str, bytes]:
    """Take an answer apart: name of a part, as the server gave it -> content.

    :raises TransportError: it is damaged, or ends before its end.
    :raises UnexpectedAnswerError: there are no parts, or two of one name.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    # Nothing, or an end without a beginning, is not damaged.
    if content.strip() in (b"", b"--" + boundary + b"--"):
        raise UnexpectedAnswerError(f"{method} answered with nothing of what was asked for.", method=method)
    if not boundary:
        raise TransportError(
            f"{method} answered with {content_type or 'nothing that is named'}, not with parts."
        )
    parts = _Parts(method)
    parts.read(boundary, content)
    return parts.contents


class _Parts:
    """Takes in what the parser says, part by part."""

    def __init__(self, method: str) -> None:
        self.contents: dict[str, bytes] = {}
        self._method = method
        self._begin()
        self._is_whole = False

    def read(self, boundary: bytes, content: bytes) -> None:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_part_data": lambda data, start, end: self._content.append(data[start:end]),
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )
        try:
            parser.write(content)
        except ValueError as error:
            raise TransportError(f"{self._method} answered with a broken multipart body: {error}") from error
        if not self._is_whole:
            raise TransportError(f"{self._method} answered with a multipart body that is cut.")

    def _begin(self) -> None:
        self._header, self._value = bytearray(), bytearray()
        self._disposition = ""
        self._content: list[bytes] = []

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value.decode("latin-1")
        self._header.clear()
        self._value.clear()

    def _end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("latin-1")
        if name in self.contents:
            raise UnexpectedAnswerError(
                f"{self._method} answered with two parts of {name[:80]}.", method=self._method
            )
        self.contents[name] = b"".join(self._content)

    def _finish(self) -> None:
        self._is_whole = True


def _entity_id(method: str, name: str) -> int:
    if not (name.isascii() and name.isdigit()) or len(name) > _MAX_DIGITS:
        raise TransportError(f"{method} answered with a part without an id: {name[:80]!r}.")
    return int(name)
