"""Versions are made and a store is pruned in turns: a prune must not remove what a version counts on.

Who makes a version says so in ``running/<server>/<project id>.json`` and only then looks for a prune; who
prunes says so in ``running/prune.json`` and only then looks for versions in the making. So at least one of
the two sees the other: the version waits, the prune gives up. What a killed process leaves counts for a
while only.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airflow_sv_versioning.exceptions import MediaStoreError, SuperviselyError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.store import MediaStore

logger = logging.getLogger(__name__)

_RUNNING = "running"
_PRUNE = f"{_RUNNING}/prune.json"
_VERSION_SECONDS = 7 * 24 * 3600.0
_PRUNE_SECONDS = 3600.0
_REFRESH_SECONDS = 300.0
_LOOK_SECONDS = 5.0


@contextmanager
def making_version(
    store: MediaStore, owner: Owner, progress: Progress, patience_seconds: float
) -> Iterator[None]:
    """Make a version meanwhile, once no prune is at work.

    :raises MediaStoreError: somebody pruned the store all the time.
    """
    name = f"{_RUNNING}/{owner.server}/{owner.project_id}.json"
    _say(store, name)
    try:
        deadline = time.monotonic() + patience_seconds
        while _is_young(store, _PRUNE, _PRUNE_SECONDS):
            if time.monotonic() >= deadline:
                raise MediaStoreError(f"{store.url} is being pruned (see its {_PRUNE}). Try again later.")
            progress.say(f"{store.url} is being pruned; waiting.")
            progress.sleep(_LOOK_SECONDS)
        yield
    finally:
        _take_back(store, name)


@contextmanager
def pruning(store: MediaStore) -> Iterator[Callable[[], None]]:
    """Prune meanwhile; call what is given now and then, so that versions go on waiting.

    :raises MediaStoreError: a version is being made, or somebody else prunes.
    """
    if _is_young(store, _PRUNE, _PRUNE_SECONDS):
        raise MediaStoreError(
            f"Somebody else prunes {store.url}; if that was killed, remove {_PRUNE} from it or wait an hour."
        )
    said = _say(store, _PRUNE)

    def refresh() -> None:
        nonlocal said
        if time.time() - said > _REFRESH_SECONDS:
            said = _say(store, _PRUNE)

    try:
        _refuse_running(store)
        yield refresh
    finally:
        _take_back(store, _PRUNE)


def _refuse_running(store: MediaStore) -> None:
    for server in store.list_folders(_RUNNING):
        for file in store.list_files(f"{_RUNNING}/{server}"):
            name = f"{_RUNNING}/{server}/{file}"
            if _is_young(store, name, _VERSION_SECONDS):
                project = file.removesuffix(".json")
                raise MediaStoreError(
                    f"A version of project {project} of {server} is being made with {store.url}. Prune it "
                    f"later; if that process was killed, make its version or remove {name} from the store."
                )


def _say(store: MediaStore, name: str) -> float:
    now = time.time()
    store.write_file(name, [json.dumps({"since": now}).encode()])
    return now


def _take_back(store: MediaStore, name: str) -> None:
    try:
        store.remove_file(name)
    except SuperviselyError as error:
        # What was to be done is done, or has an error of its own; the mark only keeps others waiting.
        logger.warning("Could not remove %s: %s", name, error)


def _is_young(store: MediaStore, name: str, seconds: float) -> bool:
    content = b"".join(store.iter_lines(name))
    if not content:
        return False
    try:
        since = float(json.loads(content)["since"])
    except (ValueError, KeyError, TypeError):
        return True
    return time.time() - since < seconds
