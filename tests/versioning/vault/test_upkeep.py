"""Looking after a vault: damage is found, and pruning takes nothing that anybody needs."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import ConfigurationError, FormatError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.audit import check_vault
from airflow_sv_versioning.vault.references import Owner, find_needs, list_needing, remove_needs
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import list_entries
from airflow_sv_versioning.versioning.prune import prune_vault
from tests.support.media import hash_of
from tests.support.projects import backup_of, make_project
from tests.support.types import Client, Run, Versions

FORGOTTEN = b"needed by nobody"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


@pytest.fixture
def kept(versions: Versions, client: Client, photos: list[Path], vault: Vault) -> list[int]:
    """Two versioned projects whose originals are in the vault, one of which they share."""
    projects = [make_project(client, photos[:2]), make_project(client, photos[1:3])]
    for project_id in projects:
        versions.create(project_id, vault=vault)
    return projects


def file_of(vault: Vault, content: bytes, tmp_path: Path) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    return tmp_path / "vault" / "media" / digest[:2] / digest


def prune(client, vault, *project_ids, **options):
    return prune_vault(client, vault, project_ids, progress=Progress(), **options)


def test_a_whole_vault_is_found_good(kept: list[int], vault: Vault, photos: list[Path]):
    checked = check_vault(vault, Progress())

    assert checked.is_good
    assert (checked.media, checked.size_bytes) == (3, sum(photo.stat().st_size for photo in photos[:3]))


def test_an_address_without_a_vault_is_not_found_good(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="no vault"):
        check_vault(Vault(tmp_path / "typo"), Progress())


def test_a_flipped_bit_is_found_and_healed_by_the_next_version(
    kept: list[int], vault: Vault, photos: list[Path], tmp_path: Path, versions: Versions
):
    content = photos[0].read_bytes()
    file = file_of(vault, content, tmp_path)
    damaged = bytearray(content)
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)

    assert list(check_vault(vault, Progress()).damaged) == [hash_of(content)]
    assert check_vault(vault, Progress(), set_aside=True).set_aside
    assert (tmp_path / "vault" / "damaged" / file.name).read_bytes() == damaged
    assert backup_of(versions.create(kept[0], vault=vault)).copied == 1
    assert check_vault(vault, Progress()).is_good


def test_a_content_that_a_version_needs_and_the_vault_lost_is_found(
    kept: list[int], vault: Vault, photos: list[Path], tmp_path: Path
):
    file_of(vault, photos[0].read_bytes(), tmp_path).unlink()

    absent = check_vault(vault, Progress()).absent

    assert list(absent) == [hash_of(photos[0].read_bytes())]
    assert f"project {kept[0]} of" in absent[hash_of(photos[0].read_bytes())]


def test_a_truncated_content_is_found(kept: list[int], vault: Vault, photos: list[Path], tmp_path: Path):
    file = file_of(vault, photos[2].read_bytes(), tmp_path)
    file.write_bytes(file.read_bytes()[:-1])

    assert list(check_vault(vault, Progress()).damaged) == [hash_of(photos[2].read_bytes())]


def test_pruning_removes_what_no_version_needs(kept: list[int], vault: Vault, client: Client):
    vault.add([FORGOTTEN])

    result = prune(client, vault, *kept)

    # Two archives, and three originals.
    assert (result.removed, result.removed_bytes, result.kept) == (1, len(FORGOTTEN), 5)
    assert not vault.holds(hash_of(FORGOTTEN))
    assert check_vault(vault, Progress()).is_good
    assert prune(client, vault, *kept).removed == 0


def test_a_plan_says_the_same_and_removes_nothing(kept: list[int], vault: Vault, client: Client):
    vault.add([FORGOTTEN])

    said = prune(client, vault, *kept, plan_only=True)

    assert vault.holds(hash_of(FORGOTTEN))
    done = prune(client, vault, *kept)
    assert (said.removed, said.removed_bytes, said.kept) == (done.removed, done.removed_bytes, done.kept)
    assert (said.plan_only, done.plan_only) == (True, False)


def test_projects_that_are_not_named_lose_nothing(kept: list[int], vault: Vault, client: Client, photos):
    other_server = Owner("elsewhere.example", 1)
    vault.add([b"theirs"])
    vault.write_file(
        "projects/elsewhere.example/1/5.jsonl", [json.dumps({"hash": hash_of(b"theirs")}).encode() + b"\n"]
    )

    result = prune(client, vault, kept[0])

    assert result.removed == 0
    assert result.others == tuple(map(str, sorted([Owner.of(client.server_url, kept[1]), other_server])))
    assert check_vault(vault, Progress()).is_good


def test_what_only_a_version_needed_that_is_gone_is_removed(kept: list[int], vault: Vault, client: Client):
    owner = Owner.of(client.server_url, kept[0])
    vault.add([FORGOTTEN])
    name = f"projects/{owner.server}/{owner.project_id}/999999.jsonl"
    vault.write_file(name, [json.dumps({"hash": hash_of(FORGOTTEN)}).encode() + b"\n"])

    assert prune(client, vault, kept[1]).removed == 0
    assert prune(client, vault, kept[0], plan_only=True).removed == 1
    assert find_needs(vault, owner, 999999) is not None
    assert prune(client, vault, kept[0]).removed == 1
    assert find_needs(vault, owner, 999999) is None


def test_a_version_made_without_the_vault_keeps_what_it_needs(
    versions: Versions, client: Client, photos: list[Path], vault: Vault
):
    project_id = make_project(client, photos[:2])
    versions.create(project_id)
    for photo in photos[:3]:
        vault.add([photo.read_bytes()])

    result = prune(client, vault, project_id)

    assert (result.removed, result.kept) == (1, 2)
    assert not vault.holds(hash_of(photos[2].read_bytes()))


def test_a_project_that_cannot_be_seen_is_not_taken_for_one_without_versions(
    kept: list[int], vault: Vault, client: Client
):
    client.projects.archive(kept[0])

    with pytest.raises(ConfigurationError, match="forget"):
        prune(client, vault, *kept)

    assert check_vault(vault, Progress()).media == 3
    assert prune(client, vault, kept[1]).removed == 0


def test_what_is_left_of_a_project_that_is_gone_stays_where_it_is_whole(
    kept: list[int], vault: Vault, client: Client
):
    owner = Owner.of(client.server_url, kept[0])
    client.projects.archive(kept[0])

    assert prune(client, vault, kept[1], forget=[kept[0]]).removed == 0
    [entry] = list_entries(vault, owner)
    assert check_vault(vault, Progress()).is_good

    vault.remove_file(entry.name(owner))
    # Its archive, and the original that it does not share.
    assert prune(client, vault, kept[1], forget=[kept[0]]).removed == 2
    assert list_needing(vault, owner) == []


def test_a_version_of_unknown_needs_stops_a_prune(kept: list[int], vault: Vault, client: Client):
    owner = Owner.of(client.server_url, kept[0])
    [entry] = list_entries(vault, owner)
    remove_needs(vault, owner, entry.version_id)

    for project_ids in (kept, kept[1:]):
        with pytest.raises(FormatError, match=f"ids {entry.version_id}"):
            prune(client, vault, *project_ids)

    assert len(set(vault.iter_hashes())) == 3
    Versions(client).push_to_vault(kept[0], vault)
    assert prune(client, vault, *kept).removed == 0


def test_a_project_that_is_there_is_not_forgotten(kept: list[int], vault: Vault, client: Client):
    with pytest.raises(ConfigurationError, match="still there"):
        prune(client, vault, forget=[kept[0]])

    assert check_vault(vault, Progress()).media == 3


def test_pruning_clears_what_killed_processes_left_long_ago(
    kept: list[int], vault: Vault, client: Client, tmp_path: Path
):
    incoming = tmp_path / "vault" / "incoming"
    for name, age in (("old", 2 * 86_400), ("young", 60)):
        (incoming / name).write_bytes(b"half")
        os.utime(incoming / name, (time.time() - age,) * 2)

    assert prune(client, vault, *kept).abandoned == 1
    assert [file.name for file in incoming.iterdir()] == ["young"]


def test_the_command_line_keeps_checks_and_prunes(run: Run, client: Client, photos, tmp_path):
    project_id = make_project(client, photos[:2])
    folder = tmp_path / "vault"

    code, out, _ = run("create", project_id, "--vault", folder)
    assert (code, "2 media copied" in out) == (0, True)
    assert run("vault", "verify", folder)[0] == 0
    Vault(folder).add([FORGOTTEN])
    code, out, _ = run("vault", "prune", folder, "--project-ids", project_id, "--plan-only", "--json")
    assert (code, json.loads(out)["removed"]) == (0, 1)
    code, out, _ = run("vault", "prune", folder, "--project-ids", project_id)
    assert out.splitlines()[1].split() == ["removed", "1", str(len(FORGOTTEN))]
    file_of(Vault(folder), photos[0].read_bytes(), tmp_path).write_bytes(b"other")
    code, out, _ = run("vault", "verify", folder)
    assert (code, "damaged" in out) == (3, True)
    code, out, _ = run("vault", "verify", folder, "--json")
    assert (code, json.loads(out)["damaged_count"]) == (3, 1)


def test_pruning_without_naming_a_project_is_refused(run: Run, tmp_path: Path):
    assert run("vault", "prune", tmp_path)[0] == 2
