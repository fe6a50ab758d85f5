"""Kill processes at what they do to a vault, and look what it holds then and after the next run.

``python -m tests.support.vault_kills --count 200`` kills so many, spread over the actions and all that each
of them does to the vault, and prints what came of it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import VaultError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault import backends
from airflow_sv_versioning.vault.audit import check_vault
from airflow_sv_versioning.vault.locks import pruning
from airflow_sv_versioning.vault.references import find_needs
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import iter_versions
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.forked import Forked
from tests.support.kills import TYPES, new_ground, spread
from tests.support.photos import write_photos
from tests.support.projects import add_dataset, make_project, touch
from tests.support.proxy import FaultProxy
from tests.support.video_projects import make_video_project, write_videos
from tests.support.volumes import make_volume_project

ACTIONS = ("create", "push", "prune", "fill")
_CHANGES = ("write", "create", "remove", "move")


@dataclass
class Tally:
    """What came of the kills of one action.

    :ivar wrong: what a vault held that it should not, or lacked, and what the next run did not put right.
    """

    kills: int = 0
    wrong: list[str] = field(default_factory=list)


class VaultGround:
    """A server, a vault, and projects whose versions are brought there by processes that are killed."""

    def __init__(self, client: SuperviselyClient, wire: FaultProxy, token: str, folder: Path) -> None:
        self.client = client
        self.versions = ProjectVersions(client)
        self.root = folder / "vault"
        self._folder = folder
        self._environment = {
            "SERVER_ADDRESS": wire.url,
            "API_TOKEN": token,
            "XDG_STATE_HOME": str(folder / "state"),
            "TMPDIR": str(folder),
        }
        self._projects: dict[str, int] = {}

    def length(self, action: str, project_type: str) -> int:
        """Count what one undisturbed run does to the vault."""
        self._prepare(action, project_type)
        return int(self._run(action, project_type, -1, "before"))

    def check(self, action: str, project_type: str, at: int, moment: str, tally: Tally) -> None:
        """Kill the action once, run it again, and note what is not right."""
        self._prepare(action, project_type)
        held_before = self._held()
        tally.kills += 1
        where = f"{action} of {project_type}, {moment} change {at}"
        self._run(action, project_type, at, moment)
        tally.wrong += [f"{where}: {each}" for each in self._find_wrong(held_before)]
        # Who prunes says so for an hour; a person who knows better takes the mark away.
        Vault(self.root).remove_file("state/running/prune.json")
        self._run(action, project_type, -1, "before")
        wrong = [*self._find_wrong(held_before), *self._find_unfinished(action, project_type)]
        tally.wrong += [f"{where}, and run again: {each}" for each in wrong]

    def _prepare(self, action: str, project_type: str) -> None:
        """Have something to do: a changed project, a version that is not there, contents nobody needs."""
        project_id = self._project(project_type)
        touch(self.client, project_id)
        if action == "push":
            self.versions.create(project_id)
        if action == "prune":
            vault = Vault(self.root)
            vault.prepare()
            vault.add([os.urandom(64)])
            vault.add([os.urandom(64)])
        if action == "fill":
            add_dataset(self.client, project_id, uuid.uuid4().hex, [self._new_photo()])

    def _run(self, action: str, project_type: str, at: int, moment: str) -> str:
        output = self._folder / "output"
        arguments = [
            "tests.support.vault_kills",
            str(self.root),
            action,
            str(self._project(project_type)),
            str(at),
            moment,
        ]
        code, told = Forked(arguments, self._environment, output).wait()
        if code not in {0, -signal.SIGKILL} or (at < 0 and code):
            raise AssertionError(told)
        return told.splitlines()[-1] if told else ""

    def _held(self) -> dict[str, Any]:
        return {held.key: held for held in iter_versions(Vault(self.root))} if self.root.exists() else {}

    def _find_wrong(self, held_before: dict[str, Any]) -> Iterator[str]:
        """Say what is wrong with a vault, whoever was killed."""
        held = self._held()
        if lost := held_before.keys() - held.keys():
            yield f"versions are gone: {lost}"
        vault = Vault(self.root)
        for version in held.values():
            if vault.find_archive_size(version.archive_sha256) != version.archive_size_bytes:
                yield f"{version.key} has a manifest and no archive"
            needs = find_needs(vault, version.owner, version.version_id)
            if needs is None:
                yield f"{version.key} has a manifest, and nobody knows what it needs"
            elif absent := needs.contents() - vault.find_sizes(needs.contents()).keys():
                yield f"{version.key} has a manifest and lacks {absent}"

    def _find_unfinished(self, action: str, project_type: str) -> Iterator[str]:
        """Say what the next run should have finished."""
        project_id = self._project(project_type)
        listed = {version.version_id for version in self.client.versions.list_all(project_id)}
        held = {version.version_id for version in self._held().values() if version.project_id == project_id}
        if action == "push" and held != listed:
            yield f"versions {listed - held} are not in the vault"
        if action == "create" and max(listed) not in held:
            yield f"version id {max(listed)} is not in the vault"
        vault = Vault(self.root)
        try:
            with pruning(vault):
                pass
        except VaultError as error:
            yield f"nobody can prune it: {error}"
        checked = check_vault(vault, Progress())
        if not checked.is_good:
            yield f"the vault is not good: {checked.as_dict()}"

    def _project(self, project_type: str) -> int:
        if project_type not in self._projects:
            self._projects[project_type] = self._make(project_type)
        return self._projects[project_type]

    def _new_photo(self) -> Path:
        """Make a photo that no other is like."""
        photo = self._folder / "photos" / f"{uuid.uuid4().hex}.png"
        photo.write_bytes(next(photo.parent.iterdir()).read_bytes() + os.urandom(16))
        return photo

    def _make(self, project_type: str) -> int:
        if project_type == "images":
            return make_project(self.client, sorted(write_photos(self._folder / "photos", 3).iterdir()))
        if project_type == "videos":
            return make_video_project(self.client, write_videos(self._folder / "films", 2))
        return make_volume_project(self.client, self._folder)


def main(root: str, action: str, project_id: str, at: str, moment: str) -> None:
    """Do something with a vault, and be killed at a change of it; prints how many changes there were."""
    changes = _kill_at(int(at), moment)
    with SuperviselyClient(os.environ["SERVER_ADDRESS"], os.environ["API_TOKEN"]) as client:
        versions = ProjectVersions(client)
        if action == "create":
            versions.create(int(project_id), vault=Path(root))
        elif action == "push":
            versions.push_to_vault(int(project_id), Path(root))
        elif action == "fill":
            versions.fill_vault(int(project_id), Path(root))
        else:
            versions.prune_vault(Path(root), [int(project_id)])
    print(len(changes))


def _kill_at(at: int, moment: str) -> list[str]:
    """Have this process killed at one change of a vault: before it, between its bytes, or after it."""
    changes: list[str] = []

    def killed(change: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapped(backend: Any, *arguments: Any, **options: Any) -> Any:
            changes.append(name)
            if len(changes) - 1 != at:
                return change(backend, *arguments, **options)
            if moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            if moment == "between" and name in {"write", "create"}:
                arguments = (_cut(arguments[0]), *arguments[1:])
            result = change(backend, *arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)
            return result

        return wrapped

    for backend in (backends.Folder, backends.Bucket):
        for name in _CHANGES:
            setattr(backend, name, killed(getattr(backend, name), name))
    return changes


def _cut(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Give half of the first chunk, and end the process."""
    for chunk in chunks:
        yield chunk[: len(chunk) // 2]
        break
    os.kill(os.getpid(), signal.SIGKILL)


def run(ground: VaultGround, count: int, seed: int) -> dict[str, Tally]:
    """Kill so many processes in all."""
    works = [(action, project_type) for project_type in TYPES for action in ACTIONS]
    # What differs between types is how a version is made of them.
    works = [work for work in works if work[0] != "fill" or work[1] == "images"]
    tallies: dict[str, Tally] = {}
    for number, (action, project_type) in enumerate(works):
        share = count // len(works) + (number < count % len(works))
        tally = tallies[f"{action} {project_type}"] = Tally()
        for at, moment in spread(ground.length(action, project_type), share, seed + number):
            ground.check(action, project_type, at, moment, tally)
        print(f"{action} {project_type}: {tally.kills} kills, {len(tally.wrong)} wrong", flush=True)
        for each in tally.wrong:
            print(f"  {each}", flush=True)
    return tallies


def program() -> int:
    """Kill as many as asked for; the exit code says whether vaults were right all the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, new_ground(Path(folder), VaultGround) as ground:
        tallies = run(ground, arguments.count, arguments.seed)
    print(f"{sum(tally.kills for tally in tallies.values())} kills")
    return 1 if any(tally.wrong for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(program())
