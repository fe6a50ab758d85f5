"""Changes of what archives are packed in: members of a tar, tar itself, frames of zstd."""

import io
import tarfile
from random import Random

import zstandard

from tests.fuzz.values import mutated_bytes

_KINDS = (b"0", b"1", b"2", b"3", b"5", b"6", b"7", b"S", b"x", b"g", b"L", b"K", b"Z")


def tar_of(random: Random, members: dict[str, bytes]) -> bytes:
    """Pack members, at times in ways that no writer does."""
    items = list(members.items())
    is_strange = random.random() < 0.12
    if is_strange and random.random() < 0.5:
        random.shuffle(items)
    if is_strange and random.random() < 0.3:
        items.append(random.choice(items))
    buffer = io.BytesIO()
    for name, data in items:
        buffer.write(
            _member(random, name, data) if is_strange and random.random() < 0.3 else _plain(name, data)
        )
    buffer.write(bytes(1024))
    packed = buffer.getvalue()
    return mutated_bytes(random, packed) if is_strange and random.random() < 0.3 else packed


def _plain(name: str, data: bytes, kind: bytes = b"0", size: int | None = None) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = len(data) if size is None else size, kind
    return member.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


def _member(random: Random, name: str, data: bytes) -> bytes:
    what = random.randrange(5)
    if what == 0:
        return _plain(random.choice((f"./{name}", f"../{name}", f"/{name}", "x" * 99, "version.bin")), data)
    if what == 1:
        return _plain(name, data, random.choice(_KINDS))
    if what == 2:
        return _plain(name, data, size=random.choice((0, 1, len(data) + 1, 10 * len(data), 2**40, 2**62)))
    if what == 3:
        records = b"".join(random.choice((b"6 a=b\n", b"9 size=5\n", b"10 path=x\n", b"x")) for _ in range(3))
        return _plain("x", records, random.choice((b"x", b"g", b"L"))) + _plain(name, data)
    return _plain(name, data) + bytes(random.choice((512, 1024)))


def frames_of(random: Random, data: bytes) -> bytes:
    """Compress, at times in ways that no writer does."""
    if random.random() > 0.08:
        return zstandard.compress(data, random.choice((1, 3)))
    what = random.randrange(5)
    if what == 0:
        half = len(data) // 2
        return zstandard.compress(data[:half]) + zstandard.compress(data[half:])
    if what == 1:
        return b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip" + zstandard.compress(data)
    if what == 2:
        return zstandard.ZstdCompressor(write_content_size=False).compress(data)
    if what == 3:
        return data
    return mutated_bytes(random, zstandard.compress(data))
