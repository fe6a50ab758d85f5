"""What a project says of its origin: whether it is a restored copy, whose, or one that is still being made.

A project that is being restored has a name and a member of its custom data that say so, from the first
request of the restore to the last, so that nobody takes a half copy for a whole one. Both, for it is unknown
whether every server takes custom data with the request that makes a project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What the platform's restore writes into a project to tell where it came from.
RESTORED_FROM = "restored_from"
RESTORING = "sv_versioning_being_restored"
# Whose copy it is, where somebody removes it when that one is done.
RESTORED_FOR = "sv_versioning_restored_for"
DRAFT_PREFIX = "[Being restored] "
# Servers limit names, and this one is longer than what was asked for.
_SHOWN = 100
_OF_RESTORES = {RESTORED_FROM, RESTORING, RESTORED_FOR}


def draft_name(name: str, key: str) -> str:
    """Name the project that becomes ``name`` when its restore is done.

    :param key: makes the name one that no other project has.
    """
    return f"{DRAFT_PREFIX}{name[:_SHOWN]} ({key})"


def is_draft(name: str, custom_data: Mapping[str, Any]) -> bool:
    """Say whether a project is being restored, or was left so by a restore that was killed."""
    return RESTORING in custom_data or name.startswith(DRAFT_PREFIX)


def is_restored(custom_data: Mapping[str, Any]) -> bool:
    """Say whether a project is a restored copy, of ours or of the official client's."""
    return RESTORED_FROM in custom_data


def own_custom_data(custom_data: Mapping[str, Any] | None) -> dict[str, Any]:
    """Leave out what restores write into a project's custom data."""
    return {key: value for key, value in (custom_data or {}).items() if key not in _OF_RESTORES}
