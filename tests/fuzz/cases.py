"""One case: a genuine archive, changed as its number says."""

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import zstandard

from airflow_sv_versioning.archive.payloads import sections
from tests.fuzz.containers import frames_of, tar_of
from tests.fuzz.corpus import Genuine, members_of
from tests.fuzz.pickles import mutated_pickle
from tests.fuzz.tables import mutated_table
from tests.fuzz.values import mutated_bytes, mutated_json_text
from tests.support.archives import integrity_of

POLICIES = ("fail", "skip", "skip", "placeholder", "placeholder", "placeholder", "reupload")
_SHAPES = ("1,1,1", "4,5,6", "2000,2000,2000", "65536,65536,1", "0,1,1", "1,1", "-1,-1,1", "9" * 30 + ",1,1")


@dataclass(frozen=True)
class Case:
    """An archive to read.

    :param policy: of missing media.
    """

    number: int
    name: str
    project_type: str
    policy: str
    archive: bytes


def make_case(number: int, genuine: Sequence[Genuine]) -> Case:
    """Make the case of a number: always the same of the same."""
    random = Random(number)
    chosen = genuine[number % len(genuine)]
    members = dict(chosen.members)
    payload = _mutated_payload(random, chosen, members["version.bin"]) if random.random() < 0.85 else None
    if payload is not None:
        members["version.bin"] = payload
    if random.random() < 0.5:
        # Whoever changes an archive can change what it says of itself.
        manifest = json.loads(members["integrity.json"])
        if random.random() < 0.7:
            manifest.pop("items", None)
        members["integrity.json"] = integrity_of(manifest, members)
    elif random.random() < 0.85:
        del members["integrity.json"]
    if payload is None or random.random() < 0.1:
        _mutate_sides(random, members)
    return Case(
        number,
        f"{chosen.project_type} {chosen.archive_format}",
        chosen.project_type,
        random.choice(POLICIES),
        frames_of(random, tar_of(random, members)),
    )


def _mutate_sides(random: Random, members: dict[str, bytes]) -> None:
    name = random.choice([*(name for name in members if name != "version.bin"), "media.jsonl"])
    lines = members.get(name, b"{}").split(b"\n") if name.endswith("jsonl") else [members[name]]
    at = random.randrange(len(lines))
    lines[at] = mutated_json_text(random, lines[at])
    members[name] = b"\n".join(lines)


def _mutated_payload(random: Random, chosen: Genuine, payload: bytes) -> bytes:
    if random.random() < 0.05:
        return mutated_bytes(random, payload)
    if chosen.project_type == "volumes":
        return _mutated_sections(random, payload)
    if payload[:1] == b"\x80":
        return mutated_pickle(random, payload)
    is_packed = payload[:4] == b"\x28\xb5\x2f\xfd"
    members = members_of(zstandard.decompress(payload) if is_packed else payload)
    for _ in range(random.choice((1, 1, 2))):
        name = random.choice([name for name in members if name.endswith((".json", ".parquet"))])
        change: Callable[[Random, bytes], bytes] = (
            mutated_table if name.endswith(".parquet") else mutated_json_text
        )
        members[name] = change(random, members[name])
    if random.random() < 0.05:
        del members[random.choice(list(members))]
    data = tar_of(random, members)
    return frames_of(random, data) if is_packed else data


def _mutated_sections(random: Random, payload: bytes) -> bytes:
    head = len(sections.MAGIC) + 2
    parts, at = [], head
    while at < len(payload):
        size = int.from_bytes(payload[at + 1 : at + 9], "big")
        parts.append((payload[at], payload[at + 9 : at + 9 + size]))
        at += 9 + size
    number = random.randrange(len(parts))
    kind, content = parts[number]
    if kind == len(parts) and random.random() < 0.3:
        parts[number] = kind, _with_mask(random, content)
    else:
        parts[number] = kind, (mutated_json_text if kind <= 2 else mutated_table)(random, content)
    begin = mutated_bytes(random, payload[:head]) if random.random() < 0.05 else payload[:head]
    return begin + b"".join(
        bytes([kind]) + len(content).to_bytes(8, "big") + content for kind, content in parts
    )


def _with_mask(random: Random, content: bytes) -> bytes:
    """Exchange the voxels of the first mask for those of another shape."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    annotation = json.loads(table["annotation"][0].as_py())
    shape = random.choice(_SHAPES)
    voxels = gzip.compress(f"{shape}|".encode() + bytes(random.choice((0, 1, 120, 5_000_000))), mtime=0)
    annotation["spatialFigures"][0]["geometry"]["mask_3d"]["data"] = base64.b64encode(voxels).decode()
    texts = [json.dumps(annotation), *table["annotation"].to_pylist()[1:]]
    place = table.schema.get_field_index("annotation")
    buffer = io.BytesIO()
    pq.write_table(
        table.set_column(place, table.schema.field(place), pa.array(texts, pa.large_string())), buffer
    )
    return buffer.getvalue()


def write_case(case: Case, path: Path) -> None:
    """Write the archive of a case."""
    path.write_bytes(case.archive)
