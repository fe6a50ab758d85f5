"""The versions that a vault holds whole: what is there of them, in which order, and what brings it there."""

import hashlib
import json
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    FormatError,
    IntegrityError,
    RequestRejectedError,
    VaultError,
    VersionNotFoundError,
)
from airflow_sv_versioning.vault.pulling import pull_archive
from airflow_sv_versioning.vault.references import Owner, find_needs
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import (
    VaultVersionRef,
    find_version,
    iter_versions,
    list_entries,
)
from tests.support.media import hash_of, serve_media
from tests.support.projects import add_dataset, add_link, backup_of, make_project, touch
from tests.support.proxy import refuse
from tests.support.types import Client, Server, Versions, Wire


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(root: Path) -> Vault:
    return Vault(root)


@pytest.fixture
def owner(server: Server, project_id: int) -> Owner:
    return Owner.of(server.url, project_id)


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] != "state"
    }


def test_a_version_is_there_with_archive_and_manifest(
    versions: Versions, client: Client, vault: Vault, owner: Owner, tmp_path: Path, photos: list[Path]
):
    made = versions.create(owner.project_id, vault=vault)

    assert made.vault_version == f"{owner.server}/{owner.project_id}/1"
    [held] = iter_versions(vault)
    assert (held.key, held.version_id, held.title) == (made.vault_version, made.version_id, made.title)
    assert (held.archive_sha256, held.archive_size_bytes) == (made.archive_sha256, made.archive_size_bytes)
    assert (held.counts, held.content_digest) == (made.counts, made.content_digest)
    assert (held.media_count, held.lost_count, held.vault_contents) == (3, 0, "all")
    assert held.created_at == versions.get_info_by_id(owner.project_id, made.version_id).created_at
    needs = find_needs(vault, owner, made.version_id)
    assert needs
    assert needs.archives == {made.archive_sha256}
    assert needs.contents() == {hash_of(photo.read_bytes()) for photo in photos[:3]}
    pull_archive(vault, held, tmp_path / "pulled")
    client.files.download(client.projects.get(owner.project_id).team_id, made.archive_path, tmp_path / "own")
    assert (tmp_path / "pulled").read_bytes() == (tmp_path / "own").read_bytes()


def test_an_unchanged_project_costs_seven_requests_and_one_listing(
    wired: Versions, vault: Vault, root: Path, owner: Owner, wire: Wire, monkeypatch: pytest.MonkeyPatch
):
    wired.create(owner.project_id, vault=vault, as_server=owner.server)
    before, listed = files(root), []
    listing = vault.backend.list_folder

    def list_folder(folder):
        listed.append(folder)
        return listing(folder)

    monkeypatch.setattr(vault.backend, "list_folder", list_folder)
    asked = len(wire.requests)

    again = wired.create(owner.project_id, vault=vault, as_server=owner.server)

    assert (again.created, again.vault_version) == (False, f"{owner.server}/{owner.project_id}/1")
    assert (backup_of(again).copied, backup_of(again).present) == (0, 3)
    assert len(wire.requests) - asked <= 7
    assert listed == [f"versions/{owner.server}/{owner.project_id}"]
    assert files(root) == before


def test_nothing_is_written_twice(versions: Versions, client: Client, vault: Vault, root: Path, owner: Owner):
    versions.create(owner.project_id, vault=vault)
    before = files(root)
    touch(client, owner.project_id)
    versions.create(owner.project_id, vault=vault)
    versions.push_to_vault(owner.project_id, vault)

    after = files(root)
    assert {name: after[name] for name in before} == before
    added = sorted(name.split("/")[0] for name in after.keys() - before.keys())
    assert added == ["archives", "projects", "versions"]


def test_archives_alone_and_their_originals_later(versions: Versions, vault: Vault, root: Path, owner: Owner):
    made = versions.create(owner.project_id, vault=vault, vault_contents="archives")

    assert made.media is None
    assert not (root / "media").exists()
    again = versions.create(owner.project_id, vault=vault, vault_contents="archives")
    assert (again.vault_version, again.media) == (made.vault_version, None)

    whole = versions.create(owner.project_id, vault=vault)
    assert (whole.version_id, backup_of(whole).copied) == (made.version_id, 3)
    [held] = iter_versions(vault)
    assert (held.vault_contents, held.media_count) == ("all", 3)
    assert [entry.revision for entry in list_entries(vault, owner)] == [2]
    assert versions.create(owner.project_id, vault=vault, vault_contents="archives").vault_version
    assert [entry.revision for entry in list_entries(vault, owner)] == [2]


@pytest.mark.parametrize("prefix", ["media", "archives", "projects", "versions"])
def test_a_vault_that_fails_is_completed_by_the_next_try(
    versions: Versions,
    vault: Vault,
    root: Path,
    owner: Owner,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
):
    create = vault.backend.create

    def fail(chunks, name):
        if name().startswith(prefix):
            raise OSError("the disk is gone")
        return create(chunks, name)

    with monkeypatch.context() as patched:
        patched.setattr(vault.backend, "create", fail)
        with pytest.raises(VaultError, match="the disk is gone"):
            versions.create(owner.project_id, vault=vault)

    assert list(iter_versions(vault)) == []
    there = versions.get_list(owner.project_id)
    assert len(there) == (1 if prefix == "versions" else 0)
    made = versions.create(owner.project_id, vault=vault)
    assert made.created == (prefix != "versions")
    assert [held.version_id for held in iter_versions(vault)] == [made.version_id]


def test_a_version_that_is_not_made_leaves_nothing_but_originals(
    wired: Versions, wire: Wire, vault: Vault, root: Path, owner: Owner
):
    wire.on("projects.versions.commit", refuse(400))
    with pytest.raises(RequestRejectedError):
        wired.create(owner.project_id, vault=vault)

    assert {name.split("/")[0] for name in files(root)} == {"media", "vault.json"}


def test_older_versions_are_pushed(
    versions: Versions, client: Client, vault: Vault, owner: Owner, photos: list[Path]
):
    versions.create(owner.project_id, title="first")
    add_dataset(client, owner.project_id, "more", photos[3:4])
    versions.create(owner.project_id, title="second")

    result = versions.push_to_vault(owner.project_id, vault)

    assert result.is_whole
    assert [pushed.vault_version for pushed in result.versions] == [
        f"{owner.server}/{owner.project_id}/{num}" for num in (1, 2)
    ]
    assert [held.title for held in iter_versions(vault)] == ["first", "second"]
    assert [held.media_count for held in iter_versions(vault)] == [3, 4]
    again = versions.push_to_vault(owner.project_id, vault, [1])
    assert [pushed.media.copied for pushed in again.versions if pushed.media] == [0]


def test_a_version_without_archive_is_named_and_the_others_are_pushed(
    versions: Versions, client: Client, vault: Vault, owner: Owner
):
    gone = versions.create(owner.project_id)
    touch(client, owner.project_id)
    versions.create(owner.project_id)
    client.files.remove(client.projects.get(owner.project_id).team_id, gone.archive_path)

    result = versions.push_to_vault(owner.project_id, vault)

    assert not result.is_whole
    lost, pushed = result.versions
    assert "is not in Team Files any more" in (lost.error or "")
    assert (lost.vault_version, pushed.error) == (None, None)
    assert [held.version_num for held in iter_versions(vault)] == [2]


def test_two_servers_share_a_vault_and_one_that_moved_keeps_its_name(
    versions: Versions, client: Client, vault: Vault, owner: Owner, photos: list[Path]
):
    other_id = make_project(client, photos[:1])
    versions.create(owner.project_id, vault=vault)
    moved = versions.create(other_id, vault=vault, as_server="Old.Example.com:8080")

    assert moved.vault_version == f"old.example.com_8080/{other_id}/1"
    assert {held.server for held in iter_versions(vault)} == {owner.server, "old.example.com_8080"}
    with pytest.raises(ConfigurationError, match="names no server"):
        versions.create(other_id, vault=vault, as_server="../up")


def test_a_version_is_meant_by_number_or_latest(
    versions: Versions, client: Client, vault: Vault, owner: Owner
):
    versions.create(owner.project_id, vault=vault)
    touch(client, owner.project_id)
    versions.create(owner.project_id, vault=vault)

    place = f"{owner.server}/{owner.project_id}"
    for text, num in ((f"{place}/1", 1), (f"{place}/latest", 2), ("latest", 2)):
        assert VaultVersionRef.parse(text).find(vault, owner).version_num == num
    host = owner.server.replace("_", ":")
    assert VaultVersionRef.parse(f"{host}/{owner.project_id}/1").find(vault).version_num == 1
    with pytest.raises(VersionNotFoundError, match=r"no version 7.*it holds 1, 2"):
        VaultVersionRef.parse(f"{place}/7").find(vault)
    with pytest.raises(ConfigurationError, match="Say of which project"):
        VaultVersionRef.parse("latest").find(vault)


@pytest.mark.parametrize(
    "text", ["", "3", "42/3", "host/42/first", "host/x/3", "../42/3", "a/b/42/3", "/42/3"]
)
def test_what_names_no_version_is_refused(text):
    with pytest.raises(ConfigurationError):
        VaultVersionRef.parse(text)


@pytest.mark.parametrize(
    "change",
    [
        {"version_num": 9},
        {"server": "other"},
        {"archive_sha256": "../../etc/passwd"},
        {"archive_sha256": None},
        {"counts": {"images": "many"}},
        {"vault_contents": "some"},
        "no object",
    ],
)
def test_a_manifest_that_says_something_else_is_refused(
    versions: Versions, vault: Vault, root: Path, owner: Owner, change
):
    versions.create(owner.project_id, vault=vault)
    [file] = root.glob("versions/*/*/*.json")
    manifest = json.loads(file.read_text())
    file.write_text(json.dumps({**manifest, **change} if isinstance(change, dict) else change))

    with pytest.raises(FormatError, match=file.name):
        find_version(vault, owner)


def test_a_manifest_tells_what_is_lost_until_it_is_there(
    versions: Versions, client: Client, vault: Vault, photos: list[Path]
):
    project_id = make_project(client, photos[:1])
    with serve_media(photos[1].read_bytes()) as media:
        add_link(client, project_id, media.url)
        media.status = 404
        made = versions.create(project_id, vault=vault)
        assert [(held.media_count, held.lost_count) for held in iter_versions(vault)] == [(1, 1)]
        media.status = 200
        versions.create(project_id, vault=vault)

    [held] = iter_versions(vault)
    assert (held.version_id, held.media_count, held.lost_count) == (made.version_id, 2, 0)
    needs = find_needs(vault, held.owner, made.version_id)
    assert needs
    assert (needs.record.lost, len(needs.contents())) == ({}, 2)


def test_a_pulled_archive_is_proved_and_never_replaces_a_file(
    versions: Versions, vault: Vault, root: Path, owner: Owner, tmp_path: Path
):
    versions.create(owner.project_id, vault=vault)
    [held] = iter_versions(vault)
    archive = root / "archives" / held.archive_sha256
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == held.archive_sha256
    damaged = bytearray(archive.read_bytes())
    damaged[-1] ^= 1
    archive.write_bytes(damaged)

    with pytest.raises(IntegrityError, match="came as"):
        pull_archive(vault, held, tmp_path / "pulled")
    assert not list(tmp_path.glob("*pulled*"))
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(ConfigurationError, match="is there already"):
        pull_archive(vault, held, tmp_path / "mine")
