"""Originals come into a vault before a version is made: by shards, in any order, and again."""

import json
import random
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import CancelledError, ConfigurationError, FormatError, VaultError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.audit import check_vault
from airflow_sv_versioning.vault.locks import pruning
from airflow_sv_versioning.vault.vault import Vault
from tests.support.media import hash_of, serve_media
from tests.support.projects import add_link, backup_of, make_project
from tests.support.types import Client, Run, Versions

SHARDS = 3


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


@pytest.fixture
def project_id(client: Client, photos: list[Path]) -> int:
    return make_project(client, photos)


def filling_files(vault: Vault) -> list[Path]:
    return sorted(Path(vault.url.removeprefix("file://"), "state", "filling").rglob("*.jsonl"))


def test_shards_together_bring_all_and_the_version_finds_it(
    versions: Versions, vault: Vault, project_id: int, photos: list[Path]
):
    numbers = random.Random(5).sample(range(SHARDS), SHARDS)

    filled = [versions.fill_vault(project_id, vault, shards=SHARDS, shard=shard) for shard in numbers]

    assert sum(shard.media.copied for shard in filled) == len(photos)
    assert sum(shard.media.copied_bytes for shard in filled) == sum(len(p.read_bytes()) for p in photos)
    assert all(vault.holds(hash_of(photo.read_bytes())) for photo in photos)
    backup = backup_of(versions.create(project_id, vault=vault))
    assert (backup.copied, backup.present) == (0, len(photos))
    assert check_vault(vault, Progress()).is_good


def test_again_nothing_is_copied(versions: Versions, vault: Vault, project_id: int, photos: list[Path]):
    versions.fill_vault(project_id, vault)

    again = versions.fill_vault(project_id, vault).media

    assert (again.copied, again.present) == (0, len(photos))
    assert len(filling_files(vault)) == 1


def test_one_that_was_stopped_goes_on_where_it_ended(
    versions: Versions, vault: Vault, project_id: int, photos: list[Path]
):
    with pytest.raises(CancelledError):
        versions.fill_vault(project_id, vault, should_stop=lambda: any(vault.iter_media()))

    there = sum(1 for _ in vault.iter_media())
    again = versions.fill_vault(project_id, vault).media
    assert (again.copied, again.present) == (len(photos) - there, there)


def test_no_prune_removes_what_a_fill_brought_for_a_week(
    versions: Versions, vault: Vault, project_id: int, photos: list[Path]
):
    versions.fill_vault(project_id, vault)
    vault.add([b"needed by nobody"])

    assert versions.prune_vault(vault, [project_id]).removed == 1
    assert backup_of(versions.create(project_id, vault=vault)).copied == 0
    for file in filling_files(vault):
        since, *rest = file.read_bytes().splitlines(keepends=True)
        older = json.dumps({"since": json.loads(since)["since"] - 7 * 86_400})
        file.write_bytes(older.encode() + b"\n" + b"".join(rest))
    assert versions.prune_vault(vault, [project_id]).removed == 0
    assert filling_files(vault) == []


def test_after_a_week_without_a_version_it_goes(versions: Versions, vault: Vault, project_id: int, photos):
    versions.fill_vault(project_id, vault)
    for file in filling_files(vault):
        file.write_bytes(b'{"since": 1}\n' + b"".join(file.read_bytes().splitlines(keepends=True)[1:]))

    assert versions.prune_vault(vault, [project_id], plan_only=True).removed == len(photos)
    assert len(filling_files(vault)) == 1
    assert versions.prune_vault(vault, [project_id]).removed == len(photos)


@pytest.mark.parametrize("content", [b"?", b"{}", b"[]", b'{"since": []}', b"\xff"])
def test_a_file_that_nobody_understands_stops_a_prune(
    versions: Versions, vault: Vault, project_id: int, content: bytes
):
    versions.fill_vault(project_id, vault)
    (file,) = filling_files(vault)
    file.write_bytes(content)

    with pytest.raises(FormatError, match=file.name):
        versions.prune_vault(vault, [project_id])
    assert check_vault(vault, Progress()).is_good


def test_a_fill_waits_for_a_prune(versions: Versions, vault: Vault, project_id: int):
    with pruning(vault), pytest.raises(VaultError, match="being pruned"):
        versions.fill_vault(project_id, vault, busy_timeout_seconds=0)

    assert list(vault.iter_media()) == []


def test_links_are_left_to_the_version(versions: Versions, vault: Vault, client: Client, photos):
    project_id = make_project(client, photos[:1])
    with serve_media(photos[1].read_bytes()) as media:
        add_link(client, project_id, media.url)

    filled = versions.fill_vault(project_id, vault).media

    assert (filled.copied, filled.lost) == (1, {})


@pytest.mark.parametrize(
    "arguments", [{"shards": 0}, {"shards": 2, "shard": 2}, {"shard": -1}, {"shards": "x"}]
)
def test_what_is_no_shard_is_refused(versions: Versions, vault: Vault, project_id: int, arguments):
    with pytest.raises(ConfigurationError, match="shard"):
        versions.fill_vault(project_id, vault, **arguments)


def test_the_command_line_fills(run: Run, vault: Vault, project_id: int, photos: list[Path], tmp_path: Path):
    place = tmp_path / "vault"
    code, out, _ = run("vault", "fill", place, project_id, "--shards", 2, "--shard", 1, "--json")
    first = json.loads(out)
    assert (code, first["shards"], first["shard"], first["lost_count"]) == (0, 2, 1, 0)
    code, out, _ = run("vault", "fill", place, project_id)
    assert (code, f"{first['copied']} present" in out) == (0, True)
    assert run("vault", "fill", place, project_id, "--shards", 2, "--shard", 2)[0] == 2
