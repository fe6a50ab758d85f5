"""Thrift's compact protocol, in which Parquet writes its footers and the headers of its pages.

Only what is there is read: no list is made as long as its head says before it is. Source: the Apache Thrift
specification of the compact protocol.
"""

from __future__ import annotations

from typing import Any

_MAX_DEPTH = 32
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_VARINTS = frozenset((_I16, _I32, _I64))

Struct = dict[int, Any]
"""Number of a field -> its value: ``int``, ``bool``, ``bytes``, a list, or another struct."""


class CompactReader:
    """Reads a struct from the beginning of some bytes.

    ``IndexError`` and ``ValueError`` tell that they are cut off, or no struct.

    :ivar position: behind what was read.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._depth = 0
        self.position = 0

    def struct(self) -> Struct:
        """Read the fields of a struct."""
        self._go_deeper()
        fields: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            kind = head & 0x0F
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind)
        self._depth -= 1
        return fields

    def _value(self, kind: int) -> Any:
        if kind in _VARINTS:
            return self._signed()
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind == _STRUCT:
            return self.struct()
        if kind in (_LIST, _SET):
            return self._list()
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind == _DOUBLE:
            return self._bytes(8)
        # Parquet has no maps.
        raise ValueError(f"a value of type {kind}")

    def _list(self) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 != 0x0F else self._varint()
        if count > len(self._data) - self.position:
            raise IndexError("more elements than bytes")
        self._go_deeper()
        values = [self._value(head & 0x0F) for _ in range(count)]
        self._depth -= 1
        return values

    def _go_deeper(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError("nested too deeply")

    def _byte(self) -> int:
        value = self._data[self.position]
        self.position += 1
        return value

    def _bytes(self, size: int) -> bytes:
        start = self.position
        self.position += size
        if self.position > len(self._data):
            raise IndexError("beyond the end")
        return self._data[start : self.position]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                raise ValueError("a number without an end")
        return value | byte << shift

    def _signed(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
