"""A day of a real Airflow: its pages, logs, events and questions; what one process cannot show."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.get_provider_info import get_provider_info
from airflow_sv_versioning.operators.lineage import CONTENT_FACET
from tests.support.lineage import check_event
from tests.support.projects import make_project, touch
from tests.support.proxy import Exchange, Reply, alter
from tests.support.standalone import AIRFLOW_3_3, TEST_SECONDS, Standalone, asked, wait_until
from tests.support.types import Client, Server, Versions, Wire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(TEST_SECONDS)]


def test_the_page_of_connections_shows_the_form(airflow: Standalone):
    forms = airflow.call("GET", "/ui/connections/hook_meta")
    declared = get_provider_info()["connection-types"][0]

    [form] = [form for form in forms if form["connection_type"] == "supervisely"]

    shown, fields = form["standard_fields"], form["extra_fields"]
    assert {name: shown[name]["title"] for name in ("host", "password")} == {
        "host": "Server address",
        "password": "API token",
    }
    hidden = {name for name, field in shown.items() if field and field["hidden"]}
    assert hidden == {"login", "port", "url_schema"}
    assert shown["host"]["placeholder"] == "https://app.supervisely.com"
    assert fields.keys() == declared["conn-fields"].keys()
    for name, field in declared["conn-fields"].items():
        assert fields[name]["schema"]["title"] == field["label"]
        assert fields[name]["schema"]["type"] == field["schema"]["type"]


@pytest.mark.parametrize("right", [True, False])
def test_the_test_button_says_whether_the_token_is_right(
    right: bool, airflow: Standalone, wire: Wire, server: Server
):
    token = server.token if right else "a-token-of-nobody"

    told = airflow.call("POST", "/api/v2/connections/test", _connection(wire.url, token))

    assert told["status"] is right
    assert ("Connected to" if right else "Check the API token") in told["message"]
    assert token not in told["message"]


@pytest.mark.skipif(not AIRFLOW_3_3, reason="older ones test connections in the API server alone")
def test_the_test_button_works_where_the_test_runs_on_a_worker(
    airflow: Standalone, wire: Wire, server: Server
):
    queued = airflow.call("POST", "/api/v2/connections/enqueue-test", _connection(wire.url, server.token))
    told: dict[str, Any] = {}

    def ended() -> bool:
        told.update(
            airflow.call(
                "GET",
                "/api/v2/connections/enqueue-test",
                **{"Airflow-Connection-Test-Token": queued["token"]},
            )
        )
        return told["state"] in {"success", "failed"}

    wait_until(ended, airflow.tail)
    assert told["state"] == "success", told
    assert "Connected to" in told["result_message"]


def _connection(host: str, token: str) -> dict[str, Any]:
    return {"connection_id": "new", "conn_type": "supervisely", "host": host, "password": token}


@pytest.fixture(scope="module")
def finished(airflow: Standalone, server: Server, photos: list[Path]) -> tuple[int, str]:
    """A project, and a run that has backed it up."""
    from airflow_sv_versioning.client import SuperviselyClient

    with SuperviselyClient(server.url, server.token) as client:
        project_id = make_project(client, photos[:1])
    run = airflow.trigger("backup", project_id=project_id)
    airflow.wait_for("backup", run, "create", "success")
    return project_id, run


def test_the_buttons_of_a_task_lead_to_the_platform(
    airflow: Standalone, finished: tuple[int, str], wire: Wire
):
    project_id, run = finished
    version_id = airflow.xcom("backup", run, "create")

    assert airflow.links("backup", run, "create") == {
        "Open version": f"{wire.url}/projects/{project_id}/versions#version-{version_id}",
        "Open project": f"{wire.url}/projects/{project_id}/datasets",
    }


def test_secrets_are_masked_in_the_logs(
    airflow: Standalone, finished: tuple[int, str], wire: Wire, server: Server
):
    commits = [request.json["commitToken"] for request in wire.seen("projects.versions.commit")]
    logs = "".join(path.read_text(errors="replace") for path in (airflow.home / "logs").rglob("*.log"))

    assert "The token is ***" in logs
    assert commits
    assert [secret for secret in (server.token, *commits) if secret in logs] == []


def test_the_version_is_in_the_lineage_of_its_run(airflow: Standalone, finished: tuple[int, str], wire: Wire):
    if find_spec("airflow.providers.openlineage") is None:
        pytest.skip("The OpenLineage provider is not installed.")
    project_id, run = finished
    version_id = airflow.xcom("backup", run, "create")

    def told() -> dict[str, dict[str, Any]]:
        path = airflow.home / "lineage.jsonl"
        events = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return {event["eventType"]: event for event in events if event["job"]["name"] == "backup.create"}

    wait_until(lambda: "COMPLETE" in told(), airflow.tail)

    events = told()
    for event in events.values():
        check_event(event)
    event = events["COMPLETE"]
    namespace = wire.url.replace("http", "supervisely", 1)
    [[read], [made]] = event["inputs"], event["outputs"]
    assert (read["namespace"], read["name"]) == (namespace, f"projects/{project_id}")
    assert (made["namespace"], made["name"]) == (namespace, f"projects/{project_id}/versions")
    assert made["facets"]["version"]["datasetVersion"] == str(version_id)
    assert made["outputFacets"].keys() == {"outputStatistics", CONTENT_FACET}
    assert "START" in events


def test_two_runs_at_once_end_with_the_same_version(
    airflow: Standalone, wire: Wire, project_id: int, versions: Versions
):
    def wait_for_the_other(exchange: Exchange) -> Reply:
        wait_until(lambda: len(asked(wire, "projects.versions.reserve", project_id)) >= 2)
        return exchange.forward()

    wire.on("figures.list", wait_for_the_other)

    runs = [airflow.trigger("backup", project_id=project_id) for _ in range(2)]

    for run in runs:
        airflow.wait_for("backup", run, "create", "success")
    [version] = versions.get_list(project_id)
    assert [int(airflow.xcom("backup", run, "create")) for run in runs] == [version.version_id] * 2


def test_a_version_that_somebody_makes_on_the_platform_starts_a_run(
    airflow: Standalone, wire: Wire, watched_id: int, versions: Versions
):
    wait_until(lambda: bool(asked(wire, "projects.versions.list", watched_id)), airflow.tail)

    version = versions.create(watched_id, "by hand")

    airflow.wait_for_version("watching", version.version_id)


@pytest.mark.parametrize(("answer", "restored"), [("Approve", "success"), ("Reject", "skipped")])
def test_a_restore_waits_for_a_person(
    answer: str, restored: str, airflow: Standalone, wire: Wire, project_id: int, versions: Versions
):
    versions.create(project_id, "before the mess")
    run = airflow.trigger("approved_restore", project_id=project_id, version_num=1)
    # 3.3 has a state of its own for it.
    airflow.wait_for("approved_restore", run, "approve", "awaiting_input", "deferred")
    assert airflow.slots()["running"] == 0

    question = airflow.answer("approved_restore", run, "approve", answer)

    assert "before the mess" in question
    assert "1 datasets, 3 images" in question
    airflow.wait_for("approved_restore", run, "restore_version", restored)
    if restored == "success":
        new = airflow.xcom("approved_restore", run, "restore_version")
        links = airflow.links("approved_restore", run, "restore_version")
        assert links["Open restored project"] == f"{wire.url}/projects/{new}/datasets"


def test_a_permanent_error_is_one_sentence_on_the_page_of_its_task(airflow: Standalone):
    run = airflow.trigger("waiting", project_id=999_999)
    airflow.wait_for("waiting", run, "wait", "failed")

    told = "projects.info(id=999999) failed with status 404"
    # The end of a log comes after the end of its task.
    wait_until(lambda: told in json.dumps(airflow.task_log("waiting", run, "wait")), airflow.tail)
    log = airflow.task_log("waiting", run, "wait")

    [error] = [detail for line in log for detail in line.get("error_detail") or ()]
    assert error["exc_type"] == "AirflowFailException"
    assert json.dumps(log).count(told) == 1
    assert [frame for frame in error["frames"] if "/client/" in frame["filename"]] == []


def test_a_version_starts_what_is_scheduled_on_its_project_and_on_its_versions(
    airflow: Standalone, client: Client, watched_id: int
):
    touch(client, watched_id)
    run = airflow.trigger("versioned", project_id=watched_id)
    airflow.wait_for("versioned", run, "create", "success")

    made = int(airflow.xcom("versioned", run, "create"))
    airflow.wait_for_version("training", made)
    wait_until(lambda: bool(airflow.runs("training_by_version")), airflow.tail)
    [started] = airflow.runs("training_by_version")
    airflow.wait_for("training_by_version", started["dag_run_id"], "train", "success")
    trained = airflow.xcom("training_by_version", started["dag_run_id"], "train")
    assert trained.strip('"') == f"model-of-version-{made}"


@pytest.mark.skipif(not AIRFLOW_3_3, reason="older ones have no partition keys from tasks")
def test_a_run_of_an_old_version_works_on_it_again_and_again(
    airflow: Standalone, client: Client, watched_id: int, versions: Versions
):
    old = versions.create(watched_id)
    touch(client, watched_id)
    versions.create(watched_id)

    run = airflow.trigger("training_by_version", partition_key=str(old.version_num))
    # Airflow loses what is cleared in the moment in which it ends the run.
    wait_until(lambda: airflow.runs("training_by_version")[0]["state"] == "success", airflow.tail)
    first = airflow.xcom("training_by_version", run, "restore_version", "restore")
    airflow.clear("training_by_version", run)
    airflow.wait_for("training_by_version", run, "restore_version", "success")
    again = airflow.xcom("training_by_version", run, "restore_version", "restore")

    assert first["version_id"] == again["version_id"] == old.version_id
    assert first["project_id"] != again["project_id"]


def _seen(airflow: Standalone, run: str, count: int) -> list[tuple[int, str]]:
    """Read the id and the digest of the version that each mapped task saw."""
    told = [airflow.xcom("experiment", run, "create", "version", index) for index in range(count)]
    facts = [json.loads(value) if isinstance(value, str) else value for value in told]
    return [(version["version_id"], version["archive_sha256"]) for version in facts]


def test_a_cleared_run_sees_the_versions_that_it_saw_and_a_version_that_is_gone_is_red(
    airflow: Standalone, wire: Wire, client: Client, photos: list[Path]
):
    projects = [make_project(client, photos[:1]) for _ in range(2)]
    run = airflow.trigger("experiment", project_ids=projects)
    airflow.wait_for_run("experiment", run, "success")
    first = _seen(airflow, run, 2)

    for project_id in projects:
        touch(client, project_id)
    airflow.clear("experiment", run)
    airflow.wait_for_run("experiment", run, "success")
    assert _seen(airflow, run, 2) == first

    gone = {"entities": [], "total": 0, "perPage": 500, "pagesCount": 1}
    wire.always("projects.versions.list", alter(lambda told: {**told, **gone}))
    airflow.clear("experiment", run)
    airflow.wait_for_run("experiment", run, "failed")
    wire.heal()


def test_each_run_of_a_backfill_keeps_its_version(airflow: Standalone, client: Client, project_id: int):
    backfill = {"from_date": "2026-01-02T00:00:00Z", "to_date": "2026-01-03T00:00:00Z", "max_active_runs": 1}
    conf = {"project_ids": [project_id]}
    airflow.backfill("experiment", dag_run_conf=conf, **backfill)
    runs = [f"backfill__2026-01-0{day}T00:00:00+00:00" for day in (2, 3)]
    for run in runs:
        airflow.wait_for_run("experiment", run, "success")
        touch(client, project_id)
    first = [_seen(airflow, run, 1) for run in runs]

    for run in runs:
        airflow.clear("experiment", run)
        airflow.wait_for_run("experiment", run, "success")

    assert [_seen(airflow, run, 1) for run in runs] == first
