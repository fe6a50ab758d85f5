"""The server's own background work: one worker thread, one task after the other."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping

from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.server.behaviour import projects, tasks
from airflow_sv_versioning.server.behaviour.access import get_project
from airflow_sv_versioning.server.behaviour.clone import ProjectCopy
from airflow_sv_versioning.server.database import Database

log = logging.getLogger(__name__)


class _StopAskedError(Exception):
    """Someone asked the task to stop."""


class Jobs:
    """Works on queued clone tasks until it is closed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: queue.Queue[int | None] = queue.Queue()
        self._stopped: set[int] = set()
        self._is_closing = threading.Event()
        self._worker = threading.Thread(target=self._work, name="sv-server-jobs", daemon=True)
        self._worker.start()

    def submit_clone(
        self, source_id: int, workspace_id: int, name: str, include: Mapping[str, bool], user_id: int
    ) -> int:
        """Queue the copy of a project; return the task's id."""
        with self._database.write() as tx:
            get_project(tx, source_id)
            task_id = tasks.add_task(
                tx,
                workspace_id,
                "clone",
                user_id,
                name=name,
                meta={"input": {"project": {"id": source_id}}},
                settings={"name": name, "include": dict(include)},
            )
        self._queue.put(task_id)
        return task_id

    def stop(self, task_id: int) -> str:
        """Ask a task, whoever works on it, to stop; return its status."""
        with self._database.write() as tx:
            has_worker = tasks.task_info(tx, task_id)["type"] == "clone"
            status = tasks.stop_task(tx, task_id, has_worker=has_worker)
        if has_worker:
            self._stopped.add(task_id)
        return status

    def wait(self) -> None:
        """Wait until nothing is queued or under way."""
        self._queue.join()

    def close(self) -> None:
        """Stop what is under way and end the worker."""
        self._is_closing.set()
        self._queue.put(None)
        self._worker.join()

    def _work(self) -> None:
        while (task_id := self._queue.get()) is not None and not self._is_closing.is_set():
            try:
                self._run(task_id)
            except Exception as error:
                if not isinstance(error, SuperviselyError):
                    log.exception("Task %s failed", task_id)
                self._end(task_id, "error", str(error))
            finally:
                self._queue.task_done()

    def _run(self, task_id: int) -> None:
        target_id: int | None = None
        try:
            self._check(task_id)
            target_id, copy = self._start(task_id)
            copy.run()
        except _StopAskedError:
            self._discard(target_id)
            self._end(task_id, "stopped", "Stopped")
        except Exception:
            self._discard(target_id)
            raise
        else:
            self._end(task_id, "finished", "Finished")

    def _start(self, task_id: int) -> tuple[int, ProjectCopy]:
        with self._database.write() as tx:
            task = tasks.set_status(tx, task_id, "started")
            source_id = task["meta"]["input"]["project"]["id"]
            source = get_project(tx, source_id)
            name = projects.free_name(tx, task["workspaceId"], task["settings"]["name"] or source["name"])
            values = {"type": source["type"], "description": source["description"]}
            target = projects.add_project(tx, task["workspaceId"], name, values, task["userId"])
            tasks.set_output(tx, task_id, {"project": {"id": target["id"], "title": name}})
            tasks.add_log(tx, task_id, f"Copying project {source_id} to project {target['id']}")
        copy = ProjectCopy(
            self._database,
            source_id,
            target["id"],
            task["settings"]["include"],
            report=lambda line: self._report(task_id, line),
            check=lambda: self._check(task_id),
        )
        return target["id"], copy

    def _check(self, task_id: int) -> None:
        if task_id in self._stopped or self._is_closing.is_set():
            raise _StopAskedError

    def _report(self, task_id: int, line: str) -> None:
        with self._database.write() as tx:
            tasks.add_log(tx, task_id, line)

    def _discard(self, target_id: int | None) -> None:
        if target_id is not None:
            with self._database.write() as tx:
                projects.remove_projects(tx, [target_id])

    def _end(self, task_id: int, status: str, message: str) -> None:
        with self._database.write() as tx:
            if tasks.task_info(tx, task_id)["status"] in tasks.TERMINAL:
                return
            tasks.add_log(tx, task_id, message, "error" if status == "error" else "info")
            tasks.set_status(tx, task_id, status)
