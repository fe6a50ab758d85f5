"""Workers are killed in every state of a version in the making, and tried again."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.installation import INSTALLATION
from airflow_sv_versioning.operators.restored import RestoreForRunOperator
from tests.support import forked
from tests.support.airflow_runs import StateStore, running_context, state
from tests.support.forked import Forked
from tests.support.projects import count_projects, list_version_files, touch
from tests.support.proxy import Exchange, first
from tests.support.types import Client, Made, Patch, RunDag, Versions, Wire

Start = Callable[..., Forked]
KillAt = Callable[..., None]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a worker of its own, for a run's create or restore."""
    numbers = count()

    def start(project_id: int, store: Path | str, run_id: str = "run", action: str = "create") -> Forked:
        arguments = ["tests.support.killed_worker", str(project_id), run_id, str(store), action]
        return Forked(arguments, {**os.environ}, tmp_path / f"output {next(numbers)}")

    return start


def finish(worker: Forked) -> dict[str, Any]:
    code, out = worker.wait()
    assert code == 0, out
    return json.loads(out.splitlines()[-1])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def kill_at(start: Start, proxy: Wire, project_id: int) -> KillAt:
    """Kill a worker of its own with SIGKILL at its request for a method."""

    def kill(method: str, store: Path | str, *, after_effect: bool = False, action: str = "create") -> None:
        begin = partial(start, project_id, store, action=action)
        forked.kill_at(proxy, method, begin, after_effect=after_effect)

    return kill


@pytest.mark.parametrize("method", ["figures.list", "file-storage.bulk.upload", "projects.versions.commit"])
def test_the_next_try_of_a_killed_worker_gives_its_reservation_back(
    method,
    start: Start,
    kill_at: KillAt,
    proxy: Wire,
    project_id,
    store: Path,
    versions: Versions,
    client: Client,
):
    kill_at(method, store)

    made = finish(start(project_id, store))

    assert made["created"]
    assert [info.version_id for info in versions.get_list(project_id)] == [made["version_id"]]
    assert len(proxy.seen("projects.versions.cancel-reservation")) == 1
    # The archive of the killed try is gone, too.
    assert len([name for name in list_version_files(client, project_id) if name.endswith(".zst")]) == 1
    assert json.loads(store.read_text()) == {}
    assert versions.restore(project_id, made["version_id"]).counts["images"] == 3


def test_the_next_try_returns_the_version_that_the_killed_worker_had_committed(
    start: Start, kill_at: KillAt, project_id: int, store: Path, versions: Versions, client: Client
):
    kill_at("projects.versions.commit", store, after_effect=True)
    [committed] = versions.get_list(project_id)
    touch(client, project_id)

    made = finish(start(project_id, store))

    assert (made["version_id"], made["created"]) == (committed.version_id, True)
    assert made["counts"]["images"] == 3
    assert len(versions.get_list(project_id)) == 1
    assert json.loads(store.read_text()) == {}


def test_a_worker_killed_before_it_knows_its_reservation_finds_it_again(
    start: Start, kill_at: KillAt, project_id: int, store: Path
):
    kill_at("projects.versions.reserve", store, after_effect=True)

    assert finish(start(project_id, store))["created"]


def test_without_a_store_the_server_knows_the_owner_again(start: Start, kill_at: KillAt, project_id: int):
    kill_at("figures.list", "-")

    assert finish(start(project_id, "-"))["created"]


def test_another_run_does_not_take_a_killed_workers_reservation(
    kill_at: KillAt, project_id: int, versions: Versions
):
    kill_at("figures.list", "-")

    with pytest.raises(Exception, match=r"already committing .* for training/run/back_up/-1"):
        versions.create(project_id, busy_timeout_seconds=0)


def test_two_runs_at_once_end_with_the_same_version(
    start: Start, proxy: Wire, project_id: int, tmp_path: Path, versions: Versions
):
    others: list[Forked] = []

    def let_another_come() -> None:
        if not others:
            others.append(start(project_id, tmp_path / "second", "second"))
            while len(proxy.seen("projects.versions.reserve")) < 2:
                pass

    proxy.on("figures.list", first(let_another_come))

    made = finish(start(project_id, tmp_path / "first", "first"))
    found = finish(others[0])

    assert (made["created"], found["created"]) == (True, False)
    assert made["version_id"] == found["version_id"]
    assert len(versions.get_list(project_id)) == 1


def test_a_reservation_that_cannot_be_given_back_stays_remembered(proxy: Wire, project_id: int):
    store = StateStore()
    context = running_context(more={"task_state_store": store})
    operator = CreateProjectVersionOperator(task_id="create", project_id=project_id)
    proxy.on("figures.list", first(operator.on_kill))
    proxy.always("projects.versions.cancel-reservation", lambda _: None)

    with pytest.raises(Exception, match="asked to"):
        operator.execute(context)

    [mark] = store.values.values()
    assert mark["version_id"] is not None
    assert mark["owner"] == "training/manual__2026-03-01/back_up/-1"
    proxy.heal()
    # Another process makes the next try, with an operator that nobody has asked to stop.
    assert CreateProjectVersionOperator(task_id="create", project_id=project_id).execute(context)
    assert store.values == {}


def test_a_task_that_takes_too_long_gives_its_reservation_back(
    proxy: Wire, run_dag: RunDag, dag_id: str, project_id: int, versions: Versions
):
    def hang(_: Exchange) -> None:
        proxy.closing.wait(5)

    proxy.on("file-storage.bulk.upload", hang)
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator(
            task_id="create", project_id=project_id, execution_timeout=timedelta(seconds=3)
        )

    ended = run_dag(dag)

    assert state(ended, "create") == "failed"
    assert len(proxy.seen("projects.versions.cancel-reservation")) == 1
    assert versions.create(project_id, busy_timeout_seconds=0).created


def start_experiment(project_id: int, run_id: str, **runs: str) -> int:
    """Restore version 1 for a run, as a worker that never saw the earlier ones."""
    context = running_context(run_id=run_id, runs=runs, more={"task_state_store": StateStore()})
    operator = RestoreForRunOperator(
        task_id="restore", group="experiment", project_id=project_id, version_num=1
    )
    return operator.execute(context) or 0


@pytest.mark.parametrize(
    ("method", "after_effect"), [("projects.add", True), ("images.bulk.add", False), (None, False)], ids=str
)
def test_the_next_run_removes_what_a_killed_run_had_restored(
    method,
    after_effect,
    start: Start,
    kill_at: KillAt,
    monkeypatch: Patch,
    client: Client,
    project_id: int,
    store: Path,
    made: Made,
):
    monkeypatch.setenv(f"AIRFLOW_VAR_{INSTALLATION.upper()}", f"of project {project_id}")
    before = count_projects(client)
    if method is None:
        # Whole, when the rest of its run was killed.
        finish(start(project_id, store, action="restore-for-run"))
    else:
        kill_at(method, store, after_effect=after_effect, action="restore-for-run")
    assert count_projects(client) == before + 1

    meanwhile = start_experiment(project_id, "second", run="running", second="running")
    assert count_projects(client) == before + 2
    start_experiment(project_id, "third", run="failed", second="running", third="running")

    # The killed one is gone; that of the second run, and the new one, are there.
    assert count_projects(client) == before + 2
    assert client.projects.get(meanwhile).images_count == 3
