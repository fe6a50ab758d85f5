"""A server is lost, its vault is not: versions restored from there on another server."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.cli import main
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import (
    ArchiveMissingError,
    ConfigurationError,
    IntegrityError,
    MissingMediaError,
    VaultError,
    VersionNotFoundError,
)
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.vault.pulling import pull_archive
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import VaultVersion, VaultVersionRef
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.buckets import s3_path, s3_server
from tests.support.locking_server import make_locked_bucket
from tests.support.media import serve_media
from tests.support.projects import add_link, leaves_no_project
from tests.support.typed_projects import MAKERS
from tests.support.types import Client, Patch, TempFolders, Versions

_LINKED = "a link"


@dataclass(frozen=True)
class Survived:
    """What is left of a server: its vaults, and how they name the version of each type's project."""

    vaults: dict[str, Vault]
    versions: dict[str, VaultVersion]

    def folder(self) -> Path:
        return Path(self.vaults["folder"].url.removeprefix("file://"))


@pytest.fixture(scope="module")
def survived(tmp_path_factory: TempFolders, photos: list[Path]) -> Iterator[Survived]:
    pytest.importorskip("moto.server")
    folder = tmp_path_factory.mktemp("lost")
    with s3_server("vaults") as s3:
        vaults = {
            "folder": Vault(tmp_path_factory.mktemp("vault")),
            "s3": Vault(s3_path(s3, "s3://vaults/vault")),
        }
        with (
            EmbeddedServer(folder) as running,
            SuperviselyClient(running.info.url, running.info.token, private_links=True) as client,
            serve_media(photos[5].read_bytes(), "image/jpeg") as host,
        ):
            held = {}
            for name, make in {**MAKERS, _LINKED: MAKERS["images"]}.items():
                project_id = make(client, tmp_path_factory.mktemp("made"))
                client.projects.edit(project_id, description=f"Of {name}")
                if name == _LINKED:
                    add_link(client, project_id, host.url)
                for vault in vaults.values():
                    made = ProjectVersions(client).create(project_id, vault=vault)
                    held[name] = VaultVersionRef.parse(str(made.vault_version)).find(vault)
        shutil.rmtree(folder)
        yield Survived(vaults, held)


@pytest.fixture(scope="module")
def target(tmp_path_factory: TempFolders) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("target")) as running:
        yield running


@pytest.fixture
def client(target: EmbeddedServer) -> Iterator[Client]:
    with SuperviselyClient(target.info.url, target.info.token) as connected:
        yield connected


@pytest.fixture
def versions(client: Client) -> Versions:
    return ProjectVersions(client)


@pytest.fixture
def broken(survived: Survived, tmp_path: Path) -> Vault:
    """A copy of the vault to break."""
    shutil.copytree(survived.folder(), tmp_path / "broken")
    return Vault(tmp_path / "broken")


def restore(versions: Versions, vault: Vault, held: VaultVersion, **arguments: Any):
    arguments = {"workspace_id": 1, **arguments}
    return versions.restore(vault=vault, vault_version=held.key, verify="full", **arguments)


def expect_same(versions: Versions, vault: Vault, held: VaultVersion, project_id: int, folder: Path) -> None:
    pull_archive(vault, held, folder / "version.tar.zst")
    diff = versions.compare(project_id, folder / "version.tar.zst", "live")
    assert not diff.items.changed
    assert not diff.items.removed
    assert versions.create(project_id).content_digest == held.content_digest


@pytest.mark.parametrize("place", ["folder", "s3"])
@pytest.mark.parametrize("what", MAKERS)
def test_a_project_of_a_lost_server_is_as_it_was(
    versions: Versions, client: Client, survived: Survived, what: str, place: str, tmp_path: Path
):
    vault, held = survived.vaults[place], survived.versions[what]

    result = restore(versions, vault, held)

    assert (result.source_server, result.vault_version) == (held.server, held.key)
    assert result.counts == held.counts
    assert any(held.server in warning for warning in result.warnings)
    project = client.projects.get(result.project_id)
    assert project.custom_data["restored_from"] == {
        "server": held.server, "project_id": held.project_id, "version_num": 1, "version_id": held.version_id,
    }  # fmt: skip
    assert str(project.description).endswith(f"\n\nOf {what}")
    expect_same(versions, vault, held, result.project_id, tmp_path)


def test_a_plan_uploads_nothing_and_a_second_restore_only_what_is_lacking(
    versions: Versions, survived: Survived, tmp_path: Path
):
    vault, held = survived.vaults["folder"], survived.versions["images"]
    with (
        EmbeddedServer(tmp_path / "empty") as empty,
        SuperviselyClient(empty.info.url, empty.info.token) as own,
    ):
        elsewhere = ProjectVersions(own)
        plan = elsewhere.plan_restore(vault=vault, vault_version=held.key, workspace_id=1)
        assert (plan.is_possible, plan.source_server) == (True, held.server)
        assert {item.action for item in plan.missing} == {"reupload"}
        assert len(plan.missing) == held.counts["images"]
        assert len(restore(elsewhere, vault, held).reuploaded) == held.counts["images"]
        assert restore(elsewhere, vault, held).reuploaded == ()


def test_what_was_behind_a_dead_link_comes_out_of_the_vault(target: EmbeddedServer, survived: Survived):
    held = survived.versions[_LINKED]

    with SuperviselyClient(target.info.url, target.info.token, private_links=True) as client:
        result = restore(ProjectVersions(client), survived.vaults["folder"], held)

    assert len(result.unlinked) == 1
    assert result.counts == held.counts


def test_a_part_goes_into_a_project_that_is_there(versions: Versions, client: Client, survived: Survived):
    vault, held = survived.vaults["folder"], survived.versions["images"]
    whole = restore(versions, vault, held)
    name = next(iter(client.datasets.list_all(whole.project_id))).name

    result = restore(
        versions, vault, held, workspace_id=None, into=whole.project_id,
        selection={"datasets": [name]}, on_conflict="rename",
    )  # fmt: skip

    assert result.project_id == whole.project_id
    assert result.counts["images"] > 0


def test_a_bucket_under_lock_serves(versions: Versions, survived: Survived, locking_s3: Any, tmp_path: Path):
    make_locked_bucket(locking_s3, "elsewhere")
    root = survived.folder()
    for file in (path for path in root.rglob("*") if path.is_file()):
        locking_s3.put_object(
            Bucket="elsewhere", Key=f"vault/{file.relative_to(root)}", Body=file.read_bytes(),
            ChecksumAlgorithm="SHA256",
        )  # fmt: skip
    vault, held = Vault(s3_path(locking_s3, "s3://elsewhere/vault")), survived.versions["images"]

    expect_same(versions, vault, held, restore(versions, vault, held).project_id, tmp_path)


def test_a_damaged_or_absent_archive_makes_nothing(
    versions: Versions, client: Client, survived, broken: Vault
):
    held = survived.versions["images"]
    root = Path(broken.url.removeprefix("file://"))
    archive = root / "archives" / held.archive_sha256
    content = archive.read_bytes()
    with leaves_no_project(client):
        archive.chmod(0o600)
        archive.write_bytes(content[:-1] + b"\0")
        with pytest.raises(IntegrityError):
            restore(versions, broken, held)
        archive.unlink()
        with pytest.raises(ArchiveMissingError, match=held.archive_sha256):
            restore(versions, broken, held)
        shutil.rmtree(root)
        with pytest.raises(VersionNotFoundError, match="holds no version 1"):
            restore(versions, broken, held)


def test_originals_that_neither_has_are_named_or_left_out(survived: Survived, broken: Vault, tmp_path: Path):
    held = survived.versions["images"]
    root = Path(broken.url.removeprefix("file://"))
    shutil.rmtree(root / "media")
    with (
        EmbeddedServer(tmp_path / "empty") as empty,
        SuperviselyClient(empty.info.url, empty.info.token) as own,
    ):
        elsewhere = ProjectVersions(own)
        with leaves_no_project(own), pytest.raises(MissingMediaError, match="does not hold its original"):
            restore(elsewhere, broken, held)
        shutil.copytree(survived.folder() / "media", root / "media")
        some = restore(elsewhere, broken, held, project_name="whole").reuploaded
        assert len(some) == held.counts["images"]
    with (
        EmbeddedServer(tmp_path / "other") as empty,
        SuperviselyClient(empty.info.url, empty.info.token) as own,
    ):
        shutil.rmtree(root / "media")
        result = restore(ProjectVersions(own), broken, held, missing_entities="placeholder")
        assert len(result.placeholders) == held.counts["images"]


def test_a_vault_that_goes_mid_way_leaves_nothing(
    survived: Survived, broken: Vault, tmp_path, monkeypatch: Patch
):
    held = survived.versions["images"]
    opened = broken.backend.open

    def refuse_media(name: str):
        if name.startswith("media/"):
            raise OSError("the disk is gone")
        return opened(name)

    monkeypatch.setattr(broken.backend, "open", refuse_media)
    with (
        EmbeddedServer(tmp_path / "empty") as empty,
        SuperviselyClient(empty.info.url, empty.info.token) as own,
    ):
        with leaves_no_project(own), pytest.raises(VaultError, match="the disk is gone"):
            restore(ProjectVersions(own), broken, held)
        monkeypatch.undo()
        assert restore(ProjectVersions(own), broken, held).counts == held.counts


def test_a_version_is_named_once_and_goes_somewhere(versions: Versions, survived: Survived):
    vault, held = survived.vaults["folder"], survived.versions["images"]
    with pytest.raises(ConfigurationError, match="workspace_id"):
        restore(versions, vault, held, workspace_id=None)
    with pytest.raises(ConfigurationError, match="leave out version_id"):
        restore(versions, vault, held, version_num=1)
    with pytest.raises(ConfigurationError, match="no version of project"):
        restore(versions, vault, held, project_id=held.project_id + 1)
    with pytest.raises(ConfigurationError, match="Name the vault"):
        versions.restore(vault_version=held.key, workspace_id=1)
    with pytest.raises(ConfigurationError, match="project_id"):
        versions.restore(version_num=1)


def test_the_command_line_needs_no_project(
    target: EmbeddedServer, survived: Survived, monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
):
    vault, held = survived.vaults["folder"], survived.versions["images"]
    monkeypatch.setenv("SERVER_ADDRESS", target.info.url)
    monkeypatch.setenv("API_TOKEN", target.info.token)
    latest = f"{held.server}/{held.project_id}/latest"
    arguments = ["restore", "--vault", vault.url.removeprefix("file://"), "--vault-version", latest]

    assert main([*arguments, "--workspace-id", "1", "--json"]) == 0

    result = json.loads(capsys.readouterr().out)
    assert (result["vault_version"], result["source_server"]) == (held.key, held.server)
    assert result["counts"] == held.counts
