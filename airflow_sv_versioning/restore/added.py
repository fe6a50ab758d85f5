"""What a restore has added to a project that was there: kept outside the process, for who has to undo it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from threading import Lock
from typing import Any

Entry = Mapping[str, Any]
_DIGITS = 16


@dataclass(frozen=True)
class Sent:
    """Items of a request whose answer has not come yet.

    :param names: name of each -> digest of its hash or link.
    """

    dataset_id: int
    names: dict[str, str]


@dataclass(frozen=True)
class Added:
    """What was added to a project, and what may have been.

    :param items: dataset id, first and last id of items, of which all between were added.
    :param sent: requests that may have landed.
    :param datasets: ids of the datasets that were made, parents first.
    :param intended: parent and name of a dataset that may have been made.
    :param classes: names of the classes that were added, or may have been.
    :param tags: names of tags in the same way.
    :param allows_duplicates: the project's setting for that was switched on for the while.
    :param is_whole: all was added and compared; it stays.
    """

    project_id: int
    items: tuple[tuple[int, int, int], ...] = ()
    sent: tuple[Sent, ...] = ()
    datasets: tuple[int, ...] = ()
    intended: tuple[int | None, str] | None = None
    classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    allows_duplicates: bool = False
    is_whole: bool = False


@dataclass
class Record:
    """Keeps up to date what was added, before and after each request; threads may share it.

    :param keep: takes what is to outlive the process; ``None`` where all was taken back.
    """

    added: Added
    keep: Callable[[Added | None], None]
    _lock: Lock = field(default_factory=Lock, repr=False)

    def define(self, classes: Sequence[str], tags: Sequence[str]) -> None:
        """Hear which definitions are about to be added."""
        self._change(classes=tuple(classes), tags=tuple(tags))

    def intend_dataset(self, parent_id: int | None, name: str) -> None:
        """Hear of a dataset that is about to be made."""
        self._change(intended=(parent_id, name))

    def refused_dataset(self) -> None:
        """Hear that the server did not make it."""
        self._change(intended=None)

    def made_dataset(self, dataset_id: int) -> None:
        """Hear of its id."""
        self._change(intended=None, datasets=(*self.added.datasets, dataset_id))

    def sending(self, dataset_id: int, names: Sequence[str], entries: Sequence[Entry]) -> Sent:
        """Hear of items that are about to be added."""
        digests = {name: reference_digest(entry) for name, entry in zip(names, entries, strict=True)}
        sent = Sent(dataset_id, digests)
        with self._lock:
            self._keep(sent=(*self.added.sent, sent))
        return sent

    def landed(self, sent: Sent, item_ids: Sequence[int]) -> None:
        """Hear of their ids."""
        with self._lock:
            items = _with_ranges(self.added.items, sent.dataset_id, item_ids)
            self._keep(sent=self._without(sent), items=items)

    def refused(self, sent: Sent) -> None:
        """Hear that the server took none of them."""
        with self._lock:
            self._keep(sent=self._without(sent))

    def switch_duplicates(self, *, on: bool) -> None:
        """Hear that the setting is about to be switched on, or was switched off again."""
        self._change(allows_duplicates=on)

    def whole(self) -> None:
        """Hear that all is there, and stays."""
        self._change(is_whole=True)

    def undone(self) -> None:
        """Hear that all of it was taken back."""
        self.keep(None)

    def _without(self, sent: Sent) -> tuple[Sent, ...]:
        return tuple(other for other in self.added.sent if other is not sent)

    def _change(self, **changes: Any) -> None:
        with self._lock:
            self._keep(**changes)

    def _keep(self, **changes: Any) -> None:
        self.added = replace(self.added, **changes)
        self.keep(self.added)


def reference_digest(entry: Entry) -> str:
    """Make a short digest of what an item is made of: its hash, or else its link."""
    text = str(entry.get("hash") or entry.get("link") or "")
    return sha256(text.encode()).hexdigest()[:_DIGITS]


def _with_ranges(
    ranges: Sequence[tuple[int, int, int]], dataset_id: int, item_ids: Sequence[int]
) -> tuple[tuple[int, int, int], ...]:
    """Add ids of a dataset's items, joined to its last range where they follow it."""
    found = list(ranges)
    for item_id in sorted(item_ids):
        last = next((n for n in range(len(found) - 1, -1, -1) if found[n][0] == dataset_id), None)
        if last is not None and found[last][2] + 1 == item_id:
            found[last] = (dataset_id, found[last][1], item_id)
        else:
            found.append((dataset_id, item_id, item_id))
    return tuple(found)
