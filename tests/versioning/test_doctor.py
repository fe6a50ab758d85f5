"""What a doctor says of servers that are different on purpose."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning import cli
from airflow_sv_versioning.exceptions import AuthenticationError, CancelledError
from airflow_sv_versioning.server.rules import SDK, VENDOR, Rules, read_findings
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.versioning.doctor import Diagnosis, Finding, diagnose, scratch
from airflow_sv_versioning.versioning.doctor.subject import Subject
from tests.support.projects import count_projects, make_project
from tests.support.proxy import refuse
from tests.support.typed_projects import MAKERS, nest
from tests.support.types import Capsys, Client, Patch, Run, Server, Versions, Wire

READING = {
    "annotation-objects.list",
    "datasets.list",
    "figures.list",
    "file-storage.download",
    "file-storage.list",
    "images.internal.hashes.list",
    "images.list",
    "instance.version",
    "projects.info",
    "projects.versions.list",
    "teams.info",
    "users.me",
    "videos.annotations.bulk.info",
    "videos.list",
}


@dataclass(frozen=True)
class Patient:
    """A server with a project that has a version and nested datasets."""

    info: Server
    client: Client
    project_id: int

    def diagnose(self, *, scratch: bool = False) -> Diagnosis:
        return diagnose(self.client, self.project_id, self.info.workspace_id if scratch else None)


@contextmanager
def patient(folder: Path, photos: list[Path], rules: Rules, **settings: Any) -> Iterator[Patient]:
    with (
        EmbeddedServer(folder / "server", rules=VENDOR) as server,
        Client(server.info.url, server.info.token) as client,
    ):
        project_id = make_project(client, photos[:3])
    # What an old instance lacks is of no matter to what is on it.
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer(folder / "server", rules=rules, **settings))
        client = stack.enter_context(Client(server.info.url, server.info.token))
        yield Patient(server.info, client, project_id)


def by_name(diagnosis: Diagnosis) -> dict[str, Finding]:
    return {finding.name: finding for finding in diagnosis.findings}


@pytest.mark.parametrize(
    ("rules", "settings", "name", "verdict", "observed"),
    [
        (VENDOR, {}, "cursor", "works", "after is a text"),
        (replace(VENDOR, cursor="number"), {}, "cursor", "works", "after is a number"),
        (replace(VENDOR, cursor="ignored"), {}, "cursor", "slower", "the answer has no after"),
        (replace(VENDOR, max_per_page=2), {}, "page_size", "slower", "pages of 2"),
        (VENDOR, {"instance_version": "6.9.40"}, "instance_version", "fails", "6.9.40"),
        (VENDOR, {"instance_version": "6.9.0"}, "version_list", "fails", "the instance is too old for it"),
        (VENDOR, {"instance_version": "next"}, "instance_version", "unknown", "it does not tell"),
        (VENDOR, {"plan": "free"}, "plan", "fails", "free"),
        (replace(VENDOR, hides_system_folder=True), {}, "folder", "fails", "status 403"),
        (replace(VENDOR, gone_status=403), {}, "absence", "works", "status 403"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_different_is_told(tmp_path, photos, rules, settings, name, verdict, observed):
    with patient(tmp_path, photos, rules, **settings) as ill:
        finding = by_name(ill.diagnose())[name]

    assert finding.verdict == verdict
    assert observed in finding.observed
    assert bool(finding.consequence) == (verdict in {"slower", "fails"})


@pytest.mark.parametrize("rules", [VENDOR, SDK], ids=["vendor", "sdk"])
def test_a_scratch_project_tells_what_only_writing_tells_and_is_gone(tmp_path, photos, rules):
    with patient(tmp_path, photos, rules) as ill:
        projects = count_projects(ill.client)
        diagnosis = ill.diagnose(scratch=True)
        assert count_projects(ill.client) == projects

    assert diagnosis.is_good
    assert diagnosis.left_behind == []
    for name in ("checks_bounds", "takes_null_values", "lists_reservations"):
        assert diagnosis.rules[name] == getattr(rules, name), name
    for whose in ("image", "project", "video", "volume"):
        assert by_name(diagnosis)[f"stamp.{whose}"].observed == "moved by every edit"
    for project_type in ("video", "volume"):
        advice = by_name(diagnosis)[f"stamp.{project_type}"].consequence
        assert f'"trusted_stamps": ["{project_type}s"]' in advice


@pytest.mark.parametrize(
    ("whose", "verdict", "advice"),
    [("image", "fails", "capture='full'"), ("video", "slower", "in full"), ("volume", "slower", "in full")],
)
def test_stamps_that_stand_still_are_told(whose, verdict, advice, tmp_path: Path, photos: list[Path]):
    others = VENDOR.stamps_of_annotated_items_move - {f"{whose}s"}
    rules = replace(VENDOR, stamps_of_annotated_items_move=others)
    with patient(tmp_path, photos, rules) as ill:
        diagnosis = ill.diagnose(scratch=True)

    finding = by_name(diagnosis)[f"stamp.{whose}"]
    assert (finding.verdict, "a figure moved" in finding.observed) == (verdict, True)
    assert advice in finding.consequence
    assert "trusted_stamps" not in finding.consequence
    findings = tmp_path / "findings.json"
    findings.write_text(json.dumps(diagnosis.as_dict()))
    assert read_findings(findings)["rules"].stamps_of_annotated_items_move == others


def test_what_cannot_be_removed_is_told(tmp_path: Path, photos: list[Path]):
    with patient(tmp_path, photos, VENDOR) as ill, Wire(ill.info.url) as wire:
        wire.always("projects.archive", refuse(403))
        with Client(wire.url, ill.info.token) as client:
            diagnosis = diagnose(client, ill.project_id, ill.info.workspace_id)

    assert [what.partition(":")[2] for what in diagnosis.left_behind] == [" permission_denied"] * 3


RECURSIVE = {
    "images.list": "items_are_listed_recursively",
    "videos.list": "items_are_listed_recursively",
    "volumes.list": "items_are_listed_recursively",
    "figures.list": "figures_are_listed_recursively",
    "annotation-objects.list": "objects_are_listed_recursively",
}


@pytest.mark.parametrize("is_recursive", [True, False])
@pytest.mark.parametrize("kind", MAKERS)
def test_listings_that_bring_child_datasets_are_told(tmp_path: Path, kind: str, is_recursive: bool):
    said: dict[str, Any] = dict.fromkeys(RECURSIVE.values(), is_recursive)
    rules = replace(VENDOR, **said)
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer(tmp_path / "server", rules=rules))
        client = stack.enter_context(Client(server.info.url, server.info.token))
        project_id = MAKERS[kind](client, tmp_path)
        nest(client, project_id)
        diagnosis = diagnose(client, project_id)

    found = {finding.name: finding for finding in diagnosis.findings if finding.name.startswith("recursion")}
    methods = [f"{kind}.list", *([] if kind == "images" else ["annotation-objects.list"]), "figures.list"]
    assert list(found) == [f"recursion.{method}" for method in methods]
    assert {finding.verdict for finding in found.values()} == {"works"}
    for method in methods:
        assert diagnosis.rules[RECURSIVE[method]] is is_recursive, method
    if kind != "images":
        assert by_name(diagnosis)["annotations"].verdict == "works"


@pytest.mark.parametrize("kind", MAKERS)
def test_an_instance_that_lacks_half_of_everything_is_looked_at_to_the_end(tmp_path: Path, kind: str):
    with EmbeddedServer(tmp_path / "server") as server, Client(server.info.url, server.info.token) as client:
        project_id = MAKERS[kind](client, tmp_path)
        healthy = set(by_name(diagnose(client, project_id, server.info.workspace_id)))
    with (
        EmbeddedServer(tmp_path / "server", instance_version="6.9.0", plan="free") as server,
        Client(server.info.url, server.info.token) as client,
    ):
        diagnosis = diagnose(client, project_id, server.info.workspace_id)

    # What kept the name of its question was not answered, and there is no such.
    assert set(by_name(diagnosis)) == healthy
    failed = {finding.name for finding in diagnosis.findings if finding.verdict == "fails"}
    assert failed >= {"instance_version", "plan", "version_list", "version_filter", "reservation"}
    assert diagnosis.left_behind == []


def test_only_previews_lacking_is_no_reason_for_versions_to_fail(tmp_path: Path, photos: list[Path]):
    with patient(tmp_path, photos, VENDOR, instance_version="6.15.50") as ill:
        diagnosis = ill.diagnose()

    assert diagnosis.is_good
    assert "previews of versions (since 6.15.60)" in by_name(diagnosis)["instance_version"].consequence


def test_a_workspace_where_nothing_can_be_made_spoils_no_other_question(tmp_path: Path, photos: list[Path]):
    with patient(tmp_path, photos, VENDOR) as ill, Wire(ill.info.url) as wire:
        healthy = by_name(ill.diagnose())
        wire.always("projects.add", refuse(403))
        with Client(wire.url, ill.info.token) as client:
            found = by_name(diagnose(client, ill.project_id, ill.info.workspace_id))

    assert {name: found[name] for name in healthy} == healthy
    assert (found["writing"].verdict, found["writing"].observed) == ("unknown", "permission_denied")


def test_without_a_scratch_workspace_nothing_is_written(tmp_path: Path, photos: list[Path]):
    with patient(tmp_path, photos, VENDOR) as ill, Wire(ill.info.url) as wire:
        with Client(wire.url, ill.info.token) as client:
            diagnose(client, ill.project_id)
        asked = Counter(request.method for request in wire.requests)

    assert set(asked) <= READING
    assert (asked["instance.version"], asked["teams.info"]) == (1, 1)


def test_a_refused_question_spoils_no_other(tmp_path: Path, photos: list[Path]):
    with patient(tmp_path, photos, VENDOR) as ill, Wire(ill.info.url) as wire:
        healthy = set(by_name(ill.diagnose()))
        wire.always("figures.list", refuse(403))
        with Client(wire.url, ill.info.token) as client:
            diagnosis = diagnose(client, ill.project_id)

    assert set(by_name(diagnosis)) == healthy
    assert by_name(diagnosis)["figure_fields"].verdict == "fails"


def test_a_wrong_token_is_an_error_and_no_finding(server: Server):
    with Client(server.url, "wrong") as client, pytest.raises(AuthenticationError):
        diagnose(client)


@pytest.mark.parametrize(
    ("lifetime", "wait_seconds", "verdict", "observed"),
    [
        (timedelta(seconds=1), 0, "unknown", "not tried"),
        (timedelta(seconds=1), 60, "works", "within"),
        (timedelta(days=1), 25, "unknown", "not within 25 seconds"),
        (timedelta(seconds=-1), 60, "unknown", "not as expected"),
    ],
)
def test_a_reservation_that_expires_is_told(tmp_path, monkeypatch, lifetime, wait_seconds, verdict, observed):
    monkeypatch.setattr(scratch, "EXPIRY_STEP", 0.5 if verdict == "works" else 10)
    left_behind: list[str] = []
    with (
        EmbeddedServer(tmp_path / "server", reservation_lifetime=lifetime) as server,
        Client(server.info.url, server.info.token) as client,
    ):
        if verdict != "works":
            monkeypatch.setattr(client, "pause", lambda seconds: None)
        with scratch.Scratch(client, server.info.workspace_id, left_behind, wait_seconds) as tried:
            [finding] = tried.try_expiry(Subject(client))
        assert count_projects(client) == 0

    assert (finding.verdict, observed in finding.observed) == (verdict, True)
    assert left_behind == []


def test_somebody_who_waits_no_longer_leaves_nothing_behind(server: Server):
    left_behind: list[str] = []
    with Client(server.url, server.token) as client:
        before = count_projects(client)

    with pytest.raises(CancelledError):
        _interrupt_waiting(server, left_behind)

    with Client(server.url, server.token) as client:
        assert count_projects(client) == before
    assert left_behind == []


def _interrupt_waiting(server: Server, left_behind: list[str]) -> None:
    with (
        Client(server.url, server.token) as client,
        scratch.Scratch(client, server.workspace_id, left_behind, 3600) as tried,
    ):
        client.interrupt()
        list(tried.try_expiry(Subject(client)))


def test_waiting_for_an_expiry_needs_a_scratch_workspace(run: Run):
    code, _, err = run("doctor", "--expiry-wait", "5")

    assert (code, "--scratch" in err) == (2, True)


def test_saved_findings_hold_no_names_and_make_a_server_like_the_one_that_was_asked(
    tmp_path: Path, photos: list[Path], monkeypatch: Patch, capsys: Capsys
):
    rules = replace(VENDOR, cursor="number", max_per_page=2, checks_bounds=False, gone_status=403)
    saved = tmp_path / "findings.json"
    with patient(tmp_path, photos, rules, instance_version="6.16.2") as ill:
        ill.client.projects.edit(ill.project_id, name="Secret project")
        ill.client.datasets.add(ill.project_id, "Secret dataset")
        Versions(ill.client).create(ill.project_id, "Secret title")
        monkeypatch.setenv("SERVER_ADDRESS", ill.info.url)
        monkeypatch.setenv("API_TOKEN", ill.info.token)
        names = ["--project-id", str(ill.project_id), "--scratch", str(ill.info.workspace_id)]
        assert cli.main(["doctor", *names, "--save", str(saved)]) == 0
        shown = capsys.readouterr().out

    text = saved.read_text()
    assert shown.startswith("Instance 6.16.2\nVERDICT")
    for secret in (ill.info.token, "Secret"):
        assert secret not in text + shown
    assert read_findings(saved) == {"rules": rules, "instance_version": "6.16.2", "plan": "enterprise"}
    with patient(tmp_path / "again", photos, **read_findings(saved)) as ill:
        assert ill.diagnose(scratch=True).rules == json.loads(text)["rules"]


FINDING = {"name": str, "assumption": str, "observed": str, "verdict": str, "consequence": str, "rules": dict}


def test_json_tells_all_findings(tmp_path: Path, photos: list[Path], monkeypatch: Patch, capsys: Capsys):
    with patient(tmp_path, photos, replace(VENDOR, max_per_page=2), instance_version="6.9.40") as ill:
        monkeypatch.setenv("SERVER_ADDRESS", ill.info.url)
        monkeypatch.setenv("API_TOKEN", ill.info.token)
        assert cli.main(["doctor", "--project-id", str(ill.project_id), "--json"]) == 3
        told = json.loads(capsys.readouterr().out)
        assert cli.main(["doctor"]) == 3
        lines = capsys.readouterr().out.splitlines()

    findings = told.pop("findings")
    assert all({key: type(value) for key, value in finding.items()} == FINDING for finding in findings)
    assert {finding["verdict"] for finding in findings} == {"works", "slower", "fails", "unknown"}
    assert told == {
        "instance_version": "6.9.40",
        "plan": "enterprise",
        "is_good": False,
        "left_behind": [],
        "rules": {"cursor": "text", "max_per_page": 2, "gone_status": 404},
    }
    assert lines[0] == "Instance 6.9.40"
    assert lines[3].strip().startswith("-> It lacks exact coordinates (since 6.11.8), ")
    assert lines[-2].startswith("Versions, or some of them, will fail: 1 of ")
    assert max(map(len, lines)) < 120
    assert lines[-1].startswith("Give --project-id for more")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"rules": 1}', '{"rules": {}}'])
def test_a_file_that_holds_no_findings_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "findings.json"
    path.write_text(content)

    assert cli.main(["serve", "--data", str(tmp_path / "data"), "--like", str(path)]) == 2
