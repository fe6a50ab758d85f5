"""First pass over a pickle: is every step one that genuine payloads take, and what is used twice?

Nothing is built here. What passes has only known opcodes whose arguments lie within the file, marks
that close, and references to what came before; the second pass relies on it. Knowing which values
are referred to, the second pass can forget all others.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass

from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.payloads.images_v1_0 import opcodes as op
from airflow_sv_versioning.exceptions import FormatError, UnsafeArchiveError

Buffer = bytes | mmap.mmap
"""The payload, mapped into memory: indexing gives ints, slicing gives bytes."""

_PROTOCOLS = range(2, 6)
_SLICE = 65536
MAX_NAME_BYTES = 512

# Opcodes that do nothing to marks and memo, with the size of their argument.
_PLAIN = {
    **dict.fromkeys((op.NONE, op.NEWTRUE, op.NEWFALSE, op.EMPTY_LIST, op.EMPTY_DICT, op.EMPTY_TUPLE), 0),
    **dict.fromkeys((op.APPEND, op.SETITEM, op.STACK_GLOBAL, op.NEWOBJ, op.BUILD), 0),
    op.BININT: 4,
    op.BININT1: 1,
    op.BININT2: 2,
    op.BINFLOAT: 8,
}


@dataclass(frozen=True)
class Scan:
    """What the first pass found.

    :param shared: places in the memo that are read.
    """

    shared: frozenset[int]


def scan(data: Buffer, size: int, limits: ArchiveLimits) -> Scan:
    """Walk a pickle without building anything.

    :raises UnsafeArchiveError: an opcode that no genuine payload holds.
    :raises FormatError: no pickle, damaged, cut off, or beyond the limits.
    """
    return _Scanner(data, size, limits).run()


class _Scanner:
    def __init__(self, data: Buffer, size: int, limits: ArchiveLimits) -> None:
        self._data = data
        self._size = size
        self._limits = limits
        self._depth = 0
        self._memo_size = 0
        self._shared: set[int] = set()
        self._end = -1
        special: dict[int, Callable[[int], int]] = {
            op.STOP: self._stop,
            op.FRAME: self._frame,
            op.MARK: self._mark,
            **dict.fromkeys((op.APPENDS, op.SETITEMS, op.TUPLE), self._close_mark),
            op.LONG1: lambda at: self._skip(at, 1),
            op.SHORT_BINUNICODE: lambda at: self._skip(at, 1),
            op.BINUNICODE: lambda at: self._skip(at, 4),
            op.BINUNICODE8: lambda at: self._skip(at, 8),
            op.MEMOIZE: self._memoize,
            op.BINPUT: lambda at: self._put(at, 1),
            op.LONG_BINPUT: lambda at: self._put(at, 4),
            op.BINGET: lambda at: self._get(at, 1),
            op.LONG_BINGET: lambda at: self._get(at, 4),
            op.GLOBAL: self._global,
        }
        self._special = [special.get(code, self._refuse) for code in range(256)]

    def run(self) -> Scan:
        data, special = self._data, self._special
        plain = [_PLAIN.get(code, -1) for code in range(256)]
        position = self._start()
        steps = 0
        try:
            while self._end < 0:
                for _ in range(_SLICE):
                    code = data[position]
                    argument_size = plain[code]
                    if argument_size >= 0:
                        position += 1 + argument_size
                        continue
                    position = special[code](position + 1)
                    if self._end >= 0:
                        break
                steps += _SLICE
                self._check_limits(steps)
        except IndexError as error:
            raise FormatError("The pickle ends before it is complete; it was cut off.") from error
        if self._end != self._size:
            raise FormatError(f"{self._size - self._end} bytes follow the end of the pickle; it was refused.")
        return Scan(frozenset(self._shared))

    def _start(self) -> int:
        if self._size < 2 or self._data[0] != op.PROTO:
            raise FormatError("The payload is not a pickle.")
        if self._data[1] not in _PROTOCOLS:
            raise FormatError(f"The pickle is of protocol {self._data[1]}, which no version is written in.")
        return 2

    def _check_limits(self, steps: int) -> None:
        if steps > self._limits.opcodes + _SLICE:
            raise FormatError(f"The pickle has more than {self._limits.opcodes} steps; it was refused.")
        if len(self._shared) > self._limits.max_shared_values:
            raise FormatError("The pickle refers to too many values more than once; it was refused.")

    def _refuse(self, at: int) -> int:
        code = self._data[at - 1]
        name = op.FOREIGN.get(code)
        if name is None:
            raise FormatError(f"The pickle has no opcode at byte {at - 1} (0x{code:02x}); it is damaged.")
        raise UnsafeArchiveError(
            f"The pickle uses {name} at byte {at - 1}, which no genuine version does; "
            "nothing of it was run. Find out who wrote this archive.",
            opcode=name,
            position=at - 1,
        )

    def _stop(self, at: int) -> int:
        if self._depth:
            raise FormatError("The pickle ends inside a container; it is damaged.")
        self._end = at
        return at

    def _frame(self, at: int) -> int:
        size = self._number(at, 8)
        if size > self._size - at - 8:
            raise FormatError(f"A frame of {size} bytes at byte {at - 1} of the pickle is cut off.")
        return at + 8

    def _mark(self, at: int) -> int:
        self._depth += 1
        if self._depth > self._limits.max_depth:
            raise FormatError(f"The pickle is nested deeper than {self._limits.max_depth}; it was refused.")
        return at

    def _close_mark(self, at: int) -> int:
        self._depth -= 1
        if self._depth < 0:
            raise FormatError(f"The pickle closes at byte {at - 1} what it did not open; it is damaged.")
        return at

    def _number(self, at: int, width: int) -> int:
        return int.from_bytes(self._data[at : at + width], "little")

    def _skip(self, at: int, width: int) -> int:
        end = at + width + self._number(at, width)
        if end > self._size:
            raise FormatError(f"A value at byte {at - 1} of the pickle is cut off.")
        return end

    def _memoize(self, at: int) -> int:
        self._memo_size += 1
        return at

    def _put(self, at: int, width: int) -> int:
        # Writers count up; a place of one's own choosing could ask for any amount of memory.
        index = self._number(at, width)
        if index != self._memo_size:
            raise UnsafeArchiveError(
                f"The pickle stores a value at place {index}, not {self._memo_size} (byte {at - 1}), "
                "which no genuine version does; it was refused.",
                position=at - 1,
            )
        self._memo_size += 1
        return at + width

    def _get(self, at: int, width: int) -> int:
        index = self._number(at, width)
        if index >= self._memo_size:
            raise FormatError(f"The pickle refers at byte {at - 1} to a value that it does not hold.")
        self._shared.add(index)
        return at + width

    def _global(self, at: int) -> int:
        for _ in range(2):
            line = self._data[at : at + MAX_NAME_BYTES].partition(b"\n")
            if not line[1]:
                raise FormatError(f"A name at byte {at} of the pickle does not end; it is damaged.")
            at += len(line[0]) + 1
        return at
