"""``sv-versioning demo``: back up, train, change and restore a real project, on real Airflow."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from airflow_sv_versioning.demo.airflow_runs import AirflowHome, airflow_runs, find_dags, prepare
from airflow_sv_versioning.demo.content import read_content
from airflow_sv_versioning.demo.load import LoadedProject, load_folder, make_project
from airflow_sv_versioning.demo.loopback import no_proxy_to_this_machine
from airflow_sv_versioning.demo.photographs import FOLDERS
from airflow_sv_versioning.demo.processes import running_server
from airflow_sv_versioning.demo.steps import Rows, Steps, tell
from airflow_sv_versioning.demo.story import Story
from airflow_sv_versioning.exceptions import ConfigurationError, SuperviselyError
from airflow_sv_versioning.versioning.texts import counts_text

DONE, FAILED = 0, 1


def run_demo(draw: Callable[[Rows], str], data: Path | None = None) -> int:
    """Run the demo.

    :param draw: writes the steps, what came of them and their seconds as a table.
    :param data: folder of the server's data, of Airflow's home and of the logs; ``./demo-data`` by default.
        One that an earlier demo used gets one more project.
    :returns: the exit code: 0 only if all of it held.
    :raises ConfigurationError: a package that only the demo needs is not installed.
    """
    _check_packages()
    data = (data or Path("demo-data")).resolve()
    data.mkdir(parents=True, exist_ok=True)
    steps = Steps()
    with _stop_in_order(), no_proxy_to_this_machine():
        try:
            project, home = _run(data, steps)
        except Exception as error:
            _tell_failure(error, steps, data)
            return FAILED
    print(f"\n{draw(steps.rows())}\n\n{_how_to_go_on(data, project, home)}")
    return DONE


def _check_packages() -> None:
    needed_packages = ("airflow", "fastapi", "PIL", "skimage", "sklearn", "uvicorn")
    if missing_packages := [name for name in needed_packages if find_spec(name) is None]:
        raise ConfigurationError(
            f"The demo needs {', '.join(missing_packages)}: pip install 'airflow-sv-versioning[demo]'."
        )


def _run(data: Path, steps: Steps) -> tuple[LoadedProject, AirflowHome]:
    from airflow_sv_versioning.client import SuperviselyClient

    if (data / "server").exists():
        tell(f"{data} holds an earlier demo; this one gets a project of its own.")
    with ExitStack() as stack:
        with steps.step("Start the server") as step:
            server = stack.enter_context(running_server(data / "server", data / "server.log"))
            step.result = f"{server.url}, workspace {server.workspace_id}"
        client = stack.enter_context(SuperviselyClient(server.url, server.token))
        with steps.step("Load photographs") as step:
            project = make_project(client, server.workspace_id)
            for folder in FOLDERS:
                load_folder(client, project, folder)
            counts = read_content(client, project.id).counts
            step.result = f"project {project.id}: {counts_text(counts)}"
        home = AirflowHome(data / "airflow", find_dags(), server, data / "airflow.log")
        with steps.step("Start Airflow") as step:
            prepare(home)
            runs = stack.enter_context(airflow_runs(home))
            step.result = f"Airflow {version('apache-airflow')}, {len(list(home.dags.glob('*.py')))} DAGs"
        Story(client, server.workspace_id, project, runs, steps, data / "data-sets").tell()
    return project, home


def _tell_failure(error: Exception, steps: Steps, data: Path) -> None:
    if not isinstance(error, (SuperviselyError, OSError)):
        traceback.print_exception(error)
    step = steps.begun[-1].name if steps.begun else "Start"
    tell(f"\nThe demo failed at the step '{step}': {error}")
    tell(f"Logs: {data / 'airflow.log'} and {data / 'server.log'}")


def _how_to_go_on(data: Path, project: LoadedProject, home: AirflowHome) -> str:
    script = _write_settings(data, home)
    serve = f"sv-versioning serve --data {_shown(data / 'server')} --port {urlsplit(home.server.url).port}"
    return f"""\
The server's data lies in {data / "server"}, Airflow's in {home.folder}. To go on:

  . {_shown(script)}   # addresses, token and connection
  {serve} &
  sv-versioning list {project.id}
  sv-versioning create {project.id}
  sv-versioning restore {project.id} --version-num 2
  airflow standalone   # then trigger pre_training_backup with project {project.id}"""


def _write_settings(data: Path, home: AirflowHome) -> Path:
    """Write a script that makes a shell know the server and this Airflow."""
    settings = {"SERVER_ADDRESS": home.server.url, "API_TOKEN": home.server.token, **home.settings}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    lines.append(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    script = data / "env.sh"
    # It holds the token.
    script.touch(mode=0o600)
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return script


def _shown(path: Path) -> str:
    return shlex.quote(str(path))


@contextmanager
def _stop_in_order() -> Iterator[None]:
    """Let SIGTERM unwind as Ctrl-C does, so that no child process stays behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old_handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, old_handler)
