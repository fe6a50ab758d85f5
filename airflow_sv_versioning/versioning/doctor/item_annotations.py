"""How the instance tells annotations of videos and volumes."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_sv_versioning.project_types import PROJECT_TYPES
from airflow_sv_versioning.versioning.doctor.findings import FAILS, UNKNOWN, WORKS, Finding, Question
from airflow_sv_versioning.versioning.doctor.listings import listing_of
from airflow_sv_versioning.versioning.doctor.subject import Refusal, Subject

_SAMPLE = 5


def check_annotations(subject: Subject) -> Iterator[Finding]:
    """See whether annotations come for each item asked for, in that order, with what tags refer to."""
    project = subject.project
    project_type = PROJECT_TYPES.get(project.type) if project else None
    if project is None or project_type is None or not project_type.has_objects:
        return
    key = f"{project_type.item}Id"
    ask = Question("annotations", "annotations come whole, in the order asked for")
    method = f"{project.type}.annotations.bulk.info"
    for dataset in subject.datasets:
        listing = f"{project.type}.list"
        page = subject.ask(listing, **listing_of(listing, dataset.id), per_page=_SAMPLE)
        ids = [item["id"] for item in reversed(page["entities"])][:_SAMPLE]
        if not ids:
            continue
        body = {"datasetId": dataset.id, f"{key}s": ids, "integerCoords": False}
        answer = subject.try_(method, **body)
        if isinstance(answer, Refusal):
            yield ask.answer(f"refused: {answer}", FAILS, "They cannot be versioned.")
            return
        answered_ids = [annotation.get(key) for annotation in answer]
        if answered_ids == ids:
            yield ask.answer(f"{len(ids)} came in order", WORKS)
        elif sorted(map(str, answered_ids)) == sorted(map(str, ids)):
            yield ask.answer("they came in another order", WORKS)
        else:
            yield ask.answer(
                f"{len(answered_ids)} came for {len(ids)}", FAILS, "Such a project cannot be versioned."
            )
        return
    yield ask.answer("the project has no items", UNKNOWN)
