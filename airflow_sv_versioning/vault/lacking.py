"""Versions that a check found to be lacking something, noted so that the next run completes them.

A note lies in ``state/lacking/<server>/<project id>/<version id>.json`` until the version is whole again.
Without it nobody would look: a version whose manifest is there is taken for whole.
"""

from __future__ import annotations

import json

from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault

_LACKING = "state/lacking"


def note_lacking(vault: Vault, owner: Owner, version_id: int, why: str) -> None:
    """Note that a version lacks something."""
    vault.write_file(_name(owner, version_id), [json.dumps({"why": why}).encode()])


def is_lacking(vault: Vault, owner: Owner, version_id: int) -> bool:
    """Say whether a check found that a version lacks something."""
    return vault.find_file_size(_name(owner, version_id)) is not None


def settle_lacking(vault: Vault, owner: Owner, version_id: int) -> None:
    """Take a note back: the version is whole."""
    vault.remove_file(_name(owner, version_id))


def _name(owner: Owner, version_id: int) -> str:
    return f"{_LACKING}/{owner.server}/{owner.project_id}/{version_id}.json"
