"""How the instance keeps versions: its list, and the folder where archives lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from airflow_sv_versioning.archive.stored.version_map import FOLDER, map_path
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.versioning.doctor.findings import FAILS, UNKNOWN, WORKS, Finding, Question, Verdict
from airflow_sv_versioning.versioning.doctor.subject import Refusal, Subject


def check_list(subject: Subject) -> Iterator[Finding]:
    """See what the list of versions holds."""
    if subject.project is None:
        return
    ask = Question("version_list", "versions tell their number and archive")
    answer = subject.try_("projects.versions.list", projectId=subject.project.id, filter=[])
    if isinstance(answer, Refusal):
        yield ask.answer(f"refused: {answer}", FAILS, "Versions cannot be found.")
        return
    entities = answer.get("entities") or []
    statuses = Counter(str(entity.get("status")) for entity in entities)
    open_ = sum(entity.get("teamFileId") is None or entity.get("version") is None for entity in entities)
    observed = ", ".join(f"{count} {status}" for status, count in statuses.items()) or "no versions yet"
    advice = "Versions that are not committed are left aside." if open_ else ""
    rules = {"lists_reservations": True} if open_ else {}
    yield ask.answer(observed, WORKS if entities else UNKNOWN, advice, **rules)


def check_filters(subject: Subject) -> Iterator[Finding]:
    """See whether versions can be asked for by number."""
    if subject.project is None:
        return
    filters = [{"field": "version", "operator": "=", "value": 1}]
    answer = subject.try_("projects.versions.list", projectId=subject.project.id, filter=filters)
    ask = Question("version_filter", "versions are found by id and number")
    if isinstance(answer, Refusal):
        yield ask.answer(f"refused: {answer}", FAILS, "Versions cannot be found.")
        return
    is_ignored = not {entity.get("version") for entity in answer.get("entities") or []} <= {1}
    observed = "the filter is ignored" if is_ignored else "filtered"
    yield ask.judge(observed, is_ignored, "The whole list is read instead.", WORKS)


def check_folder(subject: Subject) -> Iterator[Finding]:
    """See whether the folder with archives and map can be read, and files prove themselves by their hash."""
    if subject.project is None:
        return
    team_id, path = subject.project.team_id, map_path(subject.project.id)
    ask = Question("folder", f"Team Files below {FOLDER} are open to this user")
    answer = subject.try_("file-storage.list", teamId=team_id, path=path, recursive=True)
    if isinstance(answer, Refusal) and answer.status != 404:
        advice = "Archives can neither be stored nor read: give the token's user a role that sees /system."
        yield ask.answer(f"refused: {answer}", FAILS, advice, hides_system_folder=True)
        return
    if not isinstance(answer, list) or not answer:
        yield ask.answer("readable; no version has been made", WORKS)
        return
    content = subject.client.files.find_bytes(team_id, path)
    yield ask.answer("readable", WORKS)
    ask = Question("file_hash", "Team Files tell the SHA-256 of a file")
    if stated_hash := answer[0].get("hash"):
        yield ask.answer(*_hash_verdict(stated_hash, content))
    else:
        yield ask.answer("no hash is told", UNKNOWN, "Archives are proved by their size alone.")


def _hash_verdict(stated_hash: str, content: bytes | None) -> tuple[str, Verdict]:
    if content_hash(content or b"") == stated_hash:
        return "equal to that of the downloaded file", WORKS
    return "another than that of the downloaded file", FAILS
