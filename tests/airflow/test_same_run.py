"""A run that is tried again, or cleared, sees the same version; nobody else does."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from tests.support.airflow_runs import StateStore, running_context
from tests.support.forked import Forked, kill_at
from tests.support.projects import list_version_files, read_map, replace_archive, touch, write_map
from tests.support.proxy import alter
from tests.support.standalone import AIRFLOW_3_3
from tests.support.types import Client, Patch, Versions, Wire

pytestmark = pytest.mark.usefixtures("proxy")

Try = Callable[..., dict[str, Any]]


class Killed(BaseException):
    """Stands for the end of a worker."""


@pytest.fixture(params=["store", "file"] if AIRFLOW_3_3 else ["file"])
def memory(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What Airflow 3.3 gives a task to remember by; nothing before."""
    return {"task_state_store": StateStore()} if request.param == "store" else {}


@pytest.fixture
def attempt(memory: dict[str, Any], project_id: int) -> Try:
    """Try a run, once more or for the first time; returns its XComs."""

    def attempt(run: str = "manual__1", map_index: int = -1, **arguments: Any) -> dict[str, Any]:
        context = running_context(run_id=run, map_index=map_index, more=memory)
        arguments = {"project_id": project_id, "on_rerun": "same", **arguments}
        CreateProjectVersionOperator(task_id="back_up", **arguments).execute(context)
        pushed: dict[str, Any] = context["ti"].pushed
        return pushed

    return attempt


def named(pushed: dict[str, Any]) -> tuple[int, str]:
    return pushed["version"]["version_id"], pushed["version"]["archive_sha256"]


def test_ten_tries_of_a_run_see_one_version_whatever_is_edited_between(
    attempt: Try, client: Client, project_id: int, versions: Versions, proxy: Wire
):
    first = attempt()
    for _ in range(9):
        touch(client, project_id)
        asked = len(proxy.requests)
        again = attempt()
        assert len(proxy.requests) - asked <= 3
        assert named(again) == named(first)
        assert (again["version"]["status"], again["version"]["created"]) == ("reused", False)

    assert first["version"]["status"] == "created"
    assert len(versions.get_list(project_id)) == 1
    assert again["experiment"] == {**first["experiment"], "status": "reused"}


def test_a_run_that_found_nothing_changed_sees_that_version_again(
    attempt: Try, client: Client, project_id: int, versions: Versions
):
    made = versions.create(project_id)
    first = attempt()
    touch(client, project_id)
    versions.create(project_id)

    again = attempt()

    assert (first["version"]["status"], again["version"]["status"]) == ("unchanged", "reused")
    assert named(again) == named(first) == (made.version_id, made.archive_sha256)


def test_other_runs_and_other_mapped_tasks_get_versions_of_their_own(
    attempt: Try, client: Client, project_id: int
):
    seen = []
    for each in ({}, {"map_index": 0}, {"map_index": 1}, {"run": "backfill__2026-01-01"}):
        seen.append((each, named(attempt(**each))))
        touch(client, project_id)

    assert len({version for _, version in seen}) == 4
    assert [named(attempt(**each)) for each, _ in seen] == [version for _, version in seen]


def test_new_makes_a_version_for_every_try(attempt: Try, client: Client, project_id: int):
    first = attempt(on_rerun="new")
    touch(client, project_id)

    assert attempt(on_rerun="new")["version"]["version_num"] == first["version"]["version_num"] + 1


def lose_nothing(client: Client, project_id: int) -> None:
    """Leave all as it is."""


def lose_the_map(client: Client, project_id: int) -> None:
    """Leave what another tool, or a heal, makes of the map anew."""
    entries = {
        key: {"path": entry["path"]} if isinstance(entry, dict) else entry
        for key, entry in read_map(client, project_id).items()
    }
    write_map(client, project_id, entries)


@pytest.mark.parametrize("lose", [lose_nothing, lose_the_map])
@pytest.mark.parametrize("description", [None, "of mine"])
def test_a_try_that_ended_before_it_could_remember_is_found_by_its_mark(
    lose: Callable[..., None],
    description: str | None,
    attempt: Try,
    client: Client,
    project_id: int,
    monkeypatch: Patch,
):
    def kill(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(CreateProjectVersionOperator, "_record", kill)
        with pytest.raises(Killed):
            attempt(description=description)
    touch(client, project_id)
    lose(client, project_id)

    again = attempt(description=description)["version"]

    assert (again["status"], again["version_num"]) == ("reused", 1)
    assert named({"version": again}) == named(attempt(description=description))


def test_a_worker_that_was_killed_at_its_commit_and_all_later_tries_see_one_version(
    proxy: Wire, project_id: int, client: Client, versions: Versions, tmp_path: Path
):
    store = str(tmp_path / "store") if AIRFLOW_3_3 else "-"
    arguments = ["tests.support.killed_worker", str(project_id), "run", store, "create-same"]

    def start() -> Forked:
        return Forked(arguments, {**os.environ}, tmp_path / "output")

    kill_at(proxy, "projects.versions.commit", start, after_effect=True)
    seen = []
    for _ in range(2):
        touch(client, project_id)
        code, told = start().wait()
        assert code == 0, told
        seen.append(json.loads(told.splitlines()[-1]))

    [version] = versions.get_list(project_id)
    assert {(each["version_id"], each["archive_sha256"]) for each in seen} == {
        (version.version_id, seen[0]["archive_sha256"])
    }
    assert seen[1]["status"] == "reused"


def test_a_version_that_is_gone_fails_the_run_for_good(
    attempt: Try, proxy: Wire, project_id: int, versions: Versions, client: Client
):
    version_id, _ = named(attempt())
    touch(client, project_id)
    proxy.always("projects.versions.list", alter(lambda told: {**told, "entities": [], "total": 0}))

    with pytest.raises(AirflowFailException, match=rf"\(id {version_id}\) .* does not exist any more"):
        attempt()

    proxy.heal()
    assert len(versions.get_list(project_id)) == 1


def test_another_archive_under_the_same_version_fails_the_run_for_good(
    attempt: Try, versions: Versions, client: Client, project_id: int
):
    attempt()
    [version] = versions.get_list(project_id)
    made = versions.create(project_id)
    replace_archive(client, made, b"something else")

    with pytest.raises(AirflowFailException, match=rf"Version 1 \(id {version.version_id}\)"):
        attempt()


def test_a_memory_that_says_nothing_is_no_reason_for_another_version(
    attempt: Try, memory: dict[str, Any], client: Client, project_id: int, versions: Versions
):
    attempt()
    if store := memory.get("task_state_store"):
        [name] = store.values
        store.values[name] = {"result": {"version_id": "?"}}
    else:
        [name] = [
            name for name in list_version_files(client, project_id) if re.match("[0-9a-f]{16}[.]", name)
        ]
        client.files.upload(1, b"[]", f"/system/versions/{project_id}/runs/{name}")

    with pytest.raises(AirflowFailException, match="does not say which version this run saw"):
        attempt()
    assert len(versions.get_list(project_id)) == 1


def test_the_record_tells_the_data_the_run_and_what_changed_since_the_run_before(
    attempt: Try, client: Client, project_id: int, versions: Versions, tmp_path: Path, monkeypatch: Patch
):
    from tests.support.airflow_runs import RunningTask

    records: list[Any] = []
    monkeypatch.setattr(RunningTask, "xcom_pull", lambda self, **_: records[-1] if records else None)
    for number in range(3):
        file = tmp_path / f"{number}.json"
        records.append(attempt(f"run_{number}", experiment_file=str(file))["experiment"])
        assert json.loads(file.read_text()) == records[-1]
        touch(client, project_id)
        if number == 1:
            versions.create(project_id)
            touch(client, project_id)

    first, second, third = records
    assert first["format"] == "sv-experiment/1"
    assert (first["version_num"], first["run_id"], first["dag_id"]) == (1, "run_0", "training")
    assert (first["previous_run"], first["differences"]) == (None, None)
    assert "first run" in first["differences_note"]
    assert second["previous_run"] == {
        "run_id": "run_0", "version_id": first["version_id"], "version_num": 1,
    }  # fmt: skip
    assert second["differences"]["text"]
    # A version lies between, so the two are compared.
    assert third["version_num"] == 4
    assert third["differences"]["version_num"] == 2

    records.append(second)
    client.files.upload(1, b"gone", read_map(client, project_id)[str(second["version_id"])]["path"])
    fourth = attempt("run_3")
    assert (fourth["version"]["status"], fourth["experiment"]["differences"]) == ("created", None)
    assert "cannot be compared" in fourth["experiment"]["differences_note"]


def test_nobody_takes_another_key_for_that_of_a_run(versions: Versions, project_id: int):
    from airflow_sv_versioning.versioning.options import Run

    for key in ("", "0123456789ABCDEF", "0123456789abcdef0", 7):
        with pytest.raises(SuperviselyError, match="16 digits"):
            Run(key=key)  # type: ignore[arg-type]
