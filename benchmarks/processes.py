"""The server, the proxy before it and the measured clients, each a process of its own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
SDK_PYTHON = Path(os.environ.get("SV_SDK_PYTHON") or ROOT / ".venv-sdk-versioning" / "bin" / "python")
CLIENTS = {
    "ours": (sys.executable, "-m", "benchmarks.ours"),
    "sdk": (str(SDK_PYTHON), "-m", "benchmarks.official"),
    "floor": (sys.executable, "-m", "benchmarks.floor"),
}
# The SDK's probe for TLS waits seconds for an answer that a server without TLS never gives.
SDK_SETTINGS = {"SUPERVISELY_SKIP_HTTPS_USER_HELPER_CHECK": "1", "SUPERVISELY_PUBLIC_API_RETRIES": "2"}
TIMEOUT_SECONDS = 3600


@dataclass(frozen=True)
class Running:
    """A server and the proxy before it."""

    url: str
    direct_url: str
    token: str

    def take_count(self) -> int:
        """Tell how many requests came through the proxy since the last call."""
        with urlopen(f"{self.url}/-/count") as answer:  # noqa: S310 - our own proxy
            return int(json.loads(answer.read()))


@contextmanager
def running(data: Path, delay_ms: float) -> Iterator[Running]:
    """Serve a data folder behind the proxy."""
    serve = (sys.executable, "-m", "airflow_sv_versioning.cli", "serve", "--data", str(data), "--port", "0")
    with _process(serve) as ready:
        info = json.loads(ready)
        relay = (sys.executable, "-m", "benchmarks.proxy", info["url"], "--delay-ms", str(delay_ms))
        with _process(relay) as url:
            yield Running(url.strip(), info["url"], info["token"])


def measured(client: str, action: str, server: Running, project_id: int, log: Path) -> dict[str, Any]:
    """Let one client do one thing, and tell what it cost.

    :raises RuntimeError: it failed; the log says why.
    """
    arguments = (
        action, "--url", server.url, "--token", server.token, "--project", str(project_id),
    )  # fmt: skip
    server.take_count()
    costs = costs_of_process([*CLIENTS[client], *arguments], log)
    return {**costs, "requests": server.take_count()}


def costs_of_process(command: Sequence[str], log: Path) -> dict[str, Any]:
    """Run a process to its end, and read what it cost from the last line of its output.

    :raises RuntimeError: it failed; the log says why.
    """
    with log.open("ab") as stderr:
        done = subprocess.run(  # noqa: S603 - our own commands
            command,
            cwd=ROOT,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    if done.returncode:
        said = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{shlex.join(command)} failed; see {log}:\n{said}")
    costs: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return costs


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **SDK_SETTINGS}


@contextmanager
def _process(command: tuple[str, ...]) -> Iterator[str]:
    """Run a process until the block ends, and hand on its first line of output."""
    process = subprocess.Popen(  # noqa: S603 - our own commands
        command,
        cwd=ROOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout  # noqa: S101 - asked for
        yield process.stdout.readline()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
