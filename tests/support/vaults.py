"""Versions in vaults, made without a project's content: only what a vault keeps of them."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.trash import list_trashed
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import VaultVersion, write_version


def put_version(
    vault: Vault,
    owner: Owner,
    version_num: int,
    created_at: datetime | str,
    contents: Sequence[bytes] = (),
    **members: Any,
) -> VaultVersion:
    """Have a vault hold a version whole: an archive of its own, and originals of these bytes.

    :returns: the version, whose id is its number and a thousand times the project's id.
    """
    archive = f"archive {version_num} of {owner}".encode()
    sha256 = hashlib.sha256(archive).hexdigest()
    version = VaultVersion(
        server=owner.server,
        project_id=owner.project_id,
        project_name="lemons",
        project_type="images",
        version_id=members.pop("version_id", owner.project_id * 1000 + version_num),
        version_num=version_num,
        title=members.pop("title", "nightly"),
        description="",
        created_at=created_at if isinstance(created_at, str) else created_at.isoformat(),
        archive_sha256=sha256,
        archive_size_bytes=len(archive),
        archive_format="v2.1.0",
        vault_contents="all",
        media_count=len(contents),
        **members,
    )
    vault.put_archive(sha256, [archive], len(archive))
    lines = [{"archive": sha256}, *({"hash": vault.add([content]).content_hash} for content in contents)]
    vault.create_file(
        f"projects/{owner.server}/{owner.project_id}/{version.version_id}.jsonl",
        [json.dumps(line).encode() + b"\n" for line in lines],
    )
    write_version(vault, version)
    return version


def in_trash_for(days: int, vault: Vault, owner: Owner) -> None:
    """Have all that is in the trash be there for so long."""
    since = now().subtract(days=days).to_iso8601_string()
    for trashed in list_trashed(vault, owner):
        name = f"{trashed.version_num}-{trashed.version_id}.json"
        older = msgspec.json.encode(msgspec.structs.replace(trashed, trashed_at=since))
        vault.write_file(f"state/trash/{owner.server}/{owner.project_id}/{name}", [older])
