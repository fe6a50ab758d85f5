import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import pytest
from airflow.sdk import DAG, task

from airflow_sv_versioning.exceptions import CancelledError
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from tests.support.airflow_runs import ended, pulled, running_context
from tests.support.projects import touch
from tests.support.proxy import first, refuse
from tests.support.types import Capsys, Client, RunDag, Server, SetConnection, Versions, Wire

pytestmark = pytest.mark.usefixtures("connection")

Create = Callable[..., Any]
NO_DELAY = {"retries": 1, "retry_delay": timedelta(0)}


@pytest.fixture
def create(run_dag: RunDag, dag_id: str) -> Create:
    """Run a DAG of one ``create`` task."""

    def run(**arguments: Any) -> Any:
        with DAG(dag_id, schedule=None) as dag:
            CreateProjectVersionOperator(task_id="create", **arguments)
        return run_dag(dag)

    return run


def test_a_first_run_creates_version_1(create: Create, project_id: int, versions: Versions):
    run = create(project_id=project_id)

    [version] = versions.get_list(project_id)
    assert pulled(run, "create") == version.version_id
    result = pulled(run, "create", "version")
    assert result["created"] is True
    assert (result["project_id"], result["version_id"], result["version_num"]) == (
        project_id,
        version.version_id,
        1,
    )
    assert result["counts"]["images"] == 3
    assert result["archive_path"].startswith(f"/system/versions/{project_id}/")
    assert len(result["archive_sha256"]) == 64


def test_a_second_run_on_an_unchanged_project_returns_the_same_version(create: Create, project_id: int):
    first_run, second_run = create(project_id=project_id), create(project_id=project_id)

    assert pulled(second_run, "create") == pulled(first_run, "create")
    assert pulled(second_run, "create", "version")["created"] is False
    assert pulled(second_run, "create", "version")["version_num"] == 1


def test_a_changed_project_gets_version_2_which_tells_what_changed(
    create: Create, project_id: int, client: Client, capsys: Capsys
):
    create(project_id=project_id)
    touch(client, project_id)

    version = pulled(create(project_id=project_id), "create", "version")

    assert version["version_num"] == 2
    assert (version["changes"]["version_num"], version["changes_note"]) == (1, None)
    assert version["changes"]["text"] in capsys.readouterr().out


def test_the_version_tells_the_run_that_made_it(create: Create, project_id, versions: Versions, dag_id):
    run = create(project_id=project_id)

    [version] = versions.get_list(project_id)
    assert version.title == f"{dag_id} / create"
    assert f"dag_id={dag_id}, task_id=create, run_id={run.run_id}, " in version.description
    assert pulled(run, "create", "version")["title"] == version.title


def test_a_backfill_tells_that_its_version_is_of_now(
    run_dag: RunDag, project_id: int, versions: Versions, dag_id: str, capsys: Capsys
):
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator(task_id="create", project_id=project_id)

    started = datetime.now(timezone.utc) - timedelta(seconds=1)

    run_dag(dag, of=datetime(2026, 1, 1, tzinfo=timezone.utc))

    [version] = versions.get_list(project_id)
    made_at = re.fullmatch(rf"Made (\S+) by Airflow: dag_id={dag_id}, .+", version.description)
    assert made_at
    assert datetime.fromisoformat(made_at[1]) > started
    assert re.search(r", logical_date=2026-01-01T00:00:00\+00:00, run=[0-9a-f]{16}$", version.description)
    log = capsys.readouterr().out
    assert re.search(r"warning .*This run's logical_date is 2026-01-01\S+, .+ ago, but a version holds", log)


class _WorkflowMeta:
    """The shape of the official SDK's class of this name."""

    @property
    def as_dict(self) -> dict[str, Any]:
        return {"customNodeSettings": {"title": "<h4>nightly</h4>"}}


@pytest.mark.parametrize(
    ("description", "kept"),
    [
        ("of {{ dag.dag_id }}", "of {dag_id}"),
        ({"dag": "{{ dag.dag_id }}"}, '{{"dag":"{dag_id}"}}'),
        (_WorkflowMeta(), '{{"customNodeSettings":{{"title":"<h4>nightly</h4>"}}}}'),
    ],
    ids=["text", "dict", "object"],
)
def test_a_title_and_description_of_ones_own_are_kept(
    description: Any, kept: str, create: Create, project_id: int, versions: Versions, dag_id: str
):
    create(project_id=project_id, title="by {{ dag.dag_id }}", description=description)

    [version] = versions.get_list(project_id)
    assert version.title == f"by {dag_id}"
    assert version.description == kept.format(dag_id=dag_id)


def test_ids_come_from_templates_and_other_tasks(run_dag: RunDag, dag_id: str, project_id: int):
    @task
    def choose(project_id: str) -> int:
        return int(project_id)

    @task
    def read(version_id: int, version: dict[str, Any]) -> list[Any]:
        return [version_id, version["version_num"]]

    with DAG(dag_id, schedule=None) as dag:
        create = CreateProjectVersionOperator(
            task_id="create", project_id=cast(Any, choose("{{ params.project_id }}"))
        )
        again = CreateProjectVersionOperator(task_id="again", project_id="{{ params.project_id }}")
        output: Any = create.output
        read(output, output["version"]) >> again
    run = run_dag(dag, project_id=project_id)

    assert pulled(run, "read") == [pulled(run, "create"), 1]
    assert pulled(run, "again") == pulled(run, "create")


def test_one_task_maps_over_projects(run_dag: RunDag, dag_id: str, project_id: int, versions: Versions):
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator.partial(task_id="create").expand(project_id=[project_id])
    run_dag(dag)

    [version] = versions.get_list(project_id)
    assert version.title == f"{dag_id} / create[0]"


def test_the_links_lead_to_the_project_and_to_the_version(create: Create, project_id: int, server: Server):
    run = create(project_id=project_id)

    assert pulled(run, "create", "_link_ProjectLink") == f"{server.url}/projects/{project_id}/datasets"
    page = f"{server.url}/projects/{project_id}/versions#version-{pulled(run, 'create')}"
    assert pulled(run, "create", "_link_VersionLink") == page


def test_the_links_work_while_the_task_runs(proxy: Wire, project_id: int):
    context = running_context()
    seen: list[set[str]] = []
    proxy.on("projects.versions.reserve", first(lambda: seen.append(set(context["ti"].pushed))))

    CreateProjectVersionOperator(task_id="create", project_id=project_id).execute(context)

    assert seen == [{"_link_ProjectLink", "_link_VersionLink"}]


def test_a_permanent_failure_is_not_tried_again(proxy: Wire, create: Create, project_id: int):
    proxy.always("projects.versions.reserve", refuse(403))

    run = create(project_id=project_id, **NO_DELAY)

    assert ended(run, "create") == ("failed", 1)


def test_a_passing_failure_is_tried_again(proxy: Wire, one_try: None, create: Create, project_id: int):
    proxy.on("projects.info", refuse(503))

    run = create(project_id=project_id, **NO_DELAY)

    assert ended(run, "create") == ("success", 2)


@pytest.mark.parametrize("project_id", ["None", "seven", "{{ ti.xcom_pull('create') }}"])
def test_a_bad_id_fails_for_good(create: Create, project_id: str):
    run = create(project_id=project_id, **NO_DELAY)

    assert ended(run, "create") == ("failed", 1)


def test_a_missing_connection_fails_for_good(create: Create):
    run = create(project_id=7, supervisely_conn_id="nowhere", **NO_DELAY)

    assert ended(run, "create") == ("failed", 1)


def test_a_wrong_token_fails_for_good(server: Server, set_connection: SetConnection, create: Create):
    set_connection(host=server.url, password="not-the-token")

    run = create(project_id=7, **NO_DELAY)

    assert ended(run, "create") == ("failed", 1)


def test_a_server_that_is_down_is_tried_again(one_try: None, set_connection: SetConnection, create: Create):
    set_connection(host="http://127.0.0.1:1", password="a-token")

    run = create(project_id=7, **NO_DELAY)

    assert ended(run, "create") == ("failed", 2)


def test_a_project_that_has_no_versions_fails_for_good(
    create: Create, client: Client, server: Server, dag_id: str
):
    points = client.projects.add(server.workspace_id, dag_id, "point_clouds")

    run = create(project_id=points.id, **NO_DELAY)

    assert ended(run, "create") == ("failed", 1)


def test_a_kill_stops_the_work_and_gives_the_reservation_back(proxy: Wire, project_id, versions: Versions):
    operator = CreateProjectVersionOperator(task_id="create", project_id=project_id)
    proxy.on("figures.list", first(operator.on_kill))

    with pytest.raises(CancelledError):
        operator.execute(running_context())

    assert len(proxy.seen("projects.versions.cancel-reservation")) == 1
    assert versions.get_list(project_id) == []
    assert versions.create(project_id, busy_timeout_seconds=0).created


def test_a_kill_before_the_start_is_harmless():
    CreateProjectVersionOperator(task_id="create", project_id=7).on_kill()


def test_the_token_is_in_no_xcom_and_not_in_the_output(server: Server, project_id: int, capfd: Capsys):
    context = running_context()

    CreateProjectVersionOperator(task_id="create", project_id=project_id).execute(context)

    assert server.token not in str(context["ti"].pushed)
    assert server.token not in "".join(capfd.readouterr())
