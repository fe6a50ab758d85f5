"""Figures and their large geometries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import figures, large_geometries
from airflow_sv_versioning.server.errors import bad_request, invalid
from airflow_sv_versioning.server.routes.call import CallDep
from airflow_sv_versioning.server.routes.multipart import Part, UploadDep, multipart_response
from airflow_sv_versioning.server.routes.routing import reads, writes
from airflow_sv_versioning.server.routes.shapes import FIGURE
from airflow_sv_versioning.server.rules import TOOLS, Rules
from airflow_sv_versioning.server.storage import IncomingBlob

router = APIRouter()


@reads(router, "figures.list")
def list_(call: CallDep) -> Response:
    payload = call.payload
    with call.database.read() as db:
        return call.reply(
            figures.list_figures(
                db,
                call.query,
                dataset_id=payload.optional_integer("datasetId"),
                project_id=payload.optional_integer("projectId"),
                recursive=payload.flag("recursive", call.rules.figures_are_listed_recursively),
                integer_coords=call.integer_coords,
            )
        )


@reads(router, "figures.info")
def info(call: CallDep) -> Response:
    payload = call.payload
    fields = frozenset(payload.optional_texts("fields")) or None
    with call.database.read() as db:
        return call.reply(figures.figure_info(db, payload.integer("id"), fields, call.integer_coords))


@writes(router, "figures.bulk.add")
def add(call: CallDep) -> Response:
    payload = call.payload
    wanted = payload.objects("figures", FIGURE)
    check_tools(call.rules, wanted)
    with call.database.write() as tx:
        ids = figures.add_figures(
            tx,
            wanted,
            checks_bounds=call.checks_bounds,
            default_item=payload.optional_integer("entityId"),
            user_id=call.user_id,
            labeler=call.login,
        )
    return call.reply([{"id": figure_id} for figure_id in ids])


@writes(router, "figures.editInfo")
def edit(call: CallDep) -> Response:
    with call.database.write() as tx:
        changes = FIGURE.check(call.payload.members, "figure")
        figures.edit_figure(tx, call.payload.integer("id"), changes, call.login)
        return call.reply(figures.figure_info(tx, call.payload.integer("id"), None, False))


@writes(router, "figures.priority.update")
def set_priority(call: CallDep) -> Response:
    with call.database.write() as tx:
        changes = {"priority": call.payload.integer("priority")}
        figures.edit_figure(tx, call.payload.integer("id"), changes, call.login)
    return call.done()


@writes(router, "figures.custom-data.update")
def set_custom_data(call: CallDep) -> Response:
    replace = call.payload.optional_text("updateStrategy") == "replace"
    custom_data = call.payload.mapping("customData")
    with call.database.write() as tx:
        return call.reply(
            figures.set_custom_data(tx, call.payload.integer("id"), custom_data, replace=replace)
        )


@writes(router, "figures.bulk.remove")
def remove(call: CallDep) -> Response:
    with call.database.write() as tx:
        figures.remove_figures(tx, call.payload.integers("figureIds"))
    return call.done()


@writes(router, "figures.bulk.upload.geometry")
def upload_geometries(call: CallDep, parts: UploadDep) -> Response:
    uploaded = _paired(parts)
    with call.database.read() as db:
        checked = large_geometries.check_geometries(db, uploaded)
    geometries = large_geometries.keep_geometries(uploaded, checked)
    with call.database.write() as tx:
        large_geometries.set_geometries(tx, geometries)
    return call.done()


@reads(router, "figures.bulk.download.geometry")
def download_geometries(call: CallDep) -> Response:
    with call.database.read() as db:
        ids = call.payload.integers("ids")
        geometries = large_geometries.get_geometries(db, call.platform.storage, ids)
    return multipart_response(geometries)


def check_tools(rules: Rules, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Refuse figures that were drawn with a tool that is not listed, where the rules do."""
    for index, figure in enumerate(wanted):
        if rules.checks_names and figure.get("tool") is not None and figure["tool"] not in TOOLS:
            message = f"must be one of [{', '.join(sorted(TOOLS))}]"
            raise invalid(message, ("figures", index, "tool"), "any.only")


def _paired(parts: list[Part]) -> list[tuple[int, IncomingBlob]]:
    ids = [part.value() for part in parts if part.name == "figureId"]
    files = [part.file for part in parts if part.name == "geometry" and part.file is not None]
    if len(ids) != len(files) or not all(text.isdigit() for text in ids):
        raise bad_request("Every geometry needs its figureId before it", type="VALIDATION_ERROR")
    return [(int(text), file) for text, file in zip(ids, files, strict=True)]
