"""All questions in turn; one that fails spoils no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import CancelledError, SuperviselyError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.versioning.doctor import instance, item_annotations, listings, versions
from airflow_sv_versioning.versioning.doctor.findings import UNKNOWN, Diagnosis, Finding
from airflow_sv_versioning.versioning.doctor.scratch import Scratch
from airflow_sv_versioning.versioning.doctor.subject import Subject

Check = Callable[[Subject], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    instance.check_version,
    instance.check_plan,
    listings.check_cursor,
    listings.check_page_size,
    listings.check_recursion,
    listings.check_figure_fields,
    listings.check_coordinates,
    item_annotations.check_annotations,
    versions.check_list,
    versions.check_filters,
    versions.check_folder,
    instance.check_absence,
    instance.check_hashes,
    instance.check_load,
)


def diagnose(
    client: SuperviselyClient,
    project_id: int | None = None,
    scratch_workspace_id: int | None = None,
    progress: Progress | None = None,
    expiry_wait_seconds: float = 0.0,
) -> Diagnosis:
    """Ask an instance what nobody outside of it can know.

    Nothing is changed, unless a scratch workspace is given: there a project is made, tried and removed.

    :param project_id: a project to look at; one with versions, nested datasets and figures tells most.
    :param expiry_wait_seconds: how long to wait there for a reservation to expire; 0 leaves that out.
    :raises AuthenticationError: the token is wrong.
    :raises ConnectError: there is no server.
    """
    progress = progress or Progress()
    client.accounts.get_me()
    subject = _subject(client, project_id)
    findings = [finding for check in CHECKS for finding in _careful(check, subject, progress)]
    left_behind: list[str] = []
    if scratch_workspace_id is not None:

        def try_writing(subject: Subject) -> Iterator[Finding]:
            with Scratch(client, scratch_workspace_id, left_behind, expiry_wait_seconds) as scratch:
                for trial in scratch.trials():
                    yield from _careful(trial, subject, progress)

        findings += _careful(try_writing, subject, progress)
    return Diagnosis(subject.instance_version, subject.plan, findings, left_behind)


def _subject(client: SuperviselyClient, project_id: int | None) -> Subject:
    server = Subject(client, client.transport.instance_version)
    if project_id is None:
        return server
    project = client.projects.get(project_id)
    plan = _plan_of(server.try_("teams.info", id=project.team_id))
    return replace(server, plan=plan, project=project, datasets=list(client.datasets.list_all(project_id)))


def _plan_of(team: Any) -> str | None:
    usage = team.get("usage") if isinstance(team, dict) else None
    plan = usage.get("plan") if isinstance(usage, dict) else None
    return plan if isinstance(plan, str) else None


def _careful(check: Check, subject: Subject, progress: Progress) -> list[Finding]:
    progress.check()
    name = check.__name__.removeprefix("check_").removeprefix("try_")
    findings: list[Finding] = []
    try:
        findings.extend(check(subject))
    except CancelledError:
        raise
    except (SuperviselyError, LookupError, TypeError, ValueError, AttributeError) as error:
        # Whatever shape the answer has: the other questions are worth their answers. That the token is good
        # was seen, so a method that wants another one is a question as well.
        message = error.kind if isinstance(error, SuperviselyError) else "the answer has another shape"
        findings.append(Finding(name, f"the question about {name} is answered", message, UNKNOWN))
    return findings
