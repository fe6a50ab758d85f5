"""Background tasks, applications and the workflow graph."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from airflow_sv_versioning.server.behaviour import tasks, workflow
from airflow_sv_versioning.server.errors import not_found
from airflow_sv_versioning.server.jsontext import JsonText
from airflow_sv_versioning.server.routes.call import Call, CallDep
from airflow_sv_versioning.server.routes.routing import reads, writes

router = APIRouter()


@reads(router, "tasks.list")
def list_(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(tasks.list_tasks(db, call.query, call.payload.integer("workspaceId")))


@reads(router, "tasks.info")
def info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(tasks.task_info(db, call.payload.integer("id")))


@writes(router, "tasks.stop")
def stop(call: CallDep) -> Response:
    task_id = call.payload.integer("id")
    return call.reply({"id": task_id, "status": call.platform.jobs.stop(task_id)})


@writes(router, "tasks.status.update")
def set_status(call: CallDep) -> Response:
    with call.database.write() as tx:
        return call.reply(tasks.set_status(tx, call.payload.integer("id"), call.payload.text("status")))


@writes(router, "tasks.output.set")
def set_output(call: CallDep) -> Response:
    with call.database.write() as tx:
        return call.reply(
            tasks.set_output(tx, call.payload.integer("taskId"), call.payload.mapping("output"))
        )


@writes(router, "tasks.meta.update")
def update_meta(call: CallDep) -> Response:
    changes = {key: value for key, value in call.payload.members.items() if key != "id"}
    with call.database.write() as tx:
        return call.reply(tasks.update_meta(tx, call.payload.integer("id"), changes))


@reads(router, "tasks.log.download")
def log(call: CallDep) -> Response:
    with call.database.read() as db:
        return PlainTextResponse(tasks.log_text(db, call.payload.integer("id")))


@writes(router, "tasks.run.app")
def run_app(call: CallDep) -> Response:
    """Queue a task of an application; nobody works on it but who sets its status."""
    payload = call.payload
    parameters = payload.optional_mapping("params") or {}
    app_id = payload.optional_integer("appId") or payload.optional_integer("moduleId")
    with call.database.write() as tx:
        task_id = tasks.add_task(
            tx,
            payload.integer("workspaceId"),
            "app",
            call.user_id,
            name=payload.optional_text("taskName") or "",
            description=payload.optional_text("description") or "",
            meta={"app": {"id": app_id, "moduleId": app_id}, "params": parameters},
            settings={"message": {"state": parameters.get("state") or {}}},
        )
        return call.reply([tasks.task_info(tx, task_id)])


@reads(router, "apps.list")
def list_apps(call: CallDep) -> Response:
    """No applications are installed here."""
    return call.reply(JsonText('{"total":0,"perPage":500,"pagesCount":1,"after":null,"entities":[]}'))


@reads(router, "apps.tasks.list")
def list_app_tasks(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(tasks.list_app_tasks(db, call.query, call.payload.integer("teamId")))


@reads(router, "ecosystem.info")
def ecosystem(call: CallDep) -> Response:
    raise not_found("Application", call.payload.integer("id"))


@writes(router, "workflow.node.add-input")
def add_input(call: CallDep) -> Response:
    return _add_edge(call, "input")


@writes(router, "workflow.node.add-output")
def add_output(call: CallDep) -> Response:
    return _add_edge(call, "output")


def _add_edge(call: Call, direction: str) -> Response:
    payload = call.payload
    with call.database.write() as tx:
        workflow.add_edge(
            tx,
            payload.integer("teamId"),
            direction,
            payload.mapping("node"),
            payload.text("type"),
            payload.members.get("id"),
            payload.optional_mapping("meta"),
        )
    return call.done()
