"""Keys, by which official archives tell items, objects and figures apart."""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid5


def key_of(what: str, entity_id: int) -> str:
    """Make the key of an entity that has none: always the same for the same entity."""
    return uuid5(NAMESPACE_OID, f"{what}:{entity_id}").hex
