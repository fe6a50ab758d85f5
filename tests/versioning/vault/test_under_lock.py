"""A vault in a bucket that keeps what it got: all goes on, and nothing is written twice."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.audit import check_vault
from airflow_sv_versioning.vault.backends import SPOOL_BYTES
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import iter_versions
from tests.support.buckets import s3_path
from tests.support.locking_server import make_locked_bucket
from tests.support.media import hash_of
from tests.support.projects import add_dataset, backup_of, make_project, touch
from tests.support.types import Client, Request, Versions


@pytest.fixture
def bucket(locking_s3: Any, request: Request) -> str:
    name = request.node.name.replace("_", "-").removeprefix("test-")[:60]
    make_locked_bucket(locking_s3, name)
    return name


@pytest.fixture
def vault(locking_s3: Any, bucket: str) -> Vault:
    return Vault(s3_path(locking_s3, f"s3://{bucket}/vault"))


def count_writes(s3: Any, bucket: str) -> Counter[str]:
    """Count how often each object was written, but for those that change."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    names = [entry["Key"].removeprefix("vault/") for page in pages for entry in page.get("Versions", [])]
    return Counter(name for name in names if not name.startswith("state/"))


def test_versions_are_made_and_completed(
    versions: Versions, client: Client, locking_s3: Any, bucket: str, vault: Vault, photos: list[Path]
):
    project_id = make_project(client, photos[:2])
    versions.create(project_id, vault=vault)
    versions.create(project_id, vault=vault)
    add_dataset(client, project_id, "more", photos[2:3])
    versions.create(project_id)
    touch(client, project_id)
    assert backup_of(versions.create(project_id, vault=vault)).copied == 1
    assert versions.push_to_vault(project_id, vault).is_whole

    assert [held.version_num for held in iter_versions(vault)] == [1, 2, 3]
    assert check_vault(vault, Progress()).is_good
    assert set(count_writes(locking_s3, bucket).values()) == {1}


def test_what_nobody_needs_is_hidden_and_may_come_back(
    versions: Versions, client: Client, locking_s3: Any, bucket: str, vault: Vault, photos: list[Path]
):
    vault.prepare()
    content = photos[3].read_bytes()
    vault.add([content])

    versions.prune_vault(vault, [make_project(client, photos[:1])])
    hidden = not vault.holds(hash_of(content))
    made = versions.create(make_project(client, photos[3:4]), vault=vault)

    assert backup_of(made).copied == hidden
    assert vault.check(hash_of(content)) == len(content)


def test_a_large_original_goes_up_in_parts_and_once(locking_s3: Any, bucket: str, vault: Vault):
    large = os.urandom(3 * SPOOL_BYTES)

    for _ in range(2):
        assert vault.put(hash_of(large), [large]) == len(large)

    assert set(count_writes(locking_s3, bucket).values()) == {1}
    assert vault.check(hash_of(large)) == len(large)
