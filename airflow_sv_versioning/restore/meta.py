"""Classes and tags of the new project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import IntegrityError, RequestRejectedError
from airflow_sv_versioning.restore.plan import RestorePlan
from airflow_sv_versioning.restore.steps.placeholder_tags import placeholder_tag

_NAMED = 10


def add_meta(
    client: SuperviselyClient, plan: RestorePlan, project_id: int
) -> tuple[dict[int, int], dict[int, int], int | None]:
    """Make classes and tags, and the tag of placeholders; joined by name, for answers come in any order.

    :returns: class ids and tag ids in the snapshot -> new ids, and the new id of the tag of placeholders.
    :raises RequestRejectedError: the server knows no classes of some shape.
    """
    meta = plan.snapshot.project_meta
    classes = meta.get("classes") or []
    marks = [placeholder_tag(plan.placeholder_tag)] if plan.placeholder_tag else []
    tags = [*(meta.get("tags") or []), *marks]
    new_meta = {"classes": classes, "tags": tags, "projectType": plan.project_type.name}
    try:
        answer = client.projects.update_meta(project_id, new_meta)
    except RequestRejectedError as error:
        if (shape := _refused_shape(error, classes)) is None:
            raise
        raise _no_such_shape(error, shape, classes) from error
    new_classes = {entry["title"]: entry["id"] for entry in answer.get("classes") or []}
    new_tags = {entry["name"]: entry["id"] for entry in answer.get("tags") or []}
    mark = new_tags[plan.placeholder_tag] if plan.placeholder_tag else None
    class_ids = joined_ids(plan.names.classes, new_classes, "classes")
    return class_ids, joined_ids(plan.names.tags, new_tags, "tags"), mark


def joined_ids(old_names: Mapping[int, str], new_ids: Mapping[str, int], what: str) -> dict[int, int]:
    """Join definitions by name: id in the snapshot -> new id.

    :raises IntegrityError: the server has not made some.
    """
    if missing_names := sorted(set(old_names.values()) - new_ids.keys()):
        raise IntegrityError(f"The server did not make the {what} {missing_names[:_NAMED]}.")
    return {old_id: new_ids[name] for old_id, name in old_names.items()}


def _refused_shape(error: RequestRejectedError, classes: Sequence[Mapping[str, Any]]) -> str | None:
    """Find out of which class a refusal speaks: its ``path`` is such as ``meta, classes, 3, shape``."""
    match error.details:
        case {"path": [*_, "classes", int(index), "shape"]} if 0 <= index < len(classes):
            return classes[index].get("shape")
    return None


def _no_such_shape(
    error: RequestRejectedError, shape: str, classes: Sequence[Mapping[str, Any]]
) -> RequestRejectedError:
    names = [repr(entry["title"]) for entry in classes if entry.get("shape") == shape]
    rest_text = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return error.reworded(
        f"This instance takes no classes of the shape {shape!r}, which the version has: "
        f"{', '.join(names[:_NAMED])}{rest_text}. Restore it on the instance that made it, or have this one "
        f"updated. {error.message}",
        RequestRejectedError,
    )
