"""Write plain values as opcodes of pickle protocol 4."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from airflow_sv_versioning.archive.payloads.images_v1_0 import opcodes as op
from airflow_sv_versioning.archive.payloads.images_v1_0.names import (
    GeometryType,
    Named,
    ObjectType,
    RecordType,
)
from airflow_sv_versioning.exceptions import FormatError

_PROTOCOL = 4
_FRAME_BYTES = 64 * 1024
# Readers look these up by the dozen; beyond them a text is written again.
_MAX_SHARED = 50_000
# As many as the language's own writer puts between a mark and its container.
_BATCH = 1000


class PickleEncoder:
    """Append values to a file; what is buffered stays below a frame and one value.

    Dict keys and names of classes are written once and referred to afterwards.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._buffer = bytearray()
        self._shared: dict[str | Named, int] = {}
        self._by_type: dict[type, Callable[[Any], None]] = {
            type(None): lambda _: self.opcode(op.NONE),
            bool: lambda value: self.opcode(op.NEWTRUE if value else op.NEWFALSE),
            int: self._int,
            float: self._float,
            str: self._text,
            list: self._list,
            dict: self._dict,
            GeometryType: self.name,
        }
        file.write(bytes([op.PROTO, _PROTOCOL]))

    def opcode(self, code: int) -> None:
        """Append an opcode without argument."""
        self._buffer.append(code)

    def value(self, value: Any) -> None:
        """Append JSON-like values, and references to geometry classes."""
        self._by_type[type(value)](value)

    def record(self, record_type: RecordType, values: Mapping[str, Any]) -> None:
        """Append a named tuple; fields without a value are None."""
        self.name(record_type)
        self.opcode(op.MARK)
        for field in record_type.fields:
            self.value(values.get(field))
        self.opcode(op.TUPLE)
        self.opcode(op.NEWOBJ)

    def object(self, object_type: ObjectType, write_state: Callable[[], None]) -> None:
        """Append an object whose state is the one value that ``write_state`` appends."""
        self.name(object_type)
        self.opcode(op.EMPTY_TUPLE)
        self.opcode(op.NEWOBJ)
        write_state()
        self.opcode(op.BUILD)

    def mapping(self, items: Mapping[str, Callable[[], None]]) -> None:
        """Append a dict each of whose values a function appends."""
        self.opcode(op.EMPTY_DICT)

        def write(item: tuple[str, Callable[[], None]]) -> None:
            self.key(item[0])
            item[1]()

        self.extend(list(items.items()), write, op.SETITEMS)

    def extend(self, items: Sequence[Any], write: Callable[[Any], None], end: int) -> None:
        """Append items to the container below, which ``end`` (APPENDS or SETITEMS) closes."""
        for start in range(0, len(items), _BATCH):
            self.opcode(op.MARK)
            for item in items[start : start + _BATCH]:
                write(item)
                if len(self._buffer) >= _FRAME_BYTES:
                    self._flush()
            self.opcode(end)

    def key(self, text: str) -> None:
        """Append a text that comes again and again."""
        if not self._refer(text):
            self._text(text)
            self._remember(text)

    def name(self, named: Named) -> None:
        """Append a reference to a class."""
        if not self._refer(named):
            self.key(named.module)
            self.key(named.name)
            self.opcode(op.STACK_GLOBAL)
            self._remember(named)

    def stop(self) -> None:
        """End the pickle."""
        self.opcode(op.STOP)
        self._flush()

    def _refer(self, shared: str | Named) -> bool:
        index = self._shared.get(shared)
        if index is None:
            return False
        self._buffer += (
            bytes([op.BINGET, index]) if index < 256 else struct.pack("<BI", op.LONG_BINGET, index)
        )
        return True

    def _remember(self, shared: str | Named) -> None:
        if len(self._shared) < _MAX_SHARED:
            self._shared[shared] = len(self._shared)
            self.opcode(op.MEMOIZE)

    def _int(self, value: int) -> None:
        if 0 <= value < 256:
            self._buffer += bytes([op.BININT1, value])
        elif 0 <= value < 65536:
            self._buffer += struct.pack("<BH", op.BININT2, value)
        elif -(2**31) <= value < 2**31:
            self._buffer += struct.pack("<Bi", op.BININT, value)
        else:
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            if len(data) > 255:
                raise FormatError(
                    f"A number of {len(data)} bytes in the snapshot is too large to be written."
                )
            self._buffer += bytes([op.LONG1, len(data)]) + data

    def _float(self, value: float) -> None:
        self._buffer += struct.pack(">Bd", op.BINFLOAT, value)

    def _text(self, value: str) -> None:
        data = value.encode("utf-8", "surrogatepass")
        if len(data) < 256:
            self._buffer += bytes([op.SHORT_BINUNICODE, len(data)])
        elif len(data) < 2**32:
            self._buffer += struct.pack("<BI", op.BINUNICODE, len(data))
        else:
            self._buffer += struct.pack("<BQ", op.BINUNICODE8, len(data))
        self._buffer += data

    def _list(self, value: list[Any]) -> None:
        # Coordinates are most of a payload, so this loop is written out.
        buffer, by_type = self._buffer, self._by_type
        buffer.append(op.EMPTY_LIST)
        for start in range(0, len(value), _BATCH):
            buffer.append(op.MARK)
            for item in value[start : start + _BATCH]:
                by_type[type(item)](item)
            buffer.append(op.APPENDS)

    def _dict(self, value: dict[Any, Any]) -> None:
        self.opcode(op.EMPTY_DICT)
        items = list(value.items())
        for start in range(0, len(items), _BATCH):
            self.opcode(op.MARK)
            for item in items[start : start + _BATCH]:
                self._item(item)
            self.opcode(op.SETITEMS)

    def _item(self, item: tuple[Any, Any]) -> None:
        self.key(item[0])
        self.value(item[1])

    def _flush(self) -> None:
        self._file.write(struct.pack("<BQ", op.FRAME, len(self._buffer)))
        self._file.write(self._buffer)
        self._buffer.clear()
