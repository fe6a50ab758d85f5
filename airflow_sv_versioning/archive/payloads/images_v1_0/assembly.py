"""The parts of a payload, taken as a pickle brings them."""

from __future__ import annotations

from typing import Any, Protocol

from airflow_sv_versioning.archive.payloads.images_v1_0 import names
from airflow_sv_versioning.archive.payloads.images_v1_0.inert import InertObject, RecordToken
from airflow_sv_versioning.exceptions import FormatError

# Places in the payload's tuple.
_DATASETS, _IMAGES, _FIGURES, _ALPHA_GEOMETRIES = range(2, 6)
_EMPTIED: list[Any] = [[], [], {}, {}]


class Receiver(Protocol):
    """Takes what a payload holds, in the payload's order."""

    def record(self, record_type: names.RecordType, values: dict[str, Any]) -> None: ...

    def meta(self, meta: InertObject) -> None: ...

    def alpha_geometries(self, geometries: dict[Any, Any]) -> None: ...


class Assembly:
    """Check that everything is where genuine payloads have it, and hand it on.

    Source: the payload is ``(project, meta, [datasets], [images], {image id: [figures]},
    {figure id: alpha geometry})``; observed with SDK 6.74.51.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._made_counts = dict.fromkeys(names.RECORDS, 0)
        self._placed_counts = dict.fromkeys(names.RECORDS, 0)
        self._has_meta = False

    def make_record(self, record_type: names.RecordType, arguments: tuple[Any, ...]) -> RecordToken:
        """Hand a record on; what stays is a token."""
        # Older writers had fewer fields, newer ones may have more; they are only ever appended.
        values = dict(zip(record_type.fields, arguments, strict=False))
        self._receiver.record(record_type, values)
        self._made_counts[record_type] += 1
        return RecordToken(record_type, values.get("entity_id"))

    def take_meta(self, meta: InertObject) -> None:
        """Hand the project's meta on."""
        if self._has_meta:
            raise FormatError("The pickle holds a second project meta; it is damaged.")
        self._has_meta = True
        self._receiver.meta(meta)

    def takes_items(self, place: int, items: list[Any]) -> bool:
        """Take what is added to a list of the payload.

        :param place: the list's place in the payload's tuple.
        :returns: whether the list is one of the payload's own.
        """
        if place not in (_DATASETS, _IMAGES):
            return False
        self._place(items, names.DATASET if place == _DATASETS else names.IMAGE)
        return True

    def takes_entries(self, place: int, entries: dict[Any, Any]) -> bool:
        """Take what is added to a dict of the payload, as :meth:`takes_items` does."""
        if place == _FIGURES:
            self._place_figures(entries)
        elif place == _ALPHA_GEOMETRIES:
            self._receiver.alpha_geometries(entries)
        else:
            return False
        return True

    def finish(self, payload: Any) -> None:
        """Check that the payload is whole.

        :raises FormatError: it is not, or holds records elsewhere.
        """
        if type(payload) is not tuple or len(payload) != 6:
            raise FormatError("The pickle does not hold an image project.")
        project, meta, *emptied = payload
        self._place([project], names.PROJECT)
        if type(meta) is not InertObject or meta.type is not names.PROJECT_META or emptied != _EMPTIED:
            raise FormatError("The pickle does not hold an image project.")
        if self._made_counts != self._placed_counts:
            raise FormatError("The pickle holds records outside of the project's lists; it is damaged.")

    def _place(self, items: list[Any], record_type: names.RecordType) -> None:
        for item in items:
            if type(item) is not RecordToken or item.type is not record_type:
                raise FormatError(f"The pickle has something else for a {record_type.name}; it is damaged.")
        self._placed_counts[record_type] += len(items)

    def _place_figures(self, entries: dict[Any, Any]) -> None:
        for image_id, figures in entries.items():
            if type(figures) is not list:
                raise FormatError("The pickle has something else for a list of figures; it is damaged.")
            self._place(figures, names.FIGURE)
            if any(figure.owner_id != image_id for figure in figures):
                raise FormatError(
                    f"The pickle has figures of other images at image {image_id}; it is damaged."
                )
