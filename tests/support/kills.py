"""Kill processes that make versions and restore them, at a chosen request, and look what the next run finds.

``python -m tests.support.kills --count 200`` kills so many, spread over the types, creates and restores, the
command and a task's operator in a process of its own, and prints a table; parts may run side by side.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Reservation
from airflow_sv_versioning.exceptions import VersionBusyError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.snapshot.origin import is_draft
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.forked import Forked
from tests.support.photos import write_photos
from tests.support.projects import list_version_files, make_project, touch
from tests.support.proxy import Exchange, FaultProxy, Reply
from tests.support.video_projects import make_video_project, write_videos
from tests.support.volumes import make_volume_project

GroundT = TypeVar("GroundT")

TYPES = ("images", "videos", "volumes")
ACTIONS = ("create", "restore")
WORKERS = ("command", "task")
MOMENTS = ("before", "after", "between")


@dataclass(frozen=True)
class Work:
    """What is killed: the command, or a task's operator; it creates or restores a version of a project."""

    worker: str
    action: str
    project_type: str

    def __str__(self) -> str:
        return f"{self.worker} {self.action} {self.project_type}"


@dataclass
class Tally:
    """What came of the kills of one kind of work.

    :ivar locks: how many left a reservation.
    :ivar drafts: how many left a project that says it is being restored.
    :ivar wrong: what the next run did not put right.
    """

    kills: int = 0
    locks: int = 0
    drafts: int = 0
    wrong: list[str] = field(default_factory=list)


class Ground:
    """A server, a wire to it, and folders in which the killed processes keep their things."""

    def __init__(self, client: SuperviselyClient, wire: FaultProxy, token: str, folder: Path) -> None:
        self.client = client
        self.wire = wire
        self.folder = folder
        self.work_folder, self.state_folder = folder / "tmp", folder / "state"
        self.work_folder.mkdir()
        connection = {"conn_type": "supervisely", "host": wire.url, "password": token}
        self._environment = {
            "SERVER_ADDRESS": wire.url,
            "API_TOKEN": token,
            "AIRFLOW_CONN_SUPERVISELY_DEFAULT": json.dumps(connection),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "XDG_STATE_HOME": str(self.state_folder),
            "TMPDIR": str(self.work_folder),
        }
        self._projects: dict[str, int] = {}
        self._lengths: dict[Work, int] = {}

    def project(self, project_type: str) -> int:
        """Find the project of a type, which has a version."""
        if project_type not in self._projects:
            self._projects[project_type] = self._make(project_type)
            ProjectVersions(self.client).create(self._projects[project_type])
        return self._projects[project_type]

    def start(self, work: Work) -> Forked:
        """Begin the work in a process of its own."""
        return Forked(self._arguments(work), self._environment, self.folder / "output")

    def length(self, work: Work) -> int:
        """Count the requests of one undisturbed run."""
        if work not in self._lengths:
            touch(self.client, self.project(work.project_type))
            self.wire.heal()
            code, told = self.start(work).wait()
            assert code == 0, told
            self._lengths[work] = len(self.wire.requests)
            self._remove_copies(work)
        return self._lengths[work]

    def kill(self, work: Work, at: int, moment: str) -> None:
        """Begin the work and kill its process at a request: before it, after its effect, or soon after."""
        self.wire.heal()
        started = threading.Event()
        running: list[Forked] = []
        numbers = iter(range(10_000))

        def fault(exchange: Exchange) -> Reply | None:
            if next(numbers) != at:
                return exchange.forward()
            started.wait()
            reply = None if moment == "before" else exchange.forward()
            if moment != "between":
                running[0].kill()
                return None
            threading.Timer(random.uniform(0, 0.1), running[0].kill).start()
            return reply

        self.wire.always("*", fault)
        running.append(self.start(work))
        started.set()
        running[0].wait()
        self.wire.heal()

    def check(self, work: Work, at: int, moment: str, tally: Tally) -> None:
        """Kill the work once, begin it again, and note what is not right then."""
        project_id = self.project(work.project_type)
        touch(self.client, project_id)
        known = self._copies(work)
        self.kill(work, at, moment)
        tally.kills += 1
        tally.locks += self._is_locked(project_id)
        left = self._copies(work) - known
        tally.drafts += sum(map(self._is_draft, left))
        where = f"{work}, {moment} request {at}"
        tally.wrong += [
            f"{where}: project {each} is half and looks whole" for each in left if self._lies(work, each)
        ]

        touch(self.client, project_id)
        code, told = self.start(work).wait()
        wrong = [f"the next run ended with {code}: {told[-600:]}"] if code else []
        wrong += self._find_wrong(work, known)
        tally.wrong += [f"{where}: {each}" for each in wrong]
        self._remove_copies(work)

    def _find_wrong(self, work: Work, known: set[int]) -> Iterator[str]:
        project_id = self.project(work.project_type)
        if self._is_locked(project_id):
            yield "the project stays locked"
        archives = {version.archive for version in self._list_versions(project_id)} | {"versions.json"}
        if lost := list_version_files(self.client, project_id) - archives:
            yield f"archives of no version stay: {lost}"
        for copy in self._copies(work) - known:
            if self._is_draft(copy) or self._lies(work, copy):
                yield f"project {copy} is half"
        if rest := list(self.work_folder.iterdir()):
            yield f"work folders stay: {rest}"
        if marks := list(self.state_folder.rglob("*.json")):
            yield f"marks stay: {marks}"

    def _arguments(self, work: Work) -> list[str]:
        project_id = self.project(work.project_type)
        if work.worker == "task":
            store = self.folder / f"{work}.json"
            return ["tests.support.killed_worker", str(project_id), "run", str(store), work.action]
        which = ["--version-num", "1"] if work.action == "restore" else []
        return ["airflow_sv_versioning.cli", work.action, str(project_id), *which]

    def _make(self, project_type: str) -> int:
        if project_type == "images":
            return make_project(self.client, sorted(write_photos(self.folder / "photos", 3).iterdir()))
        if project_type == "videos":
            return make_video_project(self.client, write_videos(self.folder / "films", 2))
        return make_volume_project(self.client, self.folder)

    def _list_versions(self, project_id: int) -> list[_Version]:
        listed = self.client.versions.list_all(project_id)
        files = [self.client.files.find_by_id(version.team_file_id or 0) for version in listed]
        return [_Version(Path(file.path).name if file else "lost") for file in files]

    def _is_locked(self, project_id: int) -> bool:
        try:
            reserved = self.client.versions.reserve(project_id)
        except VersionBusyError:
            return True
        if isinstance(reserved, Reservation):
            self.client.versions.cancel(reserved)
        return False

    def _copies(self, work: Work) -> set[int]:
        """Find the projects that restores of this type have made."""
        made = set(self._projects.values())
        listed = self.client.projects.list_all(1)
        return {one.id for one in listed if one.type == work.project_type and one.id not in made}

    def _is_draft(self, project_id: int) -> bool:
        project = self.client.projects.get(project_id)
        return is_draft(project.name, project.custom_data)

    def _lies(self, work: Work, project_id: int) -> bool:
        """Say whether a project has less than its source and does not say so."""
        source = self.project(work.project_type)
        return not self._is_draft(project_id) and self._count(work, project_id) != self._count(work, source)

    def _count(self, work: Work, project_id: int) -> Counter[str]:
        found: Counter[str] = Counter()
        for dataset in self.client.datasets.list_all(project_id):
            found["datasets"] += 1
            found.update(project_type_of(work.project_type).count(self.client, dataset.id))
        return found

    def _remove_copies(self, work: Work) -> None:
        for copy in self._copies(work):
            self.client.projects.archive(copy)


@dataclass(frozen=True)
class _Version:
    archive: str


@contextmanager
def new_ground(folder: Path, make: Callable[..., GroundT]) -> Iterator[GroundT]:
    """Run a server of its own for what is killed."""
    from airflow_sv_versioning.server.run import EmbeddedServer

    with (
        EmbeddedServer(folder / "server") as server,
        FaultProxy(server.info.url) as wire,
        SuperviselyClient(server.info.url, server.info.token) as client,
    ):
        (folder / "ground").mkdir()
        yield make(client, wire, server.info.token, folder / "ground")


def spread(length: int, count: int, seed: int) -> list[tuple[int, str]]:
    """Choose requests of a run, each once before any comes twice, and how to kill there."""
    chosen: list[tuple[int, str]] = []
    drawn = random.Random(seed)
    everywhere = [(at, moment) for moment in MOMENTS for at in range(length)]
    while len(chosen) < count:
        drawn.shuffle(everywhere)
        chosen += everywhere
    return chosen[:count]


def run(ground: Ground, count: int, seed: int, only: str, said: Callable[[str], None]) -> dict[Work, Tally]:
    """Kill so many processes in all, of the works whose name holds ``only``."""
    works = [work for work in (Work(*each) for each in product(WORKERS, ACTIONS, TYPES)) if only in str(work)]
    tallies: dict[Work, Tally] = {}
    for number, work in enumerate(works):
        share = count // len(works) + (number < count % len(works))
        tally = tallies[work] = Tally()
        for at, moment in spread(ground.length(work), share, seed + number):
            ground.check(work, at, moment, tally)
        said(f"{work}: {tally.kills} kills, {len(tally.wrong)} wrong")
        for each in tally.wrong:
            said(f"  {each}")
    return tallies


def table(tallies: dict[Work, Tally]) -> list[str]:
    """Lay the tallies out as Markdown."""
    head = ["worker", "action", "type", "kills", "left a lock", "left a marked half project", "not put right"]
    rows: list[list[Any]] = [
        [w.worker, w.action, w.project_type, t.kills, t.locks, t.drafts, len(t.wrong)]
        for w, t in tallies.items()
    ]
    sums = [sum(row[column] for row in rows) for column in range(3, 7)]
    lines: list[list[Any]] = [head, ["---"] * len(head), *rows, ["all", "", "", *sums]]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


def main() -> int:
    """Kill as many as asked for; the exit code says whether the next runs put everything right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", metavar="TEXT", help='a part, such as "task restore"')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, new_ground(Path(folder), Ground) as ground:
        tallies = run(
            ground, arguments.count, arguments.seed, arguments.only, lambda line: print(line, flush=True)
        )
    print("\n".join(table(tallies)))
    return 1 if any(tally.wrong for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
