"""Real Airflow runs of the example DAGs, in a child process with an Airflow home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from airflow_sv_versioning.demo.processes import Server, child, time_limit
from airflow_sv_versioning.exceptions import ConfigurationError, RemoteTaskFailedError

# The driver is a program: importing it here would import Airflow.
_DRIVER = "airflow_sv_versioning.demo.airflow_driver"
ANSWER = "demo-answer: "
"""How a line of the driver starts that is no log."""

PREPARE_SECONDS = 120
RUN_SECONDS = 120

XComs = Mapping[str, Any]


@dataclass(frozen=True)
class AirflowHome:
    """Where Airflow keeps its things, and what it is told.

    :param log: takes all that Airflow prints.
    """

    folder: Path
    dags: Path
    server: Server
    log: Path

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables that make an Airflow this one."""
        connection = {"conn_type": "supervisely", "host": self.server.url, "password": self.server.token}
        return {
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW_CONN_SUPERVISELY_DEFAULT": json.dumps(connection),
        }

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment without any other Airflow's settings, and with these."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
        cache = {"XDG_CACHE_HOME": str(self.folder / "cache")}
        return {**inherited, **self.settings, **cache, "PYTHONUNBUFFERED": "1"}


def find_dags() -> Path:
    """Find the example DAGs: inside an installed package, or beside it in a checkout.

    :raises ConfigurationError: there are none.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "example_dags", package.parent / "dags"):
        if (folder / "pre_training_backup.py").is_file():
            return folder
    raise ConfigurationError(f"No example DAGs beside {package}; install airflow-sv-versioning again.")


def prepare(home: AirflowHome) -> None:
    """Make Airflow's database, or bring it up to date.

    :raises RemoteTaskFailedError: Airflow could not do it.
    """
    home.folder.mkdir(parents=True, exist_ok=True)
    with home.log.open("a", encoding="utf-8") as log:
        try:
            finished_process = subprocess.run(
                [sys.executable, "-m", "airflow", "db", "migrate"],
                env=home.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=PREPARE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RemoteTaskFailedError(f"'airflow db migrate' did not end; see {home.log}.") from error
    if finished_process.returncode:
        raise RemoteTaskFailedError(f"'airflow db migrate' failed; see {home.log}.")


@contextmanager
def airflow_runs(home: AirflowHome) -> Iterator[AirflowRuns]:
    """Start an Airflow process that runs DAGs one after the other."""
    with (
        home.log.open("a", encoding="utf-8") as log,
        child(["-m", _DRIVER], errors=subprocess.STDOUT, environment=home.environment) as process,
    ):
        yield AirflowRuns(process, log)


class AirflowRuns:
    """Runs DAGs in a started Airflow process; see :func:`airflow_runs`."""

    def __init__(self, process: subprocess.Popen[str], log: IO[str]) -> None:
        self._process = process
        self._log = log

    def run(
        self,
        dag_id: str,
        conf: Mapping[str, Any],
        xcoms: Sequence[tuple[str, str]],
        on_line: Callable[[str], None] | None = None,
    ) -> XComs:
        """Run a DAG to its end.

        :param conf: the run's parameters.
        :param xcoms: task id and key of what to return.
        :param on_line: is told every line that Airflow logs meanwhile.
        :returns: ``task_id.key`` -> value.
        :raises RemoteTaskFailedError: the run did not succeed.
        :raises WaitTimeoutError: it took too long.
        """
        with time_limit(self._process, RUN_SECONDS, f"DAG {dag_id}"):
            self._send({"dag_id": dag_id, "conf": conf, "xcoms": xcoms})
            answer = self._receive(on_line)
        if answer is None:
            raise RemoteTaskFailedError(f"Airflow ended while it ran DAG {dag_id}.", dag_id=dag_id)
        if answer["state"] != "success":
            failed = ", ".join(answer["failed"]) or "none of its tasks"
            raise RemoteTaskFailedError(
                f"DAG {dag_id} ended as {answer['state']}; failed: {failed}.", dag_id=dag_id
            )
        returned: XComs = answer["xcoms"]
        return returned

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        # Where the process is gone, the missing answer says so.
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def _receive(self, on_line: Callable[[str], None] | None) -> dict[str, Any] | None:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                answer: dict[str, Any] = json.loads(line.removeprefix(ANSWER))
                return answer
            self._log.write(line)
            self._log.flush()
            if on_line is not None:
                on_line(line)
        return None
