"""What workers bring into a vault before a version is made, so that no prune removes it until then.

Nobody needs such contents yet. Who brings some says so first, in a file of its own,
``state/filling/<server>/<project id>/<name>.jsonl``: a line ``{"since": seconds}``, then ``{"hash": "…"}``
for each. What it names counts as needed for seven days.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.vault.proof import hex_digest
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault

_FILLING = "state/filling"
FILLING_DAYS = 7
_SECONDS = FILLING_DAYS * 24 * 3600


def note_filling(vault: Vault, owner: Owner, content_hashes: Iterable[str]) -> None:
    """Say what is about to be brought in."""
    lines = [{"since": time.time()}, *({"hash": content_hash} for content_hash in content_hashes)]
    name = f"{_folder(owner)}/{uuid.uuid4().hex}.jsonl"
    vault.write_file(name, (json.dumps(line).encode() + b"\n" for line in lines))


def iter_filling(vault: Vault) -> Iterator[bytes]:
    """Stream the digests of what was brought in, or was to be, in the last seven days.

    :raises FormatError: a file is damaged.
    """
    for name in _list_names(vault):
        yield from _read(vault, name) or ()


def clear_fillings(vault: Vault) -> None:
    """Remove what was said more than seven days ago.

    :raises FormatError: a file is damaged.
    """
    for name in _list_names(vault):
        if _read(vault, name) is None:
            vault.remove_file(name)


def _read(vault: Vault, name: str) -> Iterator[bytes] | None:
    """Read a file; ``None`` where it counts no longer, or is gone."""
    lines = map(json.loads, vault.iter_lines(name))
    try:
        is_young = time.time() - float(next(lines, {"since": 0})["since"]) < _SECONDS
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(vault, name, error) from error
    return _digests(vault, name, lines) if is_young else None


def _digests(vault: Vault, name: str, lines: Iterator[dict[str, str]]) -> Iterator[bytes]:
    try:
        for line in lines:
            yield bytes.fromhex(hex_digest(line["hash"]))
    except (ValueError, TypeError, KeyError, RecursionError, FormatError) as error:
        raise _damaged(vault, name, error) from error


def _damaged(vault: Vault, name: str, error: Exception) -> FormatError:
    return FormatError(
        f"{name} of {vault.url} cannot be read: {error!r}. It names what a fill brought in; remove it, and "
        "fill the vault again where its version is not made yet."
    )


def _list_names(vault: Vault) -> Iterator[str]:
    for server in vault.list_folders(_FILLING):
        for project in vault.list_folders(f"{_FILLING}/{server}"):
            folder = f"{_FILLING}/{server}/{project}"
            yield from (f"{folder}/{file}" for file in vault.list_files(folder))


def _folder(owner: Owner) -> str:
    return f"{_FILLING}/{owner.server}/{owner.project_id}"
