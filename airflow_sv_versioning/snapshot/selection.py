"""Which part of a snapshot is meant, by names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.snapshot.globs import check_glob

_GLOBS = ("datasets", "items")
_WORDS = {"datasets": "datasets", "items": "items", "classes": "figures of", "tags": "items with tag"}


@dataclass(frozen=True)
class Selection:
    """A part of a project or version; what is not said restricts nothing.

    What is said is joined by *and*; the names of one member are joined by *or*. Lists are taken for tuples,
    and a text for a list of one.

    :param datasets: globs on the full paths of datasets; see :mod:`~airflow_sv_versioning.snapshot.globs`.
    :param items: globs on ``dataset/path/name``; one without ``/`` is on the name, in any dataset.
    :param classes: names of classes. Only figures of these, and objects with all that hangs on them; items
        without any stay.
    :param tags: names of tags. Only items that carry one of these themselves.
    :param drop_empty_items: leave out items without a figure, of the classes if there are any.
    :raises ConfigurationError: a member is of another shape, or a glob can match nothing.
    """

    datasets: Sequence[str] = ()
    items: Sequence[str] = ()
    classes: Sequence[str] = ()
    tags: Sequence[str] = ()
    drop_empty_items: bool = False

    def __post_init__(self) -> None:
        for what in _WORDS:
            object.__setattr__(self, what, _names(what, getattr(self, what)))
        for glob in (glob for what in _GLOBS for glob in getattr(self, what)):
            check_glob(glob)
        if not isinstance(self.drop_empty_items, bool):
            raise ConfigurationError(
                f"drop_empty_items of a selection is true or false, not {self.drop_empty_items!r}."
            )

    @classmethod
    def parse(cls, value: Selection | Mapping[str, Any] | None) -> Selection:
        """Take what a caller gives: a selection, a mapping of its members, or ``None`` for everything.

        :raises ConfigurationError: it is none of these.
        """
        if value is None or isinstance(value, Selection):
            return value or EVERYTHING
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"A selection is a mapping, not a {type(value).__name__}: {value!r}.")
        known = [field.name for field in fields(cls)]
        if unknown := [str(name) for name in value if name not in known]:
            raise ConfigurationError(
                f"A selection has no {', '.join(sorted(unknown))}; it has: {', '.join(known)}."
            )
        return cls(**{name: member for name, member in value.items() if member is not None})

    @property
    def is_everything(self) -> bool:
        """Say whether it restricts nothing."""
        return self == EVERYTHING

    @property
    def restricts_items(self) -> bool:
        """Say whether it leaves out items of the datasets that it chooses."""
        return bool(self.items or self.tags or self.drop_empty_items)

    def as_dict(self) -> dict[str, Any]:
        """Write the selection as JSON-able data, all members."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    def __str__(self) -> str:
        told = [
            f"{word} {', '.join(names)}" for what, word in _WORDS.items() if (names := getattr(self, what))
        ]
        if self.drop_empty_items:
            told.append("without empty items")
        return "; ".join(told) or "everything"


def _names(what: str, value: Any) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Iterable) or isinstance(names, Mapping):
        raise ConfigurationError(f"{what} of a selection is a list of texts, not {value!r}.")
    names = tuple(names)
    for name in names:
        if not isinstance(name, str) or not name.strip() or not _is_writable(name):
            raise ConfigurationError(f"{what} of a selection is a list of texts, but holds {name!r}.")
    return names


def _is_writable(text: str) -> bool:
    """Say whether a text has nothing that tables cannot hold, such as half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


EVERYTHING = Selection()


def as_told(selection: Selection) -> dict[str, Any] | None:
    """Write a selection as results tell it: ``None`` where everything is meant."""
    return None if selection.is_everything else selection.as_dict()
