"""Reads archives one after the other, each from unpacking to its plan, and tells what became of it.

A process of its own, with bounded memory, so that whoever asks can end it. It is asked on stdin, a line
a case, and tells on stdout, as JSON.
"""

import json
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow_sv_versioning.archive import unpack_archive
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.compare.differences import find_differences
from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.restore.media_upload import supply_media
from airflow_sv_versioning.restore.plan import plan_restore
from airflow_sv_versioning.restore.project import Target, restore_project
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.server.run import EmbeddedServer, ServerInfo
from airflow_sv_versioning.versioning.item_lines import ArchivedItems

BEYOND_BYTES = 3 << 29
"""Address space beyond what an idle worker has: some more than a gibibyte, for not all of it is used."""


def main(restores: bool) -> None:
    """Answer until stdin ends.

    :param restores: whether plans that can be carried out are.
    """
    with tempfile.TemporaryDirectory() as name, EmbeddedServer(Path(name) / "server") as server:
        client = SuperviselyClient(server.info.url, server.info.token)
        reader = _Reader(client, Path(name), server.info, restores=restores)
        answer = _covered()
        _bound_memory()
        for line in sys.stdin:
            asked = json.loads(line)
            print(json.dumps(answer(partial(reader.read, asked))), flush=True)
        client.close()


class _Reader:
    def __init__(self, client: SuperviselyClient, folder: Path, info: ServerInfo, *, restores: bool) -> None:
        self._client = client
        self._folder = folder
        self._info = info
        self._restores = restores

    def read(self, asked: dict[str, Any]) -> dict[str, Any]:
        begun, before = time.monotonic(), _reset_peak()
        stage = ["unpack"]
        try:
            with tempfile.TemporaryDirectory(dir=self._folder) as name:
                self._steps(Path(asked["path"]), asked["project_type"], asked["policy"], Path(name), stage)
            outcome: dict[str, Any] = {"outcome": "read"}
        except SuperviselyError as error:
            # A failure of the server, or of the machine, is not what this archive is to be told by.
            is_typed = error.kind not in ("server_error", "transport") and "cannot be unpacked" not in str(
                error
            )
            outcome = {
                "outcome": "refused" if is_typed else "untyped",
                "error": f"{error.kind}: {error}"[:300],
            }
        except MemoryError as error:
            outcome = {
                "outcome": "memory",
                "error": repr(error)[:300],
                "trace": traceback.format_exc()[-1500:],
            }
        except Exception as error:
            outcome = {
                "outcome": "untyped",
                "error": repr(error)[:300],
                "trace": traceback.format_exc()[-1500:],
            }
        return {
            **outcome,
            "stage": stage[0],
            "seconds": round(time.monotonic() - begun, 2),
            "mebibytes": max(0, _peak() - before) >> 20,
        }

    def _steps(self, archive: Path, project_type: str, policy: str, folder: Path, stage: list[str]) -> None:
        if project_type == "videos":
            stage[0] = "find a video"
            # Where it is refused, the whole archive is read all the same.
            with suppress(SuperviselyError):
                ArchivedItems(archive, "videos", folder / "one").find("a/b/кот.mp4")
        stage[0] = "unpack"
        snapshot = unpack_archive(archive, project_type, folder / "snapshot").snapshot
        stage[0] = "plan"
        progress = Progress()
        plan = plan_restore(self._client, snapshot, self._info.team_id, policy, progress)
        stage[0] = "compare"
        find_differences(snapshot, snapshot)
        stage[0] = "remedies"
        plan.check_remedies()
        stage[0] = "supply media"
        plan = supply_media(self._client, plan, progress)
        if self._restores:
            stage[0] = "restore"
            target = Target(self._info.workspace_id, self._info.team_id, "fuzzed", "", {})
            made = restore_project(
                self._client,
                plan,
                target,
                work_dir=folder,
                verify="counts",
                keep_incomplete=False,
                progress=progress,
            )
            self._client.projects.archive(made.id)


def _covered() -> Callable[[Callable[[], dict[str, Any]]], dict[str, Any]]:
    """Tell with each answer which lines of the package it ran first, where coverage.py is installed."""
    try:
        import coverage
    except ImportError:
        return lambda read: read()
    package = Path(__file__).parents[2] / "airflow_sv_versioning"
    measured = coverage.Coverage(data_file=None, config_file=False, include=[f"{package}/*"])
    known: dict[str, set[int]] = {}

    def answer(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        measured.start()
        try:
            told = read()
        finally:
            measured.stop()
        data = measured.get_data()
        new: dict[str, list[int]] = {}
        for file in data.measured_files():
            lines = set(data.lines(file) or ()) - known.setdefault(file, set())
            known[file] |= lines
            if lines:
                new[str(Path(file).relative_to(package))] = sorted(lines)
        return {**told, "lines": new}

    return answer


def _bound_memory() -> None:
    # Libraries take address space when they are loaded.
    for name in ("av", "PIL.Image", "PIL.ImageFont", "numpy", "pyarrow.dataset", "pyarrow.parquet"):
        import_module(name)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + BEYOND_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 32, 1 << 32))


def _reset_peak() -> int:
    """Begin to watch the peak anew; returns what is in use now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    """Read a number of the process's status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024


if __name__ == "__main__":
    main("--restore" in sys.argv)
