"""Second pass over a pickle: rebuild the payload's values, and nothing else.

Named tuples are handed on the moment they are complete, so what is held at a time is one of them.
The payload's large lists and dicts are emptied as they fill.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from airflow_sv_versioning.exceptions import FormatError, UnsafeArchiveError
from airflow_sv_versioning.snapshot.formats.limits import ArchiveLimits
from airflow_sv_versioning.snapshot.formats.pickled import names
from airflow_sv_versioning.snapshot.formats.pickled import opcodes as op
from airflow_sv_versioning.snapshot.formats.pickled.inert import InertObject, RecordToken
from airflow_sv_versioning.snapshot.formats.pickled.scan import Buffer, Scan

_SLICE = 1024
_SHARED_TEXT_FLOOR = 64 * 1024 * 1024

_INT4 = struct.Struct("<i")
_UINT4 = struct.Struct("<I")
_UINT8 = struct.Struct("<Q")
_FLOAT = struct.Struct(">d")

# Places of the payload's tuple.
_PROJECT, _META, _DATASETS, _IMAGES, _FIGURES, _ALPHA_GEOMETRIES = range(6)


class Receiver(Protocol):
    """Takes what a payload holds, in the payload's order."""

    def record(self, record_type: names.RecordType, values: dict[str, Any]) -> None: ...

    def meta(self, meta: InertObject) -> None: ...

    def alpha_geometries(self, geometries: dict[int, Any]) -> None: ...


class _Finished(Exception):  # noqa: N818 - no error
    pass


class Interpreter:
    """Interpret a scanned pickle.

    :param data: what :func:`scan` passed.
    """

    def __init__(
        self, data: Buffer, size: int, found: Scan, receiver: Receiver, limits: ArchiveLimits
    ) -> None:
        self._data = data
        self._shared = found.shared
        self._receiver = receiver
        self._limits = limits
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._memo_size = 0
        # Containers that were referred to: their size was counted then and may not grow.
        self._sealed: set[int] = set()
        self._shared_nodes = limits.max_shared_nodes
        self._shared_text = _SHARED_TEXT_FLOOR + limits.max_shared_text_ratio * size
        self._made = dict.fromkeys(names.RECORDS, 0)
        self._placed = dict.fromkeys(names.RECORDS, 0)
        self._has_meta = False
        self._handed_on = 0
        self._handlers = self._make_handlers()

    def run(self) -> None:
        """Hand everything to the receiver.

        :raises UnsafeArchiveError: it names or does what no genuine payload does.
        :raises FormatError: it is damaged, or is not the payload of an image project.
        """
        data, handlers = self._data, self._handlers
        position, slice_start = 2, 2
        steps, steps_at_record, handed_on = 0, 0, 0
        try:
            while True:
                slice_start = position
                for _ in range(_SLICE):
                    position = handlers[data[position]](position + 1)
                steps += _SLICE
                if self._handed_on != handed_on:
                    handed_on, steps_at_record = self._handed_on, steps
                self._check_size(steps - steps_at_record)
        except _Finished:
            return
        except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise FormatError(
                f"The pickle is damaged between bytes {slice_start} and {slice_start + _SLICE}, "
                f"or its content is not that of an image project: {error!r}."
            ) from error

    def _check_size(self, steps: int) -> None:
        if steps > self._limits.max_record_opcodes:
            raise FormatError(f"One record of the pickle takes more than {steps} steps; it was refused.")
        if len(self._stack) > self._limits.max_open_values:
            raise FormatError("The pickle piles up values without using them; it was refused.")

    def _make_handlers(self) -> list[Callable[[int], int]]:
        known: dict[int, Callable[[int], int]] = {
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
        return [known.get(code, self._unknown) for code in range(256)]

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
        self._stack.append(int.from_bytes(bytes(self._data[at + 1 : end]), "little", signed=True))
        return end

    def _float(self, at: int) -> int:
        self._stack.append(_FLOAT.unpack_from(self._data, at)[0])
        return at + 8

    def _short_text(self, at: int) -> int:
        end = at + 1 + self._data[at]
        self._stack.append(str(self._data[at + 1 : end], "utf-8", "surrogatepass"))
        return end

    def _text(self, at: int) -> int:
        end: int = at + 4 + _UINT4.unpack_from(self._data, at)[0]
        self._stack.append(str(self._data[at + 4 : end], "utf-8", "surrogatepass"))
        return end

    def _long_text(self, at: int) -> int:
        end: int = at + 8 + _UINT8.unpack_from(self._data, at)[0]
        self._stack.append(str(self._data[at + 8 : end], "utf-8", "surrogatepass"))
        return end

    # --- containers

    def _mark(self, at: int) -> int:
        self._below.append(self._stack)
        self._stack = []
        return at

    def _pop_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._below.pop()
        return items

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
        items = tuple(self._pop_mark())
        self._stack.append(items)
        return at

    def _append(self, at: int) -> int:
        item = self._stack.pop()
        self._extend([item], at)
        return at

    def _appends(self, at: int) -> int:
        self._extend(self._pop_mark(), at)
        return at

    def _extend(self, items: list[Any], at: int) -> None:
        target = self._stack[-1]
        self._check_target(target, list, at)
        place = self._place()
        if place == _DATASETS:
            self._place_records(items, names.DATASET)
        elif place == _IMAGES:
            self._place_records(items, names.IMAGE)
        else:
            target += items

    def _set_item(self, at: int) -> int:
        value = self._stack.pop()
        key = self._stack.pop()
        self._update([key, value], at)
        return at

    def _set_items(self, at: int) -> int:
        self._update(self._pop_mark(), at)
        return at

    def _update(self, flat: list[Any], at: int) -> None:
        target = self._stack[-1]
        self._check_target(target, dict, at)
        if len(flat) % 2:
            raise FormatError(f"The pickle has a key without a value at byte {at - 1}; it is damaged.")
        keys = flat[::2]
        for key in keys:
            # Other keys never occur, and hashing nested ones can exhaust the machine's own stack.
            if type(key) is not str and type(key) is not int:
                raise FormatError(f"The pickle has a {type(key).__name__} for a key at byte {at - 1}.")
        items = dict(zip(keys, flat[1::2], strict=True))
        place = self._place()
        if place == _FIGURES:
            self._place_figures(items)
        elif place == _ALPHA_GEOMETRIES:
            self._receiver.alpha_geometries(items)
            self._handed_on += 1
        else:
            target.update(items)

    def _place(self) -> int:
        """Tell which part of the payload the container on top of the stack is; -1 for none."""
        return len(self._stack) - 1 if len(self._below) == 1 else -1

    def _check_target(self, target: Any, expected: type, at: int) -> None:
        if type(target) is not expected:
            raise FormatError(
                f"The pickle adds to a {type(target).__name__} at byte {at - 1}; it is damaged."
            )
        if self._sealed and id(target) in self._sealed:
            raise UnsafeArchiveError(
                f"The pickle changes a container after it referred to it (byte {at - 1}), "
                "which no genuine version does; it was refused.",
                position=at - 1,
            )

    # --- the memo

    def _memoize(self, at: int) -> int:
        if self._memo_size in self._shared:
            self._memo[self._memo_size] = self._stack[-1]
        self._memo_size += 1
        return at

    def _get1(self, at: int) -> int:
        self._get(self._memo[self._data[at]])
        return at + 1

    def _get4(self, at: int) -> int:
        self._get(self._memo[_UINT4.unpack_from(self._data, at)[0]])
        return at + 4

    def _get(self, value: Any) -> None:
        if type(value) is str:
            self._shared_text -= len(value)
        elif type(value) not in (names.RecordType, names.ObjectType, names.GeometryType):
            self._seal(value)
        if self._shared_text < 0 or self._shared_nodes < 0:
            raise FormatError("The pickle refers to the same values too often; it was refused.")
        self._stack.append(value)

    def _seal(self, value: Any) -> None:
        """Charge for everything that a reference to a container stands for."""
        self._sealed.add(id(value))
        pending = [value]
        while pending and self._shared_nodes >= 0:
            node = pending.pop()
            self._shared_nodes -= 1
            if type(node) is str:
                self._shared_text -= len(node)
            elif type(node) in (list, tuple):
                pending += node
            elif type(node) is dict:
                pending += node.keys()
                pending += node.values()
            elif type(node) is InertObject:
                pending.append(node.state)

    # --- classes

    def _global(self, at: int) -> int:
        line = bytes(self._data[at : at + 1024]).split(b"\n", 2)
        self._stack.append(self._named(line[0].decode(), line[1].decode(), at))
        return at + len(line[0]) + len(line[1]) + 2

    def _stack_global(self, at: int) -> int:
        name = self._stack.pop()
        module = self._stack.pop()
        self._stack.append(self._named(module, name, at))
        return at

    def _named(self, module: Any, name: Any, at: int) -> names.Named:
        known = names.ALL.get((module, name)) if type(module) is str and type(name) is str else None
        if known is None:
            raise UnsafeArchiveError(
                f"The pickle names {str(module)[:100]}.{str(name)[:100]} (byte {at - 1}), which no genuine "
                "version does; nothing of it was run. Find out who wrote this archive.",
                position=at - 1,
            )
        return known

    def _new_object(self, at: int) -> int:
        arguments = self._stack.pop()
        named = self._stack.pop()
        if type(arguments) is not tuple:
            self._refuse("makes an object without arguments", at)
        if type(named) is names.RecordType:
            self._stack.append(self._make_record(named, arguments))
        elif type(named) is names.ObjectType and not arguments:
            self._stack.append(InertObject(named))
        else:
            what = getattr(named, "name", type(named).__name__)
            self._refuse(f"makes an instance of {what}", at)
        return at

    def _build(self, at: int) -> int:
        state = self._stack.pop()
        target = self._stack[-1]
        is_fresh = type(target) is InertObject and target.state is None and id(target) not in self._sealed
        if not is_fresh or type(state) is not dict:
            self._refuse("sets the state of something", at)
        target.state = state
        if target.type is names.PROJECT_META:
            self._take_meta(target)
        return at

    def _refuse(self, deed: str, at: int) -> NoReturn:
        raise UnsafeArchiveError(
            f"The pickle {deed} at byte {at - 1} in a way that no genuine version does; "
            "nothing of it was run. Find out who wrote this archive.",
            position=at - 1,
        )

    # --- the payload's parts

    def _make_record(self, record_type: names.RecordType, arguments: tuple[Any, ...]) -> RecordToken:
        # Older writers had fewer fields, newer ones may have more; they are only ever appended.
        values = dict(zip(record_type.fields, arguments, strict=False))
        self._receiver.record(record_type, values)
        self._made[record_type] += 1
        self._handed_on += 1
        return RecordToken(record_type, values.get("entity_id"))

    def _take_meta(self, meta: InertObject) -> None:
        if self._has_meta:
            raise FormatError("The pickle holds a second project meta; it is damaged.")
        self._has_meta = True
        self._receiver.meta(meta)

    def _place_records(self, items: list[Any], record_type: names.RecordType) -> None:
        for item in items:
            if type(item) is not RecordToken or item.type is not record_type:
                raise FormatError(
                    f"The pickle has something else among its {record_type.name}s; it is damaged."
                )
        self._placed[record_type] += len(items)

    def _place_figures(self, items: dict[Any, Any]) -> None:
        for image_id, figures in items.items():
            if type(figures) is not list or any(
                type(figure) is not RecordToken or figure.owner_id != image_id for figure in figures
            ):
                raise FormatError(f"The pickle's figures of image {str(image_id)[:20]} are not its own.")
            self._place_records(figures, names.FIGURE)

    def _stop(self, _at: int) -> int:
        payload = self._stack.pop()
        is_payload = (
            type(payload) is tuple
            and len(payload) == 6
            and type(payload[_PROJECT]) is RecordToken
            and payload[_PROJECT].type is names.PROJECT
            and type(payload[_META]) is InertObject
            and payload[_META].type is names.PROJECT_META
            and list(payload[_DATASETS:]) == [[], [], {}, {}]
        )
        if not is_payload or self._stack:
            raise FormatError("The pickle does not hold an image project.")
        self._placed[names.PROJECT] += 1
        if self._made != self._placed:
            raise FormatError("The pickle holds records outside of the project's lists; it is damaged.")
        raise _Finished
