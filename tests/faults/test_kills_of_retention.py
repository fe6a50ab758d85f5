"""Retention, a prune and what comes back from the trash, killed after everything that they write.

At any moment a version whose manifest is there has all that it needs, and so has one that may be brought
back; and the same call, made again, ends what was begun.
"""

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.vault.references import Owner, find_needs
from airflow_sv_versioning.vault.trash import list_trashed
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import VaultVersion, iter_versions, list_entries
from airflow_sv_versioning.versioning.retention.plan import RetentionPlan
from tests.support.projects import make_project
from tests.support.types import Client, Versions
from tests.support.vaults import in_trash_for, put_version


class Killed(BaseException):
    """The process ends here: nothing catches it."""


class Mortal:
    """A backend whose process is killed after its n-th write or removal."""

    def __init__(self, backend: Any, number: int) -> None:
        self._backend = backend
        self._number = number

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)
        return self._counted(method) if name in {"write", "create", "remove", "move"} else method

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            # A dead process cleans nothing up either.
            result = method(*arguments) if self._number > 0 else None
            self._number -= 1
            if self._number <= 0:
                raise Killed
            return result

        return counted


@pytest.fixture
def owner(client: Client) -> Owner:
    return Owner.of(client.server_url, make_project(client, []))


def filled(folder: Path, owner: Owner) -> Vault:
    vault = Vault(folder)
    for number in range(1, 6):
        contents = [b"shared", b"only in " + b"x" * number]
        put_version(vault, owner, number, now().subtract(days=60 - number), contents)
    return vault


def is_killed(folder: Path, number: int, act: Callable[[Vault], object]) -> bool:
    """Do something that is killed after its n-th write; says whether it came so far."""
    vault = Vault(folder)
    vault.backend = Mortal(vault.backend, number)
    try:
        act(vault)
    except Killed:
        return True
    return False


def lacking(vault: Vault, owner: Owner) -> list[int]:
    """List versions that are there, or may come back, and lack something of what they need."""
    versions = [*iter_versions(vault, [owner])]
    versions += [trashed.version(vault, owner) for trashed in list_trashed(vault, owner) if trashed.is_young]
    return [version.version_num for version in versions if not is_whole(vault, owner, version)]


def is_whole(vault: Vault, owner: Owner, version: VaultVersion) -> bool:
    needs = find_needs(vault, owner, version.version_id)
    if needs is None or vault.find_archive_size(version.archive_sha256) is None:
        return False
    return vault.find_sizes(needs.contents()).keys() == needs.contents()


def plan(versions: Versions, vault: Vault, owner: Owner) -> RetentionPlan:
    return versions.plan_retention(owner.project_id, vault=vault, policy={"keep_last": 3})


def applying(versions: Versions, planned: RetentionPlan) -> Callable[[Vault], object]:
    return lambda vault: versions.apply_retention(planned, vault=vault)


def present(vault: Vault, owner: Owner) -> list[int]:
    return [entry.version_num for entry in list_entries(vault, owner)]


def test_a_killed_retention_loses_nothing_and_goes_on(versions: Versions, owner: Owner, tmp_path: Path):
    for number in count(1):
        folder = tmp_path / str(number)
        planned = plan(versions, vault := filled(folder, owner), owner)
        was_killed = is_killed(folder, number, applying(versions, planned))

        assert lacking(vault, owner) == []
        assert versions.apply_retention(planned, vault=vault).removed_nums == (2, 1)
        assert (present(vault, owner), lacking(vault, owner)) == ([3, 4, 5], [])
        if not was_killed:
            break
    # Two manifests are copied to the trash, and two removed.
    assert number == 5


@pytest.fixture
def thinned(versions: Versions, owner: Owner, tmp_path: Path) -> Path:
    """A vault with two of five versions in its trash."""
    vault = filled(tmp_path / "thinned", owner)
    versions.apply_retention(plan(versions, vault, owner), vault=vault)
    return tmp_path / "thinned"


def test_a_killed_prune_takes_nothing_that_is_needed_and_goes_on(
    versions: Versions, owner: Owner, thinned: Path, tmp_path: Path
):
    in_trash_for(7, Vault(thinned), owner)
    for number in count(1):
        folder = Path(shutil.copytree(thinned, tmp_path / str(number)))
        was_killed = is_killed(folder, number, lambda v: versions.prune_vault(v, [owner.project_id]))

        vault = Vault(folder)
        assert lacking(vault, owner) == []
        vault.remove_file("state/running/prune.json")
        versions.prune_vault(vault, [owner.project_id])
        assert (present(vault, owner), lacking(vault, owner)) == ([3, 4, 5], [])
        assert len([*vault.iter_contents()]) == 3 + 3 + 1
        if not was_killed:
            break
    # Its turn, two archives, two contents, what two versions needed, and the turn again.
    assert number == 9


def test_what_comes_back_is_whole_at_once_and_nothing_where_that_is_killed(
    versions: Versions, owner: Owner, thinned: Path, tmp_path: Path
):
    version = f"{owner.server}/{owner.project_id}/2"
    for number in count(1):
        folder = Path(shutil.copytree(thinned, tmp_path / str(number)))
        was_killed = is_killed(folder, number, lambda v: versions.undelete_version(v, version))

        vault = Vault(folder)
        assert lacking(vault, owner) == []
        if 2 not in present(vault, owner):
            versions.undelete_version(vault, version)
        assert (present(vault, owner), lacking(vault, owner)) == ([2, 3, 4, 5], [])
        assert [trashed.version_num for trashed in list_trashed(vault, owner)] == [1]
        if not was_killed:
            break
    # Its turn, the manifest, the trash, and the turn again.
    assert number == 5
