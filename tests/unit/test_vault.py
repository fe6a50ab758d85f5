"""A vault of media: what is put in comes back, and nothing else is ever taken for it."""

import base64
import hashlib
import os
from pathlib import Path

import pytest
from upath import UPath

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    FormatError,
    IntegrityError,
    MediaAbsentError,
    TransportError,
)
from airflow_sv_versioning.vault import backends
from airflow_sv_versioning.vault.backends import SPOOL_BYTES
from airflow_sv_versioning.vault.opening import open_vault
from airflow_sv_versioning.vault.record import LinkedMedia, MediaRecord
from airflow_sv_versioning.vault.vault import StoredMedia, Vault
from tests.support.archives import write_snapshot
from tests.support.media import hash_of
from tests.support.types import Patch, Request

CAT, DOG = b"cat" * 40_000, b"dog"


@pytest.fixture(params=["folder", "bucket"])
def vault(request: Request, tmp_path: Path, monkeypatch: Patch) -> Vault:
    if request.param == "folder":
        return Vault(tmp_path / "vault")
    # Behaves as a bucket does, and is gone with the process: nothing to keep originals in.
    monkeypatch.setattr(backends, "BUCKET_PROTOCOLS", {*backends.BUCKET_PROTOCOLS, "memory"})
    return Vault(UPath(f"memory://{tmp_path.name}/{request.node.name}"))


def files_of(vault: Vault) -> list[str]:
    """The names of all that lies in the vault's folder of media."""
    folders = vault.backend.list_folders("media")
    return [name for folder in folders for name, _ in vault.backend.list_folder(f"media/{folder}")]


def test_a_vault_that_would_be_gone_with_the_process_is_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="'memory' cannot hold a vault"):
        Vault(UPath(f"memory://{tmp_path.name}"))


def test_what_was_put_in_comes_back(vault: Vault):
    assert vault.put(hash_of(CAT), [CAT[:7], CAT[7:]], len(CAT)) == len(CAT)

    with vault.open(hash_of(CAT)) as file:
        assert file.read() == CAT
    assert b"".join(vault.iter_chunks(hash_of(CAT))) == CAT
    assert vault.check(hash_of(CAT)) == len(CAT)


def test_a_large_content_comes_back(vault: Vault):
    pieces = [bytes([number]) * (SPOOL_BYTES // 4 + 1) for number in range(6)]
    content = b"".join(pieces)

    vault.put(hash_of(content), iter(pieces))

    assert b"".join(vault.iter_chunks(hash_of(content))) == content


def test_a_content_of_unknown_digest_is_named_by_what_came(vault: Vault):
    assert vault.add([DOG]) == StoredMedia(hash_of(DOG), len(DOG))
    assert vault.holds(hash_of(DOG))


def test_the_same_content_is_kept_once(vault: Vault):
    for _ in range(3):
        vault.add([CAT])

    assert list(vault.iter_hashes()) == [hash_of(CAT)]
    assert files_of(vault) == [hashlib.sha256(CAT).hexdigest()]


def test_all_hashes_are_listed_and_found(vault: Vault):
    contents = [str(number).encode() for number in range(60)]
    for content in contents:
        vault.add([content])
    digests = sorted(hashlib.sha256(content).digest() for content in contents)

    assert list(vault.iter_hashes()) == [base64.b64encode(digest).decode() for digest in digests]
    wanted = [hash_of(content) for content in (*contents, CAT, DOG)]
    assert vault.find_sizes(wanted) == {hash_of(content): len(content) for content in contents}


def test_many_contents_of_one_folder_are_found_by_one_listing(vault: Vault, monkeypatch: Patch):
    contents = [str(number).encode() for number in range(3_000)]
    same_folder = [content for content in contents if hashlib.sha256(content).hexdigest().startswith("ab")]
    assert len(same_folder) > 4
    for content in same_folder[1:]:
        vault.add([content])
    monkeypatch.setattr(vault.backend, "find_size", None)

    held = vault.find_sizes([hash_of(content) for content in same_folder])

    assert held == {hash_of(content): len(content) for content in same_folder[1:]}


def test_an_absent_content_is_told_as_such(vault: Vault):
    assert not vault.holds(hash_of(CAT))
    with pytest.raises(MediaAbsentError) as caught:
        vault.open(hash_of(CAT))
    assert caught.value.content_hash == hash_of(CAT)


def test_an_empty_vault_holds_nothing(vault: Vault):
    assert list(vault.iter_hashes()) == []
    assert vault.find_sizes([hash_of(CAT)]) == {}


def test_other_bytes_than_promised_are_not_kept(vault: Vault):
    with pytest.raises(IntegrityError):
        vault.put(hash_of(CAT), [CAT[:-1]])
    with pytest.raises(IntegrityError):
        vault.put(hash_of(CAT), [CAT], len(CAT) + 1)

    assert files_of(vault) == []


def test_a_source_that_breaks_leaves_nothing(vault: Vault):
    def breaking():
        yield CAT * (SPOOL_BYTES // len(CAT) + 1)
        raise TransportError("cut")

    with pytest.raises(TransportError):
        vault.put(hash_of(CAT), breaking())
    with pytest.raises(TransportError):
        vault.add(breaking())

    assert files_of(vault) == []
    assert list(vault.backend.list_folder("incoming")) == []


def test_removing_is_final_and_may_be_repeated(vault: Vault):
    vault.add([CAT])

    vault.remove(hash_of(CAT))
    vault.remove(hash_of(CAT))

    assert not vault.holds(hash_of(CAT))


def test_who_may_read_a_vault_is_for_the_umask_to_say(tmp_path: Path):
    before = os.umask(0o027)
    try:
        Vault(tmp_path).add([CAT])
    finally:
        os.umask(before)

    (file,) = (tmp_path / "media").rglob("*/*")
    assert file.stat().st_mode & 0o777 == 0o640


def test_changed_bytes_are_found_when_they_are_read(tmp_path: Path):
    vault = Vault(tmp_path)
    vault.add([CAT])
    (file,) = (tmp_path / "media").rglob("*/*")
    file.write_bytes(CAT[:-1] + b"!")

    with pytest.raises(IntegrityError, match=hash_of(CAT).replace("+", r"\+")):
        vault.check(hash_of(CAT))


def test_what_is_no_media_is_not_listed(tmp_path: Path):
    vault = Vault(tmp_path)
    vault.add([CAT])
    (tmp_path / "media" / "README").mkdir()
    (tmp_path / "media" / "README" / "note.txt").write_text("mine")

    assert list(vault.iter_hashes()) == [hash_of(CAT)]


def test_a_hash_never_leads_out_of_the_vault(vault: Vault):
    for nonsense in ("../../etc/passwd", "", "abc", base64.b64encode(b"short").decode()):
        with pytest.raises(FormatError):
            vault.holds(nonsense)


def test_a_folder_a_path_and_a_url_name_the_same_vault(tmp_path: Path):
    Vault(tmp_path).add([CAT])

    for root in (str(tmp_path), tmp_path.as_uri(), tmp_path):
        vault = open_vault(root)
        assert vault.holds(hash_of(CAT))
        assert vault.url == tmp_path.as_uri()
    assert Vault(UPath(tmp_path.as_uri())).holds(hash_of(CAT))


@pytest.mark.parametrize(
    "url", ["", "ftp://host/folder", "s3://key:secret@bucket/prefix", "nosuchscheme://bucket/prefix"]
)
def test_a_url_that_cannot_hold_a_vault_is_refused(url):
    with pytest.raises(ConfigurationError):
        open_vault(url)


def test_a_version_says_where_its_originals_are(tmp_path: Path):
    linked = {"https://a.example/é.jpg": LinkedMedia(hash_of(CAT), len(CAT), "é.jpg")}
    record = MediaRecord("s3://aws@bucket/prefix", linked, {hash_of(DOG): "gone from the server"})
    snapshot = write_snapshot(tmp_path / "snapshot")
    packed = pack_archive(snapshot, "v2.1.0", tmp_path / "archive", {}, record)

    assert unpack_archive(packed.path, "images", tmp_path / "out").media_record == record


def test_a_version_made_without_a_vault_says_so(tmp_path: Path):
    packed = pack_archive(write_snapshot(tmp_path / "snapshot"), "v2.1.0", tmp_path / "archive", {})

    assert unpack_archive(packed.path, "images", tmp_path / "out").media_record is None
