"""The official SDK in an environment and a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_sv_versioning.server.run import ServerInfo

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).with_name("sdk_scripts")
CALL_TIMEOUT_SECONDS = 240
FEW_TRIES = {"SUPERVISELY_PUBLIC_API_RETRIES": "2"}


class SdkError(Exception):
    """A call of the SDK raised; the text is its type and message."""


def sdk_python(*, plain: bool = False) -> Path:
    """Find the interpreter that has the SDK.

    :param plain: the one without pyarrow, which writes pickles.
    """
    variable, folder = (
        ("SV_SDK_PLAIN_PYTHON", ".venv-sdk") if plain else ("SV_SDK_PYTHON", ".venv-sdk-versioning")
    )
    python = Path(os.environ.get(variable) or ROOT / folder / "bin" / "python")
    if not python.exists():
        raise AssertionError(f"{python} does not exist: run make sdk-env (or set {variable}).")
    return python


def run_script(name: str, *arguments: object) -> str:
    """Run one of ``sdk_scripts`` to its end; returns what it printed."""
    done = subprocess.run(
        [sdk_python(), SCRIPTS / name, *map(str, arguments)],
        env={**os.environ, **FEW_TRIES},
        capture_output=True,
        text=True,
        timeout=CALL_TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


class SdkProcess:
    """Takes one call after the other; importing the SDK is slow, so tests share it."""

    def __init__(self, python: Path, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._answers: Queue[str] = Queue()
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [python, SCRIPTS / "session.py"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **FEW_TRIES},
                text=True,
                encoding="utf-8",
            )
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def call(self, server: ServerInfo, command: str, **arguments: Any) -> Any:
        """Run one command of ``sdk_scripts`` against a server.

        :raises SdkError: the SDK raised.
        """
        request = {"server": server.url, "token": server.token, "command": command, **arguments}
        with self._lock:
            assert self._process.stdin
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._next_answer(command)
        if "error" in answer:
            raise SdkError(f"{answer['error']}\n{answer['traceback']}")
        return answer["result"]

    def _next_answer(self, command: str) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=CALL_TIMEOUT_SECONDS)
        except Empty:
            self._process.kill()
            line = ""
        if not line:
            tail = self._log.read_text(errors="replace")[-3000:]
            raise AssertionError(f"The SDK's process gave no answer to {command!r}:\n{tail}")
        return json.loads(line)

    def _collect(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self._answers.put(line)
        self._answers.put("")

    def __enter__(self) -> SdkProcess:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()


@dataclass(frozen=True)
class Sdk:
    """The SDK as a client of one server: ``sdk("restore", project_id=7)`` runs a command of ``sdk_scripts``.

    :raises SdkError: the SDK raised.
    """

    process: SdkProcess
    server: ServerInfo

    def __call__(self, command: str, **arguments: Any) -> Any:
        return self.process.call(self.server, command, **arguments)

    def at(self, url: str) -> Sdk:
        """The same by another way to the server."""
        return replace(self, server=replace(self.server, url=url))
