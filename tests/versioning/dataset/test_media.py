"""Files of items: proved, from wherever they are."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.dataset.cache import Cache
from airflow_sv_versioning.dataset.media import MediaSource
from airflow_sv_versioning.exceptions import ConfigurationError, MediaAbsentError
from airflow_sv_versioning.server.run import ServerInfo
from airflow_sv_versioning.vault.vault import Vault
from tests.support.media import hash_of, serve_media
from tests.support.photos import write_photos
from tests.support.projects import make_project

CONTENT = b"the file"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
HASH = hash_of(CONTENT)
ROW = {"src_image_id": 1, "name": "a.jpg", "hash": HASH, "link": None}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path / "vault")
    vault.put(HASH, [CONTENT])
    return vault


def _read(source: MediaSource, row: dict[str, Any] = ROW) -> bytes:
    with source.open(row) as file:
        return file.read()


def test_a_vault_needs_no_server(cache, vault):
    assert _read(MediaSource("images", cache, vault)) == CONTENT
    # The second time it comes from the cache.
    assert _read(MediaSource("images", cache)) == CONTENT


def test_a_file_in_the_cache_that_was_changed_is_fetched_anew(cache, vault):
    source = MediaSource("images", cache, vault)
    _read(source)
    path = cache.media_path(DIGEST)
    path.chmod(0o600)
    path.write_bytes(b"another ")

    assert _read(source) == CONTENT
    assert path.read_bytes() == CONTENT


def test_a_vault_with_other_bytes_is_not_believed(cache, vault, tmp_path):
    next((tmp_path / "vault" / "media").rglob(DIGEST)).write_bytes(b"another ")

    with pytest.raises(MediaAbsentError, match=r"a\.jpg.*cannot be had: file://.*came as"):
        _read(MediaSource("images", cache, vault))
    assert not cache.media_path(DIGEST).exists()


def test_where_nobody_was_named_the_error_says_so(cache):
    with pytest.raises(MediaAbsentError, match="neither a vault nor a server"):
        _read(MediaSource("images", cache))


def test_what_the_server_has_under_the_id_by_now_is_not_taken_for_it(client, cache, tmp_path):
    project_id = make_project(client, sorted(write_photos(tmp_path / "photos", 1).iterdir()))
    [dataset] = client.datasets.list_all(project_id)
    [image] = [image for page in client.images.iter_pages(dataset.id) for image in page]

    with pytest.raises(MediaAbsentError, match="another one by now"):
        _read(MediaSource("images", cache, client=client), {**ROW, "src_image_id": image["id"]})


@pytest.fixture
def near(server: ServerInfo) -> Iterator[SuperviselyClient]:
    with SuperviselyClient(server.url, server.token, private_links=True) as connected:
        yield connected


def test_a_file_known_by_its_link_alone_is_taken_as_it_comes(near, cache):
    with serve_media(CONTENT) as host:
        row = {**ROW, "hash": None, "link": host.url}
        source = MediaSource("images", cache, client=near)

        assert _read(source, row) == CONTENT
        with pytest.raises(ConfigurationError, match="by its link"):
            source.link(row, cache.directory / "a.jpg")


def test_a_link_whose_content_the_version_tells_is_proved(near, cache):
    with serve_media(b"another") as host:
        row = {**ROW, "hash": None, "link": host.url}
        source = MediaSource("images", cache, client=near, hashes={host.url: HASH})

        with pytest.raises(MediaAbsentError, match="another one by now"):
            _read(source, row)


def test_a_hard_link_takes_no_room_and_survives_the_cache(cache, vault, tmp_path):
    source, target = MediaSource("images", cache, vault), tmp_path / "a.jpg"
    source.link(ROW, target)

    assert target.samefile(cache.media_path(DIGEST))
    assert target.stat().st_mode & 0o222 == 0
    cache.drop_media(DIGEST)
    assert target.read_bytes() == CONTENT


def test_a_hard_link_needs_a_cache_that_keeps_the_file(vault, tmp_path):
    source = MediaSource("images", Cache(tmp_path / "small", max_bytes=1), vault)

    with pytest.raises(ConfigurationError, match="too small"):
        source.link(ROW, tmp_path / "a.jpg")


def test_a_hash_that_proves_nothing_is_named(cache, vault):
    with pytest.raises(MediaAbsentError, match="cannot be proved"):
        _read(MediaSource("images", cache, vault), {**ROW, "hash": "md5"})
