"""What a version says of its originals: which vault holds them, and what was behind its links.

The archive's manifest names the vault; a member beside the payload, ``media.jsonl``, has a line for every
link whose content was kept, and for every original that could not be had:

.. code-block:: text

    {"link": "https://…", "hash": "…", "size_bytes": 812, "name": "a.jpg"}
    {"original": "https://…", "lost": "why"}
    {"original": "<hash>", "lost": "why"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.runtime.streams import iter_lines

MEMBER = "media.jsonl"


@dataclass(frozen=True)
class LinkedMedia:
    """What was behind a link when the version was made.

    :param content_hash: base64 of the SHA-256 of the bytes.
    :param name: of an item that had the link.
    """

    content_hash: str
    size_bytes: int
    name: str


@dataclass(frozen=True)
class MediaRecord:
    """Where the originals of a version are.

    :param vault_url: the vault that holds them, with the Airflow connection if it was opened with one.
    :param linked: link -> what was behind it.
    :param lost: hash or link -> why its original is not in the vault.
    """

    vault_url: str
    linked: Mapping[str, LinkedMedia] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[bytes]:
        """Write all but the vault as lines of JSON."""
        for link, linked_media in self.linked.items():
            entry = {
                "hash": linked_media.content_hash,
                "size_bytes": linked_media.size_bytes,
                "name": linked_media.name,
            }
            yield _line({"link": link, **entry})
        for key, why in self.lost.items():
            yield _line({"original": key, "lost": why})


def read_record(vault_url: str, lines: Path) -> MediaRecord:
    """Read a record back.

    :raises FormatError: it is damaged.
    """
    import msgspec

    # Flat, so that no line takes many times its length.
    decoder = msgspec.json.Decoder(dict[str, str | int])
    try:
        with lines.open("rb") as file:
            content = iter_lines(file, lines.stat().st_size, f"The archive's {lines.name}")
            return parse_lines(vault_url, map(decoder.decode, content))
    except (msgspec.MsgspecError, ValueError, KeyError, RecursionError) as error:
        raise FormatError(f"The archive's {lines.name} cannot be read: {error!r}.") from error


def parse_lines(vault_url: str, lines: Iterable[Any]) -> MediaRecord:
    """Take a record from its decoded lines; damage comes as ``KeyError``, ``TypeError`` or ``ValueError``."""
    linked: dict[str, LinkedMedia] = {}
    lost: dict[str, str] = {}
    for line in lines:
        if "lost" in line:
            lost[str(line["original"])] = str(line["lost"])
        else:
            linked_media = LinkedMedia(str(line["hash"]), int(line["size_bytes"]), str(line["name"]))
            linked[str(line["link"])] = linked_media
    return MediaRecord(vault_url, linked, lost)


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
