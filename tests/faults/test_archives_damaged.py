"""Archives that were damaged or forged in Team Files: each is refused, and nothing is made."""

import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from airflow_sv_versioning.exceptions import SnapshotError, UnsafeArchiveError
from tests.support.projects import leaves_no_project, read_archive, replace_archive
from tests.support.types import Client, Versions

Damage = Callable[[bytes], bytes]


@pytest.fixture
def restore_of(versions: Versions, client: Client, project_id: int) -> Callable[[Damage], None]:
    """Restore a version whose archive somebody damaged or replaced, all digests on the server included."""
    made = versions.create(project_id)
    genuine = read_archive(client, made)

    def restore(damage: Damage) -> None:
        replace_archive(client, made, damage(genuine))
        versions.restore(project_id, made.version_id)

    return restore


def _packed(payload: bytes, name: str = "version.bin") -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(payload)
        tar.addfile(member, io.BytesIO(payload))
    return zstandard.ZstdCompressor().compress(archive.getvalue())


class _Exploit:
    """Writes a file when it is unpickled without care."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self):
        return exec, (f"open({str(self._marker)!r}, 'w').close()",)


DAMAGES: dict[str, Damage] = {
    "cut": lambda genuine: genuine[: len(genuine) // 2],
    "flipped": lambda genuine: genuine[:200] + bytes([genuine[200] ^ 4]) + genuine[201:],
    "a byte": lambda _: b"\0",
    "not zstd": lambda _: b"this is not an archive" * 100,
    "not tar": lambda _: zstandard.ZstdCompressor().compress(b"not a tar" * 200),
    "no payload": lambda _: _packed(b"", "other.bin"),
    "empty payload": lambda _: _packed(b""),
    "strange payload": lambda _: _packed(b"strange" * 100),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_refused_before_anything_is_made(damage, restore_of, client: Client):
    with leaves_no_project(client), pytest.raises(SnapshotError) as raised:
        restore_of(DAMAGES[damage])

    assert not raised.value.transient


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_run_code_does_not(protocol, restore_of, client: Client, tmp_path: Path):
    marker = tmp_path / "ran"
    exploit = pickle.dumps((_Exploit(marker),), protocol)

    with leaves_no_project(client), pytest.raises(SnapshotError) as raised:
        restore_of(lambda _: _packed(exploit))

    assert not marker.exists()
    assert protocol < 4 or isinstance(raised.value, UnsafeArchiveError)
