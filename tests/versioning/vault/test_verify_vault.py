"""A vault is looked through: archives, manifests, needs, and a share of the contents a night."""

import hashlib
import json
import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.audit import VaultCheck, check_vault
from airflow_sv_versioning.vault.lacking import is_lacking
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.shares import Sample
from airflow_sv_versioning.vault.trash import trash_version
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import VaultVersion, list_entries
from tests.support.media import hash_of
from tests.support.types import Run
from tests.support.vaults import in_trash_for, put_version

OWNER = Owner("sv.example", 42)
CONTENTS = [b"cat", b"dog"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(root: Path) -> Vault:
    return Vault(root)


@pytest.fixture
def held(vault: Vault) -> VaultVersion:
    """A version of two originals, whose file of needs is `needs_of`."""
    return put_version(vault, OWNER, 3, "2026-11-01T00:00:00Z", CONTENTS)


def check(vault: Vault, **options) -> VaultCheck:
    return check_vault(vault, Progress(), **options)


def manifest_of(held: VaultVersion) -> str:
    return f"versions/{held.server}/{held.project_id}/{held.version_num}-{held.version_id}.json"


def needs_of(held: VaultVersion) -> str:
    return f"projects/{held.server}/{held.project_id}/{held.version_id}.jsonl"


def media_file(root: Path, content: bytes) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    return root / "media" / digest[:2] / digest


def test_all_that_a_whole_vault_holds_is_counted(vault: Vault, held: VaultVersion):
    put_version(vault, OWNER, 4, "2026-11-02T00:00:00Z", CONTENTS[:1])

    checked = check(vault)

    assert checked.is_good
    assert (checked.media, checked.archives, checked.listed, checked.versions) == (2, 2, 4, 2)
    assert checked.archive_bytes == 2 * held.archive_size_bytes


def test_a_flipped_bit_in_an_archive_is_found_and_set_aside(vault: Vault, held: VaultVersion, root: Path):
    archive = root / "archives" / held.archive_sha256
    damaged = bytes([archive.read_bytes()[0] ^ 1]) + archive.read_bytes()[1:]
    archive.write_bytes(damaged)

    assert list(check(vault).damaged_archives) == [held.archive_sha256]
    assert not is_lacking(vault, OWNER, held.version_id)
    checked = check(vault, set_aside=True)

    assert (checked.set_aside, checked.is_good) == (True, False)
    assert (root / "damaged" / archive.name).read_bytes() == damaged
    assert is_lacking(vault, OWNER, held.version_id)
    after = check(vault)
    assert (after.damaged_archives, list(after.wrong)) == ({}, [manifest_of(held)])


def _without_archive(root: Path, held: VaultVersion) -> str:
    (root / "archives" / held.archive_sha256).unlink()
    return "is not there"


def _of_another_size(root: Path, held: VaultVersion) -> str:
    manifest = root / manifest_of(held)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "archive_size_bytes": 1}))
    return f"has {held.archive_size_bytes} bytes, not 1"


def _without_needs(root: Path, held: VaultVersion) -> str:
    (root / needs_of(held)).unlink()
    return "does not know what this version needs"


def _unreadable(root: Path, held: VaultVersion) -> str:
    (root / manifest_of(held)).write_bytes(b'{"server": ')
    return "cannot be read"


def _of_another_version(root: Path, held: VaultVersion) -> str:
    manifest = root / manifest_of(held)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "version_num": 9}))
    return "speaks of"


@pytest.mark.parametrize(
    "spoil", [_without_archive, _of_another_size, _without_needs, _unreadable, _of_another_version]
)
def test_a_manifest_that_cannot_be_true_is_found(
    vault: Vault, held: VaultVersion, root: Path, spoil: Callable[[Path, VaultVersion], str]
):
    put_version(vault, OWNER, 4, "2026-11-02T00:00:00Z", CONTENTS)
    why = spoil(root, held)

    checked = check(vault)

    assert list(checked.wrong) == [manifest_of(held)]
    assert why in checked.wrong[manifest_of(held)]
    assert checked.versions == 2


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"[1]", b'{"hash": "short"}', b'{"hash": 5}', b'{"archive": "x"}', b"{}", b"[" * 100_000],
)
def test_damaged_needs_are_found_and_the_check_goes_on(
    vault: Vault, held: VaultVersion, root: Path, content: bytes
):
    put_version(vault, Owner("sv.example", 43), 1, "2026-11-02T00:00:00Z", [b"bird"])
    (root / needs_of(held)).write_bytes(content + b"\n")

    checked = check(vault)

    assert list(checked.wrong) == [needs_of(held)]
    assert (checked.versions, checked.absent) == (2, {})


def test_what_a_version_needs_without_a_manifest_is_looked_for_too(vault: Vault, held: VaultVersion, root):
    (root / manifest_of(held)).unlink()
    media_file(root, b"cat").unlink()
    (root / "archives" / held.archive_sha256).unlink()

    assert len(check(vault).absent) == 2


def test_what_nobody_had_is_not_missed(vault: Vault, held: VaultVersion, root: Path):
    media_file(root, b"cat").unlink()
    needs = root / needs_of(held)
    lost = json.dumps({"original": hash_of(b"cat"), "lost": "gone"}).encode()
    needs.write_bytes(needs.read_bytes() + lost + b"\n")

    assert check(vault).is_good
    # A further file says all of it, and does not name it any more.
    needs.with_suffix(".2.jsonl").write_bytes(b"".join(needs.read_bytes().splitlines(keepends=True)[:-1]))
    assert list(check(vault).absent) == [hash_of(b"cat")]


def test_what_retention_took_out_for_good_is_not_missed(vault: Vault, held: VaultVersion, root: Path):
    trash_version(vault, OWNER, list_entries(vault, OWNER)[0], "plan")
    media_file(root, b"cat").unlink()

    assert list(check(vault).absent) == [hash_of(b"cat")]
    in_trash_for(8, vault, OWNER)
    assert check(vault).is_good


def test_a_content_in_the_folder_of_others_does_not_count(vault: Vault, held: VaultVersion, root: Path):
    file = media_file(root, b"cat")
    (root / "media" / "zz").mkdir()
    os.rename(file, root / "media" / "zz" / file.name)

    assert list(check(vault).absent) == [hash_of(b"cat")]


def test_over_as_many_nights_as_there_are_shares_all_is_read_once(vault: Vault):
    put_version(vault, OWNER, 1, "2026-11-02T00:00:00Z", [bytes([number]) for number in range(30)])
    first = date(2026, 11, 30)

    nights = [check(vault, sample=Sample(5, first + timedelta(days=night))) for night in range(5)]

    assert sum(night.media + night.archives for night in nights) == 31
    assert all(night.is_good and night.listed == 31 and night.sample == "1/5" for night in nights)


def test_what_has_not_its_turn_is_missed_all_the_same(vault: Vault, held: VaultVersion, root: Path):
    media_file(root, b"cat").unlink()

    nights = [check(vault, sample=Sample(2, date(2026, 11, day))) for day in (29, 30)]

    assert [list(night.absent) for night in nights] == 2 * [[hash_of(b"cat")]]


def test_what_came_while_contents_were_read_is_not_missed(vault: Vault, held: VaultVersion):
    def make_another() -> bool:
        # Asked again and again; by then the archives are listed. What is there already is not made anew.
        put_version(vault, OWNER, 4, "2026-11-02T00:00:00Z", [b"bird"])
        return False

    checked = check_vault(vault, Progress(None, make_another))

    assert checked.is_good
    assert checked.versions == 2


def test_the_command_line_reads_a_share(run: Run, vault: Vault, held: VaultVersion, root: Path):
    code, out, _ = run("vault", "verify", root, "--sample", "1/1", "--json")
    said = json.loads(out)
    assert (code, said["sample"], said["media"], said["archives"], said["versions"]) == (0, "1/1", 2, 1, 1)
    (root / manifest_of(held)).write_bytes(b"?")
    code, out, _ = run("vault", "verify", root)
    assert (code, "1 are wrong" in out, manifest_of(held) in out) == (3, True, True)
    assert run("vault", "verify", root, "--sample", "2/7")[0] == 2
