"""A real Airflow: scheduler, triggerer, API server and workers as processes, driven through REST."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from airflow import __version__ as airflow_version

from tests.support.airflow_runs import register_provider
from tests.support.ports import free_port
from tests.support.proxy import Request
from tests.support.types import Wire

ROOT = Path(__file__).parents[2]
AIRFLOW_3_3 = tuple(map(int, airflow_version.split(".")[:2])) >= (3, 3)
# The time limit of the sensor of the DAG `impatient`.
IMPATIENT_SECONDS = 25
# Other programs may have the cores: nothing here takes a tenth of this on a quiet machine.
PATIENCE_SECONDS = 400.0
TEST_SECONDS = 3 * PATIENCE_SECONDS
_ENDS = {"success", "failed", "skipped", "upstream_failed", "removed"}


class Standalone:
    """``airflow standalone`` with a home and a database of its own, and this provider registered.

    The connection lives in the database alone; no environment variable knows it.

    :param dags: files to copy into its DAG folder.
    :param environment: more variables for its processes.
    """

    def __init__(self, home: Path, dags: Iterable[Path], **environment: str) -> None:
        self.home = home
        self._port = free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        (home / "dags").mkdir(parents=True)
        for path in dags:
            shutil.copy(path, home / "dags")
        register_provider(home / "site")
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "_AIRFLOW"))},
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(home / "site"), str(ROOT), os.environ.get("PYTHONPATH")])
            ),
            # It starts its parts by the name of the command.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__WORKERS": "1",
            # The first answer of a busy machine takes long, and a question asked twice is refused.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            # What is dead is noticed soon.
            "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "2",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "12",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "8",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
            "IMPATIENT_SECONDS": str(IMPATIENT_SECONDS),
            **environment,
        }
        self._token = ""

    def __enter__(self) -> Standalone:
        self._log = (self.home / "standalone.log").open("wb")
        self._sessions: list[subprocess.Popen[bytes]] = []
        self.start("standalone")
        try:
            wait_until(self._is_up)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def start(self, part: str) -> None:
        """Start a part of Airflow, in a session of its own."""
        command = [sys.executable, "-m", "airflow", part]
        started = subprocess.Popen(
            command,
            env=self._environment,
            cwd=self.home,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._sessions.append(started)

    def call(self, verb: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call the REST API."""
        headers |= {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=verb)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.loads(answer.read() or b"null")

    def add_connection(self, host: str, password: str) -> None:
        connection = {"conn_type": "supervisely", "host": host, "password": password}
        self.call("POST", "/api/v2/connections", {"connection_id": "supervisely_default", **connection})

    def trigger(self, dag_id: str, partition_key: str | None = None, **conf: Any) -> str:
        """Start a run as soon as the DAG is known; returns its id."""
        wait_until(lambda: self._knows(dag_id))
        # Before 3.3 the word is refused.
        key = {} if partition_key is None else {"partition_key": partition_key}
        body = {"logical_date": None, "conf": conf, **key}
        run = self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)
        return str(run["dag_run_id"])

    def backfill(self, dag_id: str, **asked: Any) -> None:
        """Start a backfill as soon as the DAG is known."""

        def begun() -> bool:
            try:
                self.call("POST", "/api/v2/backfills", {"dag_id": dag_id, **asked})
            except urllib.error.HTTPError as error:
                # SQLite was locked. Where something was begun, the next request is refused with another code.
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise
                return False
            return True

        wait_until(lambda: self._knows(dag_id), self.tail)
        wait_until(begun, self.tail)

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """List the runs of a DAG, the latest first."""
        return list(self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns?order_by=-run_after")["dag_runs"])

    def wait_for_run(self, dag_id: str, run_id: str, state: str) -> None:
        """Wait until a run has ended, in this state."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        wait_until(lambda: self.call("GET", path)["state"] in _ENDS, self.tail)
        assert self.call("GET", path)["state"] == state, self.tail()

    def clear(self, dag_id: str, run_id: str) -> None:
        """Have all tasks of a run tried again."""
        self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/clear", {"dry_run": False})

    def task(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        return dict(self.call("GET", _task_path(dag_id, run_id, task_id)))

    def task_log(self, dag_id: str, run_id: str, task_id: str) -> list[dict[str, Any]]:
        """Read the log of a task's first try, as its page shows it."""
        path = f"{_task_path(dag_id, run_id, task_id)}/logs/1?full_content=true"
        return list(self.call("GET", path, Accept="application/json")["content"])

    def change_task(self, dag_id: str, run_id: str, task_id: str, **changes: Any) -> None:
        self.call("PATCH", _task_path(dag_id, run_id, task_id), changes)

    def links(self, dag_id: str, run_id: str, task_id: str) -> dict[str, str]:
        """Read where the buttons of a task lead."""
        path = f"{_task_path(dag_id, run_id, task_id)}/links"
        return dict(self.call("GET", path)["extra_links"])

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str) -> str:
        """Answer the question of a task as a person does; returns the question."""
        # A person is not so fast as to answer before the scheduler has seen the worker end.
        seen = f"TaskInstance Finished: dag_id={dag_id}, task_id={task_id}, run_id={run_id}"
        wait_until(lambda: seen in self.log(), self.tail)
        path = f"{_task_path(dag_id, run_id, task_id)}/-1/hitlDetails"
        question = str(self.call("GET", path)["body"])
        self.call("PATCH", path, {"chosen_options": [option], "params_input": {}})
        return question

    def wait_for(self, dag_id: str, run_id: str, task_id: str, *states: str) -> dict[str, Any]:
        """Wait until a task is in one of the states; fail as soon as it has ended in another one."""
        found: dict[str, Any] = {}

        def told() -> str:
            return f"{dag_id}.{task_id} is {found['state']}, not {states}\n{self.tail()}"

        def reached() -> bool:
            found.update(self.task(dag_id, run_id, task_id))
            assert found["state"] in states or found["state"] not in _ENDS, told()
            return found["state"] in states

        wait_until(reached, told)
        return found

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1
    ) -> Any:
        path = f"{_task_path(dag_id, run_id, task_id)}/xcomEntries/{key}?map_index={map_index}"
        return self.call("GET", path)["value"]

    def wait_for_version(self, dag_id: str, version_id: int) -> None:
        """Wait for the run that the event of a version starts: one and no other is told of it."""
        wait_until(lambda: version_id in self._told_versions(dag_id), self.tail)
        assert self._told_versions(dag_id).count(version_id) == 1

    def _told_versions(self, dag_id: str) -> list[int]:
        ended = [run["dag_run_id"] for run in self.runs(dag_id) if run["state"] == "success"]
        told = [self.xcom(dag_id, run_id, "read_versions") for run_id in ended]
        return [
            version for value in told for version in (json.loads(value) if isinstance(value, str) else value)
        ]

    def slots(self) -> dict[str, int]:
        pool = self.call("GET", "/api/v2/pools/default_pool")
        return {state: pool[f"{state}_slots"] for state in ("running", "deferred", "queued")}

    def kill(self, part: str) -> None:
        """Kill a part of this Airflow and all that it started, as when its machine dies."""
        parents = {pid: _status(pid)[0] for pid in self._members()}
        doomed = self._find(part)
        assert doomed, f"No {part} is running.\n{self.tail()}"
        while more := {pid for pid, parent in parents.items() if parent in doomed} - doomed:
            doomed |= more
        for pid in doomed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_worker(self) -> None:
        """Kill the process that runs a ``Backup`` task."""
        os.kill(self._worker(), signal.SIGKILL)

    def has_died(self, part: str) -> bool:
        """Whether neither the part is running nor the process of the latest ``Backup`` task."""
        return not self._find(part) and _status(self._worker()) == (0, 0)

    def _worker(self) -> int:
        return int((self.home / "worker.pid").read_text())

    def log(self) -> str:
        return (self.home / "standalone.log").read_text(errors="replace")

    def tail(self) -> str:
        return self.log()[-4000:]

    def _find(self, part: str) -> set[int]:
        return {pid for pid in self._members() if f"airflow {part}" in _command(pid)}

    def _knows(self, dag_id: str) -> bool:
        try:
            return not self.call("GET", f"/api/v2/dags/{dag_id}")["is_paused"]
        except urllib.error.HTTPError:
            return False

    def _is_up(self) -> bool:
        assert self._sessions[0].poll() is None, self.tail()
        try:
            health = self.call("GET", "/api/v2/monitor/health")
            parts = ("scheduler", "triggerer", "dag_processor", "metadatabase")
            if not all(health[part]["status"] == "healthy" for part in parts):
                return False
            self._token = self.call("GET", "/auth/token")["access_token"]
        except (OSError, KeyError):
            return False
        return True

    def _members(self) -> list[int]:
        return [pid for started in self._sessions for pid in _session_members(started.pid)]

    def _stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._members():
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline = time.monotonic() + 15
            while self._members() and time.monotonic() < deadline:
                time.sleep(0.2)
        for started in self._sessions:
            started.wait()
        self._log.close()


def _task_path(dag_id: str, run_id: str, task_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"


def asked(wire: Wire, method: str, project_id: int) -> list[Request]:
    """List the requests that were made about a project."""
    return [request for request in wire.seen(method) if request.json.get("projectId") == project_id]


def wait_until(reached: Callable[[], bool], told: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < deadline, told() or "It took too long."
        time.sleep(0.3)


def _session_members(session: int) -> list[int]:
    """List the living processes of a session: those that were started, and what they started."""
    numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in numbers if _status(pid)[1] == session]


def _status(pid: int) -> tuple[int, int]:
    """Read the parent and the session of a process; zeros if it is over."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0
    return (int(fields[1]), int(fields[3])) if fields[0] != "Z" else (0, 0)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
