"""Versions are made and a vault is pruned in turns: a prune must not remove what a version counts on.

Who makes a version says so in ``state/running/<server>/<project id>.json`` and only then looks for a prune;
who prunes says so in ``state/running/prune.json`` and only then looks for versions in the making. So at least
one of the two sees the other: the version waits, the prune gives up. What a killed process leaves counts for
a while only.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from airflow_sv_versioning.exceptions import SuperviselyError, VaultError
from airflow_sv_versioning.runtime.moments import ago_text, from_seconds, now, since_text
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import list_entries

logger = logging.getLogger(__name__)

_RUNNING = "state/running"
_PRUNE = f"{_RUNNING}/prune.json"
_VERSION_SECONDS = 7 * 24 * 3600.0
_PRUNE_SECONDS = 3600.0
_REFRESH_SECONDS = 300.0
_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class _Turn:
    """A turn that somebody says to be taking.

    :param said_at: when that was said last; ``None`` where what is said cannot be understood.
    :param version_id: of the version that is being made, where it is one that was not there before.
    """

    said_at: datetime | None
    version_id: int | None = None

    @property
    def held_since(self) -> str:
        """Since when, for people."""
        return since_text(self.said_at) if self.said_at else "since nobody knows when"

    @property
    def heard_of(self) -> str:
        """How long ago that was said last, for people."""
        return f"last heard of {ago_text(self.said_at) if self.said_at else 'nobody knows when'}"


@contextmanager
def making_version(
    vault: Vault,
    owner: Owner,
    progress: Progress,
    patience_seconds: float,
    version_id: int | None = None,
) -> Iterator[None]:
    """Make a version meanwhile, once no prune is at work.

    :param version_id: of the version, where it is not there yet: once it is in the vault nobody need wait.
    :raises VaultError: somebody pruned the vault all the time.
    """
    name = _version_turn(owner)
    _say(vault, name, version_id=version_id)
    try:
        wait_for_prune(vault, progress, patience_seconds)
        yield
    finally:
        _take_back(vault, name)


def wait_for_prune(vault: Vault, progress: Progress, patience_seconds: float) -> None:
    """Wait until nobody prunes the vault; first say what a prune is to see.

    :raises VaultError: somebody pruned the vault all the time.
    """
    deadline = time.monotonic() + patience_seconds
    while turn := _find_turn(vault, _PRUNE, _PRUNE_SECONDS):
        if time.monotonic() >= deadline:
            raise VaultError(
                f"{vault.url} is being pruned ({turn.heard_of}; see its {_PRUNE}). Try again later."
            )
        progress.say(f"{vault.url} is being pruned ({turn.heard_of}); waiting.")
        progress.sleep(_LOOK_SECONDS)


def is_in_the_making(vault: Vault, owner: Owner) -> bool:
    """Say whether a version of a project is being made with a vault, as far as the vault was told."""
    return _find_making(vault, owner) is not None


@contextmanager
def pruning(vault: Vault) -> Iterator[Callable[[], None]]:
    """Prune meanwhile; call what is given now and then, so that versions go on waiting.

    :raises VaultError: a version is being made, or somebody else prunes.
    """
    if turn := _find_turn(vault, _PRUNE, _PRUNE_SECONDS):
        raise VaultError(
            f"Somebody else prunes {vault.url} ({turn.heard_of}); if that was killed, remove {_PRUNE} "
            "from it or wait an hour."
        )
    said_seconds = _say(vault, _PRUNE)

    def refresh() -> None:
        nonlocal said_seconds
        if time.time() - said_seconds > _REFRESH_SECONDS:
            said_seconds = _say(vault, _PRUNE)

    try:
        _refuse_running(vault)
        yield refresh
    finally:
        _take_back(vault, _PRUNE)


def _version_turn(owner: Owner) -> str:
    return f"{_RUNNING}/{owner.server}/{owner.project_id}.json"


def _refuse_running(vault: Vault) -> None:
    for server in vault.list_folders(_RUNNING):
        for file in vault.list_files(f"{_RUNNING}/{server}"):
            project = file.removesuffix(".json")
            owner = Owner(server, int(project)) if project.isdecimal() else None
            if owner and (turn := _find_making(vault, owner)):
                raise VaultError(
                    f"A version of {owner} is being made with {vault.url} {turn.held_since}. Prune it later; "
                    f"if that process was killed, make its version or remove {_version_turn(owner)} from "
                    "the vault."
                )


def _find_making(vault: Vault, owner: Owner) -> _Turn | None:
    """Find the turn of a version in the making; it is over when its maker was killed after the manifest."""
    turn = _find_turn(vault, _version_turn(owner), _VERSION_SECONDS)
    if turn and turn.version_id is not None:
        done = {entry.version_id for entry in list_entries(vault, owner)}
        return None if turn.version_id in done else turn
    return turn


def _say(vault: Vault, name: str, **what: int | None) -> float:
    now_seconds = time.time()
    vault.write_file(name, [json.dumps({"since": now_seconds, **what}).encode()])
    return now_seconds


def _take_back(vault: Vault, name: str) -> None:
    try:
        vault.remove_file(name)
    except SuperviselyError as error:
        # What was to be done is done, or has an error of its own; the mark only keeps others waiting.
        logger.warning("Could not remove %s: %s", name, error)


def _find_turn(vault: Vault, name: str, seconds: float) -> _Turn | None:
    """Find a turn that counts still: one that was said less than so many seconds ago."""
    content = b"".join(vault.iter_lines(name))
    if not content:
        return None
    try:
        said = json.loads(content)
        said_at, version_id = from_seconds(said["since"]), said.get("version_id")
    except (ValueError, KeyError, TypeError):
        return _Turn(None)
    return _Turn(said_at, version_id) if (now() - said_at).total_seconds() < seconds else None
