"""The cache of versions and files: within its size, whatever several processes do."""

import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_sv_versioning.dataset.cache import Cache
from airflow_sv_versioning.exceptions import CacheError

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", max_bytes=100)


def _put(cache: Cache, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    with cache.put_media(digest, [content]) as file:
        assert file.read() == content
    return digest


def _holds(cache: Cache, digest: str) -> bool:
    file = cache.open_media(digest)
    if file is not None:
        file.close()
    return file is not None


def _bytes_in(cache: Cache) -> int:
    folders = [cache.directory / name for name in ("archives", "media", "incoming")]
    return sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())


def _builder(content: bytes) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        (folder / "table").write_bytes(content)

    return build


def test_what_was_put_in_is_there(cache):
    digest = _put(cache, b"some")

    with cache.open_media(digest) as file:
        assert file.read() == b"some"
    assert cache.open_media("0" * 64) is None
    assert cache.directory.stat().st_mode & 0o777 == 0o700


def test_what_was_used_least_lately_goes(cache):
    first, second = _put(cache, b"1" * 40), _put(cache, b"2" * 40)
    # Moments of a disk may be coarse.
    os.utime(cache.media_path(second), (1, 1))
    third = _put(cache, b"3" * 40)

    assert [_holds(cache, digest) for digest in (first, second, third)] == [True, False, True]


def test_what_is_larger_than_the_cache_is_given_and_not_kept(cache):
    digest = _put(cache, b"x" * 101)

    assert not _holds(cache, digest)
    assert _bytes_in(cache) == 0


def test_a_file_that_is_open_can_be_read_when_it_went(cache):
    digest = _put(cache, b"1" * 60)
    with cache.open_media(digest) as file:
        _put(cache, b"2" * 60)

        assert not _holds(cache, digest)
        assert file.read() == b"1" * 60


def test_an_archive_is_built_once_and_stays_while_it_is_open(cache):
    built = []

    def build(folder: Path) -> None:
        built.append(folder)
        (folder / "table").write_bytes(b"t" * 60)

    with cache.archive("a", build) as folder, cache.archive("a", build) as again:
        assert folder == again
        media = _put(cache, b"m" * 60)
        assert (folder / "table").read_bytes() == b"t" * 60
        # There was no room for it: what is open stays.
        assert not _holds(cache, media)
    media = _put(cache, b"m" * 60)
    assert _holds(cache, media)
    assert not folder.exists()
    assert len(built) == 1


def test_an_archive_that_has_no_room_is_there_until_it_is_closed(cache):
    with cache.archive("a", _builder(b"t" * 200)) as folder:
        assert (folder / "table").exists()
    assert not folder.exists()
    assert _bytes_in(cache) == 0


def test_a_build_that_fails_leaves_nothing_and_is_tried_again(cache):
    def fail(folder: Path) -> None:
        (folder / "table").write_bytes(b"half")
        raise ValueError("stopped")

    with pytest.raises(ValueError, match="stopped"), cache.archive("a", fail):
        pass
    assert _bytes_in(cache) == 0
    with cache.archive("a", _builder(b"whole")) as folder:
        assert (folder / "table").read_bytes() == b"whole"


def test_bytes_that_end_with_an_error_are_not_kept(cache):
    def cut():
        yield b"some"
        raise ValueError("cut")

    with pytest.raises(ValueError, match="cut"):
        cache.put_media("0" * 64, cut())
    assert _bytes_in(cache) == 0


def _die_while_building(directory: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "table").write_bytes(b"half" * 10)
        os.kill(os.getpid(), signal.SIGKILL)

    with Cache(directory, 100).archive("a", build):
        pass


def test_what_a_killed_process_left_is_not_taken_for_whole_and_goes(cache):
    process = FORK.Process(target=_die_while_building, args=(cache.directory,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL

    with cache.archive("a", _builder(b"t" * 50)) as folder:
        assert (folder / "table").read_bytes() == b"t" * 50
    # Where room is needed, what was left is cleared, too.
    _put(cache, b"m" * 60)
    assert _bytes_in(cache) <= cache.max_bytes


def _fill(directory: Path, number: int) -> None:
    cache = Cache(directory, 100)
    for place in range(40):
        _put(cache, bytes([number * 40 + place]) * (place % 30 + 1))
        with cache.archive(f"k{place % 3}", _builder(b"t" * 20)) as folder:
            assert (folder / "table").read_bytes() == b"t" * 20


def test_several_processes_stay_within_the_size_together(cache):
    processes = [FORK.Process(target=_fill, args=(cache.directory, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 4
    assert _bytes_in(cache) <= cache.max_bytes
    assert int((cache.directory / "bytes").read_text()) == _bytes_in(cache)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 120), max_size=12))
def test_it_is_never_larger_than_it_may_be(tmp_path_factory, sizes):
    cache = Cache(tmp_path_factory.mktemp("cache"), max_bytes=100)
    for number, size in enumerate(sizes):
        _put(cache, bytes([number]) * size)

        assert _bytes_in(cache) <= 100


def test_a_lost_count_is_made_anew(cache):
    _put(cache, b"1" * 60)
    (cache.directory / "bytes").write_text("not a number")
    _put(cache, b"2" * 60)

    assert _bytes_in(cache) <= 100


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CacheError, match="cannot be used"):
        _put(Cache(tmp_path / "file" / "cache"), b"x")
