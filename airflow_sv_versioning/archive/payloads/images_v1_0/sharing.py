"""What references to one value may cost.

A few bytes that refer to a container stand for all that is in it. Whoever writes the values out as
text pays for every reference, so the reader counts them as if they were written out.
"""

from __future__ import annotations

from typing import Any

from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.payloads.images_v1_0 import names
from airflow_sv_versioning.archive.payloads.images_v1_0.inert import InertObject
from airflow_sv_versioning.exceptions import FormatError

_NAMED = (names.RecordType, names.ObjectType, names.GeometryType)


class Sharing:
    """Count what references stand for."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._characters = limits.shared_characters
        self._nodes = limits.max_shared_nodes
        # Containers that were referred to: their size was counted then and may not grow.
        self._sealed: set[int] = set()

    def is_sealed(self, value: Any) -> bool:
        """Tell whether a container was referred to."""
        return id(value) in self._sealed

    def charge(self, value: Any) -> None:
        """Count one reference.

        :raises FormatError: references stand for too much.
        """
        if type(value) is str:
            self._characters -= len(value)
        elif type(value) not in _NAMED:
            self._sealed.add(id(value))
            self._charge_content(value)
        if self._characters < 0 or self._nodes < 0:
            raise FormatError("The pickle refers to the same values too often; it was refused.")

    def _charge_content(self, value: Any) -> None:
        pending = [value]
        while pending and self._nodes >= 0:
            node = pending.pop()
            self._nodes -= 1
            if type(node) is str:
                self._characters -= len(node)
            elif type(node) in (list, tuple):
                self._nodes -= len(node)
                pending += node if self._nodes >= 0 else ()
            elif type(node) is dict:
                pending += node.keys()
                pending += node.values()
            elif type(node) is InertObject:
                pending.append(node.state)
