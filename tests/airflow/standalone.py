"""A real Airflow: scheduler, triggerer, API server and workers as processes, driven through REST."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]


class Standalone:
    """``airflow standalone`` with a home and a database of its own.

    The connection lives in the database alone; no environment variable knows it.
    """

    def __init__(self, home: Path, dag_text: str) -> None:
        self._home = home
        self._port = _free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        (home / "dags").mkdir(parents=True)
        (home / "dags" / "real.py").write_text(dag_text)
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "_AIRFLOW"))},
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            # It starts its parts by the name of the command.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "8",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(_free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(_free_port()),
        }
        self._token = ""

    def __enter__(self) -> Standalone:
        self._log = (self._home / "standalone.log").open("wb")
        self._sessions: list[subprocess.Popen[bytes]] = []
        self.start("standalone")
        try:
            wait_until(self._is_up, 120)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def start(self, part: str) -> None:
        """Start a part of Airflow, in a session of its own."""
        command = [sys.executable, "-m", "airflow", part]
        started = subprocess.Popen(
            command,
            env=self._environment,
            cwd=self._home,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._sessions.append(started)

    def call(self, verb: str, path: str, body: Any = None) -> Any:
        """Call the REST API."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=verb)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def add_connection(self, host: str, password: str) -> None:
        connection = {"conn_type": "supervisely", "host": host, "password": password}
        self.call("POST", "/api/v2/connections", {"connection_id": "supervisely_default", **connection})

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Start a run as soon as the DAG is known; returns its id."""
        wait_until(lambda: self._knows(dag_id), 90)
        run = self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        return list(self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"])

    def task(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        return dict(self.call("GET", path))

    def wait_for_state(self, dag_id: str, run_id: str, task_id: str, *states: str) -> dict[str, Any]:
        """Wait until a task is in one of the states."""
        found: list[dict[str, Any]] = []

        def reached() -> bool:
            found.append(self.task(dag_id, run_id, task_id))
            return found[-1]["state"] in states

        wait_until(reached, 150, lambda: f"{task_id} is {found[-1]['state']}, not {states}\n{self.tail()}")
        return found[-1]

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.call("GET", path)["value"]

    def slots(self) -> dict[str, int]:
        pool = self.call("GET", "/api/v2/pools/default_pool")
        return {state: pool[f"{state}_slots"] for state in ("running", "deferred", "queued")}

    def kill(self, *words: str) -> int:
        """Kill processes of this Airflow whose command line holds all words; returns how many."""
        killed = 0
        for pid in self._members():
            if all(word in _command(pid) for word in words):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        return killed

    def tail(self) -> str:
        return (self._home / "standalone.log").read_text(errors="replace")[-4000:]

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
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
            deadline = time.monotonic() + 15
            while self._members() and time.monotonic() < deadline:
                time.sleep(0.2)
        for started in self._sessions:
            started.wait()
        self._log.close()


def wait_until(reached: Callable[[], bool], seconds: float, told: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, told() or "It took too long."
        time.sleep(0.3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _session_members(session: int) -> list[int]:
    """List the living processes of a session: those that were started, and what they started."""
    found = []
    for path in Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.name))
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
