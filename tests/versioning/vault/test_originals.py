"""Versions with a vault: what is copied, what is not copied again, what cannot be had."""

import json
import random
from contextlib import nullcontext
from pathlib import Path

import pytest

from airflow_sv_versioning.archive import unpack_archive
from airflow_sv_versioning.exceptions import (
    CancelledError,
    ConfigurationError,
    RequestRejectedError,
    VaultError,
)
from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.audit import check_vault
from airflow_sv_versioning.vault.locks import pruning
from airflow_sv_versioning.vault.references import Owner, find_needs, list_owners
from airflow_sv_versioning.vault.vault import Vault
from tests.support.media import hash_of, serve_media
from tests.support.projects import add_dataset, add_link, backup_of, make_project, read_images, touch
from tests.support.proxy import cut, refuse
from tests.support.types import Client, Made, Server, Versions, Wire


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


def held(vault: Vault) -> set[str]:
    return set(vault.iter_hashes())


def record_of(client, made, tmp_path):
    archive = tmp_path / f"{made.version_id}.tar.zst"
    project = client.projects.get(made.project_id)
    client.files.download(project.team_id, made.archive_path, archive)
    return unpack_archive(archive, project.type, tmp_path / f"{made.version_id}").media_record


def test_the_originals_of_a_version_are_in_the_vault_it_names(
    versions: Versions, client: Client, project_id: int, photos: list[Path], vault: Vault, tmp_path: Path
):
    made = versions.create(project_id, vault=vault)

    assert held(vault) == {hash_of(photo.read_bytes()) for photo in photos[:3]}
    assert backup_of(made).as_dict() == {
        "vault": vault.url,
        "copied": 3,
        "copied_bytes": sum(photo.stat().st_size for photo in photos[:3]),
        "present": 0,
        "lost_count": 0,
        "lost": {},
    }
    assert record_of(client, made, tmp_path).vault_url == vault.url


def test_ten_versions_keep_the_same_media_once(versions: Versions, client: Client, photos, vault: Vault):
    project_id = make_project(client, photos[:2])
    add_dataset(client, project_id, "again", photos[:2])

    results = []
    for _ in range(10):
        results.append(versions.create(project_id, vault=vault))
        touch(client, project_id)

    assert [(backup_of(made).copied, backup_of(made).present) for made in results] == [(2, 0), *[(0, 2)] * 9]
    assert all(made.created for made in results)
    assert len(list(vault.iter_hashes())) == 2


def test_only_new_media_are_copied(versions: Versions, client: Client, project_id, photos, vault: Vault):
    versions.create(project_id, vault=vault)
    add_dataset(client, project_id, "more", photos[2:5])

    made = versions.create(project_id, vault=vault)

    assert (backup_of(made).copied, backup_of(made).present) == (2, 3)


def test_a_project_without_media_needs_nothing(versions: Versions, client: Client, vault: Vault):
    made = versions.create(make_project(client, []), vault=vault)

    assert (backup_of(made).copied, backup_of(made).present) == (0, 0)


def test_an_unchanged_version_gets_the_originals_that_the_vault_lacks(
    versions: Versions, made: Made, project_id: int, photos: list[Path], vault: Vault
):
    completed = versions.create(project_id, vault=vault)
    again = versions.create(project_id, vault=vault)

    assert completed.version_id == again.version_id == made.version_id
    assert (completed.created, backup_of(completed).copied) == (False, 3)
    assert (backup_of(again).copied, backup_of(again).present) == (0, 3)
    vault.remove(hash_of(photos[0].read_bytes()))
    assert check_vault(vault, Progress(), set_aside=True).absent
    assert backup_of(versions.create(project_id, vault=vault)).copied == 1
    assert backup_of(versions.create(project_id, vault=vault)).copied == 0


def test_what_is_behind_a_link_is_kept_by_what_it_was(
    server: Server, client: Client, photos: list[Path], vault: Vault, tmp_path: Path
):
    project_id = make_project(client, photos[:1])
    content = photos[1].read_bytes()
    with serve_media(content) as media, Client(server.url, server.token, private_links=True) as allowed:
        add_link(client, project_id, media.url)
        made = Versions(allowed).create(project_id, vault=vault)
        asked = len(media.headers)
        touch(client, project_id)
        second = Versions(allowed).create(project_id, vault=vault)

        assert len(media.headers) == asked, "an unchanged link was read again"
        assert all("x-api-key" not in headers for headers in media.headers)
    linked = record_of(client, made, tmp_path).linked[media.url]
    assert (linked.content_hash, linked.size_bytes, linked.name) == (
        hash_of(content),
        len(content),
        "linked.png",
    )
    assert record_of(client, second, tmp_path).linked == {media.url: linked}
    assert (backup_of(second).copied, backup_of(second).present) == (0, 2)
    assert held(vault) == {hash_of(content), hash_of(photos[0].read_bytes())}


def test_a_link_into_a_private_network_is_left_to_the_server(
    versions: Versions, client: Client, photos: list[Path], vault: Vault
):
    """The server that shows the image may read it; this machine does not try."""
    project_id = make_project(client, [])
    with serve_media(photos[1].read_bytes()) as media:
        add_link(client, project_id, media.url)
        asked = len(media.headers)
        made = versions.create(project_id, vault=vault)

        assert len(media.headers) == asked + 1
    assert (backup_of(made).copied, dict(backup_of(made).lost)) == (1, {})


def test_originals_that_nobody_has_are_named_and_do_not_cost_the_version(
    versions: Versions, client: Client, photos: list[Path], vault: Vault, tmp_path: Path
):
    project_id = make_project(client, photos[:1])
    with serve_media(photos[1].read_bytes()) as media:
        add_link(client, project_id, media.url)

    made = versions.create(project_id, vault=vault)

    assert made.created
    assert list(backup_of(made).lost) == [media.url]
    assert backup_of(made).lost[media.url].startswith("linked/linked.png: ")
    assert record_of(client, made, tmp_path).lost == backup_of(made).lost
    assert made.as_dict()["media"]["lost_count"] == 1


def test_a_lost_original_is_tried_again_by_the_next_version(
    versions: Versions, client: Client, photos: list[Path], vault: Vault
):
    project_id = make_project(client, [])
    with serve_media(photos[1].read_bytes()) as media:
        add_link(client, project_id, media.url)
        media.status = 503
        assert backup_of(versions.create(project_id, vault=vault)).lost
        media.status = 200

        completed = versions.create(project_id, vault=vault)

    assert (completed.created, backup_of(completed).copied, dict(backup_of(completed).lost)) == (False, 1, {})
    assert versions.verify(project_id, vault=vault).checks[3].state == "good"


def test_a_vault_that_was_given_late_serves_a_restore_once_links_are_dead(
    server: Server, versions: Versions, client: Client, photos: list[Path], vault: Vault
):
    project_id = make_project(client, [])
    with serve_media(photos[1].read_bytes()) as media:
        add_link(client, project_id, media.url)
        made = versions.create(project_id)
        versions.create(project_id, vault=vault)
        media.status = 404
        with Client(server.url, server.token, private_links=True) as allowed:
            report = Versions(allowed).verify(project_id, vault=vault)
            restored = Versions(allowed).restore(
                project_id, made.version_id, missing_entities="reupload", vault=vault
            )

    assert {check.name: check.state for check in report.checks}["vault"] == "good"
    assert restored.reuploaded == restored.unlinked == ("linked/linked.png",)
    (image,) = read_images(client, restored.project_id).values()
    assert image["hash"] == hash_of(photos[1].read_bytes())


def test_what_was_first_read_behind_a_link_stays_what_its_version_had(
    versions: Versions, client: Client, photos: list[Path], vault: Vault
):
    project_id = make_project(client, photos[:1])
    with serve_media(photos[1].read_bytes()) as media:
        add_link(client, project_id, media.url)
        versions.create(project_id)
        versions.create(project_id, vault=vault)
        media.content = photos[2].read_bytes()
        vault.remove(hash_of(photos[0].read_bytes()))
        check_vault(vault, Progress(), set_aside=True)
        completed = versions.create(project_id, vault=vault)

    assert (backup_of(completed).copied, backup_of(completed).present) == (1, 1)
    assert held(vault) == {hash_of(photo.read_bytes()) for photo in photos[:2]}


def test_a_vault_that_cannot_be_one_makes_no_version(versions: Versions, project_id: int, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ConfigurationError, match="cannot be one"):
        versions.create(project_id, vault=tmp_path / "file" / "vault")

    assert versions.get_list(project_id) == []
    assert versions.create(project_id).created, "the reservation was not given back"


def test_a_version_that_fails_leaves_no_claim_in_the_vault(
    wired: Versions, wire: Wire, project_id: int, vault: Vault
):
    wire.on("projects.versions.commit", refuse(400))

    with pytest.raises(RequestRejectedError):
        wired.create(project_id, vault=vault)

    owner = Owner.of(wire.url, project_id)
    assert vault.list_files(f"projects/{owner.server}/{project_id}") == []
    assert vault.list_files(f"state/running/{owner.server}") == []


def test_stopping_in_mid_copy_leaves_no_version(versions: Versions, project_id: int, vault: Vault):
    said: list[str] = []

    with pytest.raises(CancelledError):
        versions.create(
            project_id,
            vault=vault,
            report=said.append,
            should_stop=lambda: any("originals" in line for line in said),
        )

    assert versions.get_list(project_id) == []
    assert list(vault.backend.list_folder("incoming")) == []


def test_no_version_is_made_while_somebody_prunes(versions: Versions, project_id: int, vault: Vault):
    with pruning(vault), pytest.raises(VaultError, match=r"pruned \(last heard of a few seconds ago"):
        versions.create(project_id, vault=vault, busy_timeout_seconds=0)

    assert backup_of(versions.create(project_id, vault=vault)).copied == 3


def test_nobody_prunes_while_a_version_is_made(versions: Versions, project_id: int, vault: Vault):
    refusals = []

    def report(line: str) -> None:
        if "Packing" in line:
            with (
                pytest.raises(VaultError, match=f"version of project {project_id} .* since ") as caught,
                pruning(vault),
            ):
                pass
            refusals.append(caught.value)

    versions.create(project_id, vault=vault, report=report)

    assert len(refusals) == 1
    with pruning(vault):
        pass


@pytest.mark.parametrize("mark", ["{", "[]", "{}", '{"since": "soon"}', '{"since": 1e300}', '{"since": NaN}'])
def test_a_turn_that_is_said_in_no_known_way_counts(vault: Vault, mark):
    vault.write_file("state/running/prune.json", [mark.encode()])

    with pytest.raises(VaultError, match="last heard of nobody knows when"), pruning(vault):
        pass


@pytest.mark.parametrize(("hours", "counts"), [(0.9, True), (1.1, False)])
def test_the_turn_of_a_killed_prune_counts_for_an_hour(vault: Vault, hours, counts):
    said_at = now().subtract(minutes=hours * 60)
    vault.write_file("state/running/prune.json", [json.dumps({"since": said_at.timestamp()}).encode()])

    refusal = pytest.raises(VaultError, match=r"last heard of 5\d minutes ago")
    with refusal if counts else nullcontext(), pruning(vault):
        pass


def test_the_vault_knows_what_each_version_needs(
    versions: Versions, project_id: int, vault: Vault, server: Server
):
    made = versions.create(project_id, vault=vault)

    owner = Owner.of(server.url, project_id)
    assert list_owners(vault) == [owner]
    needs = find_needs(vault, owner, made.version_id)
    assert needs is not None
    assert needs.contents() == held(vault)
    assert find_needs(vault, owner, made.version_id + 1) is None


def test_a_cut_download_continues(wired: Versions, wire: Wire, client: Client, vault: Vault, tmp_path: Path):
    photo = tmp_path / "noise.bmp"
    photo.write_bytes(_bitmap(300_000))
    project_id = make_project(client, [photo])
    wire.on("images.download", cut(100_000), cut(100_000))

    made = wired.create(project_id, vault=vault)

    assert backup_of(made).copied_bytes == photo.stat().st_size
    assert held(vault) == {hash_of(photo.read_bytes())}


def test_nonsense_is_no_vault(versions: Versions, project_id: int):
    with pytest.raises(ConfigurationError):
        versions.create(project_id, vault="ftp://host/folder")


def _bitmap(size: int) -> bytes:
    from io import BytesIO

    from PIL import Image

    side = int((size / 3) ** 0.5)
    file = BytesIO()
    Image.frombytes("RGB", (side, side), random.Random(1).randbytes(side * side * 3)).save(file, "BMP")
    return file.getvalue()
