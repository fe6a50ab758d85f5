"""What a pickle becomes here: values that do nothing."""

from __future__ import annotations

from airflow_sv_versioning.archive.payloads.images_v1_0.names import ObjectType, RecordType


class InertObject:
    """An object of an ordinary class: its class by name, and its attributes."""

    __slots__ = ("state", "type")

    def __init__(self, object_type: ObjectType) -> None:
        self.type = object_type
        self.state: dict[object, object] | None = None


class RecordToken:
    """Stands for a record that was handed on already.

    :ivar owner_id: image that a figure is on.
    """

    __slots__ = ("owner_id", "type")

    def __init__(self, record_type: RecordType, owner_id: int | None) -> None:
        self.type = record_type
        self.owner_id = owner_id
