"""Second pass over a pickle: rebuild the payload's values, and nothing else.

What is held at a time is bounded: named tuples become rows the moment they are complete, and the
payload's large lists and dicts are handed on as they fill.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NoReturn

from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.payloads.images_v1_0 import names
from airflow_sv_versioning.archive.payloads.images_v1_0 import opcodes as op
from airflow_sv_versioning.archive.payloads.images_v1_0.assembly import Assembly
from airflow_sv_versioning.archive.payloads.images_v1_0.inert import InertObject
from airflow_sv_versioning.archive.payloads.images_v1_0.scan import MAX_NAME_BYTES, Buffer, Scan
from airflow_sv_versioning.archive.payloads.images_v1_0.sharing import Sharing
from airflow_sv_versioning.exceptions import FormatError, UnsafeArchiveError

_SLICE = 1024
_LONGEST_FREE_TEXT = 255
# Between a tuple and the object made of it are at most a memo's opcode and a frame's.
_ADJACENT_BYTES = 16

_INT4 = struct.Struct("<i")
_UINT4 = struct.Struct("<I")
_UINT8 = struct.Struct("<Q")
_FLOAT = struct.Struct(">d")


class _Finished(Exception):  # noqa: N818 - no error
    pass


class Interpreter:
    """Interpret a scanned pickle.

    Every step takes at least a byte, so memory is bounded by counting the bytes whose values are still
    held ("open"): all that were read, less those of records and lists that were handed on. Long texts
    are counted apart.

    :param data: what :func:`scan` passed.
    :param assembly: is handed the payload's parts.
    """

    def __init__(self, data: Buffer, scanned: Scan, assembly: Assembly, limits: ArchiveLimits) -> None:
        self._data = data
        self._assembly = assembly
        self._limits = limits
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._memo_size = 0
        self._shared = scanned.shared
        self._sharing = Sharing(limits)
        # What was open at each mark: bytes, long texts, and how much the memo keeps alive.
        self._open_at: list[tuple[int, int, int]] = []
        self._closed = (0, 0, 0)
        self._closed_at = 0
        self._done_bytes = 0
        self._open_text = 0
        self._kept_count = 0
        self._handlers = self._make_handlers()

    def run(self) -> None:
        """Hand everything to the assembly.

        :raises UnsafeArchiveError: it names or does what no genuine payload does.
        :raises FormatError: it is damaged, or is not the payload of an image project.
        """
        data, handlers = self._data, self._handlers
        position, slice_start = 2, 2
        try:
            while True:
                slice_start = position
                for _ in range(_SLICE):
                    position = handlers[data[position]](position + 1)
                self._check_open(position)
        except _Finished:
            return
        except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
            raise FormatError(
                f"The pickle is damaged after byte {slice_start}, "
                f"or its content is not that of an image project: {error!r}."
            ) from error

    def _check_open(self, position: int) -> None:
        if (
            position - self._done_bytes > self._limits.open_bytes
            or self._open_text > self._limits.open_text
            or len(self._stack) > self._limits.max_open_values
        ):
            raise FormatError(
                f"The pickle piles up values without completing a record (byte {position}); it was refused."
            )

    def _make_handlers(self) -> list[Callable[[int], int]]:
        handlers: dict[int, Callable[[int], int]] = {
            op.STOP: self._stop,
            op.FRAME: lambda at: at + 8,
            op.MARK: self._mark,
            op.NONE: self._none,
            op.NEWTRUE: self._true,
            op.NEWFALSE: self._false,
            op.BININT: self._int4,
            op.BININT1: self._int1,
            op.BININT2: self._int2,
            op.LONG1: self._long,
            op.BINFLOAT: self._float,
            op.SHORT_BINUNICODE: self._short_text,
            op.BINUNICODE: self._text,
            op.BINUNICODE8: self._long_text,
            op.EMPTY_LIST: self._empty_list,
            op.APPEND: self._append,
            op.APPENDS: self._appends,
            op.EMPTY_DICT: self._empty_dict,
            op.SETITEM: self._set_item,
            op.SETITEMS: self._set_items,
            op.EMPTY_TUPLE: self._empty_tuple,
            op.TUPLE: self._tuple,
            op.MEMOIZE: self._memoize,
            op.BINPUT: lambda at: self._memoize(at + 1),
            op.LONG_BINPUT: lambda at: self._memoize(at + 4),
            op.BINGET: self._get1,
            op.LONG_BINGET: self._get4,
            op.GLOBAL: self._global,
            op.STACK_GLOBAL: self._stack_global,
            op.NEWOBJ: self._new_object,
            op.BUILD: self._build,
        }
        return [handlers.get(code, self._unknown) for code in range(256)]

    def _unknown(self, at: int) -> int:
        raise FormatError(f"The pickle has an unexpected opcode at byte {at - 1}.")

    # --- plain values

    def _none(self, at: int) -> int:
        self._stack.append(None)
        return at

    def _true(self, at: int) -> int:
        self._stack.append(True)
        return at

    def _false(self, at: int) -> int:
        self._stack.append(False)
        return at

    def _int1(self, at: int) -> int:
        self._stack.append(self._data[at])
        return at + 1

    def _int2(self, at: int) -> int:
        data = self._data
        self._stack.append(data[at] | data[at + 1] << 8)
        return at + 2

    def _int4(self, at: int) -> int:
        self._stack.append(_INT4.unpack_from(self._data, at)[0])
        return at + 4

    def _long(self, at: int) -> int:
        end = at + 1 + self._data[at]
        self._stack.append(int.from_bytes(self._data[at + 1 : end], "little", signed=True))
        return end

    def _float(self, at: int) -> int:
        self._stack.append(_FLOAT.unpack_from(self._data, at)[0])
        return at + 8

    def _short_text(self, at: int) -> int:
        end = at + 1 + self._data[at]
        self._stack.append(str(self._data[at + 1 : end], "utf-8", "surrogatepass"))
        return end

    def _text(self, at: int) -> int:
        return self._add_text(at + 4, _UINT4.unpack_from(self._data, at)[0])

    def _long_text(self, at: int) -> int:
        return self._add_text(at + 8, _UINT8.unpack_from(self._data, at)[0])

    def _add_text(self, start: int, size: int) -> int:
        end = start + size
        self._done_bytes += size
        self._open_text += size
        if self._open_text > self._limits.open_text:
            self._check_open(start)
        self._stack.append(str(self._data[start:end], "utf-8", "surrogatepass"))
        return end

    # --- containers

    def _mark(self, at: int) -> int:
        self._below.append(self._stack)
        self._stack = []
        self._open_at.append((at - self._done_bytes, self._open_text, self._kept_count))
        return at

    def _pop_mark(self, at: int) -> list[Any]:
        items = self._stack
        self._stack = self._below.pop()
        self._closed = self._open_at.pop()
        self._closed_at = at
        return items

    def _forget_closed(self, at: int) -> None:
        """Count what was inside the mark that closed last as done, unless the memo keeps some of it."""
        open_bytes, open_text, kept_count = self._closed
        if kept_count == self._kept_count and at - self._closed_at <= _ADJACENT_BYTES:
            self._done_bytes = at - open_bytes
            self._open_text = open_text

    def _empty_list(self, at: int) -> int:
        self._stack.append([])
        return at

    def _empty_dict(self, at: int) -> int:
        self._stack.append({})
        return at

    def _empty_tuple(self, at: int) -> int:
        self._stack.append(())
        return at

    def _tuple(self, at: int) -> int:
        items = tuple(self._pop_mark(at))
        self._stack.append(items)
        return at

    def _append(self, at: int) -> int:
        item = self._stack.pop()
        self._extend([item], at)
        return at

    def _appends(self, at: int) -> int:
        if self._extend(self._pop_mark(at), at):
            self._forget_closed(at)
        return at

    def _extend(self, items: list[Any], at: int) -> bool:
        target = self._stack[-1]
        self._check_target(target, list, at)
        is_taken = len(self._below) == 1 and self._assembly.takes_items(len(self._stack) - 1, items)
        if not is_taken:
            target += items
        return is_taken

    def _set_item(self, at: int) -> int:
        value = self._stack.pop()
        key = self._stack.pop()
        self._update([key, value], at)
        return at

    def _set_items(self, at: int) -> int:
        if self._update(self._pop_mark(at), at):
            self._forget_closed(at)
        return at

    def _update(self, flat: list[Any], at: int) -> bool:
        target = self._stack[-1]
        self._check_target(target, dict, at)
        if len(flat) % 2:
            raise FormatError(f"The pickle has a key without a value at byte {at - 1}; it is damaged.")
        keys = flat[::2]
        for key in keys:
            # Other keys never occur, and hashing nested ones can exhaust the machine's own stack.
            if type(key) is not str and type(key) is not int:
                raise FormatError(f"The pickle has a {type(key).__name__} for a key at byte {at - 1}.")
        entries = dict(zip(keys, flat[1::2], strict=True))
        is_taken = len(self._below) == 1 and self._assembly.takes_entries(len(self._stack) - 1, entries)
        if not is_taken:
            target.update(entries)
        return is_taken

    def _check_target(self, target: Any, expected: type, at: int) -> None:
        if type(target) is not expected:
            raise FormatError(
                f"The pickle adds to a {type(target).__name__} at byte {at - 1}; it is damaged."
            )
        if self._sharing.is_sealed(target):
            self._refuse("changes a container that it referred to", at)

    # --- the memo

    def _memoize(self, at: int) -> int:
        if self._memo_size in self._shared:
            value = self._stack[-1]
            self._memo[self._memo_size] = value
            if type(value) is not str or len(value) > _LONGEST_FREE_TEXT:
                self._kept_count += 1
        self._memo_size += 1
        return at

    def _get1(self, at: int) -> int:
        value = self._memo[self._data[at]]
        self._sharing.charge(value)
        self._stack.append(value)
        return at + 1

    def _get4(self, at: int) -> int:
        value = self._memo[_UINT4.unpack_from(self._data, at)[0]]
        self._sharing.charge(value)
        self._stack.append(value)
        return at + 4

    # --- classes

    def _global(self, at: int) -> int:
        module, name, _ = self._data[at : at + 2 * MAX_NAME_BYTES].split(b"\n", 2)
        self._stack.append(self._named(module.decode(), name.decode(), at))
        return at + len(module) + len(name) + 2

    def _stack_global(self, at: int) -> int:
        name = self._stack.pop()
        module = self._stack.pop()
        self._stack.append(self._named(module, name, at))
        return at

    def _named(self, module: Any, name: Any, at: int) -> names.Named:
        named = names.ALL.get((module, name)) if type(module) is str and type(name) is str else None
        if named is None:
            self._refuse(f"names {str(module)[:100]}.{str(name)[:100]}", at)
        return named

    def _new_object(self, at: int) -> int:
        arguments = self._stack.pop()
        named = self._stack.pop()
        if type(named) is names.RecordType and type(arguments) is tuple:
            self._stack.append(self._assembly.make_record(named, arguments))
            self._forget_closed(at)
        elif type(named) is names.ObjectType and arguments == ():
            self._stack.append(InertObject(named))
        else:
            self._refuse(f"makes an instance of {getattr(named, 'name', type(named).__name__)}", at)
        return at

    def _build(self, at: int) -> int:
        state = self._stack.pop()
        target = self._stack[-1]
        is_fresh = (
            type(target) is InertObject and target.state is None and not self._sharing.is_sealed(target)
        )
        if not is_fresh or type(state) is not dict:
            self._refuse("sets the state of something", at)
        target.state = state
        if target.type is names.PROJECT_META:
            self._assembly.take_meta(target)
        return at

    def _refuse(self, deed: str, at: int) -> NoReturn:
        raise UnsafeArchiveError(
            f"The pickle {deed} at byte {at - 1}, which no genuine version does; "
            "nothing of it was run. Find out who wrote this archive.",
            position=at - 1,
        )

    def _stop(self, _at: int) -> int:
        payload = self._stack.pop()
        if self._stack:
            raise FormatError("The pickle leaves values behind; it is damaged.")
        self._assembly.finish(payload)
        raise _Finished
