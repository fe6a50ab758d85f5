"""A restored version for some tasks of a run: there for them, and removed after them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG, task, task_group
from airflow.sdk.definitions.dag import _run_task

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.installation import INSTALLATION
from airflow_sv_versioning.operators.restored import RemoveRestoredProjectOperator, restored_project
from airflow_sv_versioning.versioning.restored_for import RestoredFor
from tests.support.airflow_runs import ended, pulled, running_context, state, task_instance
from tests.support.proxy import refuse
from tests.support.types import Client, Made, Patch, RunDag, Server, Versions, Wire

pytestmark = pytest.mark.usefixtures("connection")

RESTORE = "experiment.restore_version"
TRAIN = "experiment.operation.train"
REMOVE = "experiment.remove_project"
MakeDag = Callable[..., DAG]


@task
def train(project_id: Any) -> int:
    with SuperviselyHook() as hook:
        return hook.client.projects.get(project_id).images_count


@pytest.fixture
def experiment(dag_id: str, made: Made) -> MakeDag:
    """Make a DAG of one training on a version."""

    def make(retries: int = 0, **arguments: Any) -> DAG:
        tries = {"retries": retries, "retry_delay": timedelta(0)}
        with DAG(dag_id, schedule=None, default_args=tries) as dag:
            version = {"version_id": made.version_id, **arguments}
            with restored_project("experiment", project_id=made.project_id, **version) as project:
                train(project.output)
        return dag

    return make


def is_there(client: Client, server: Server, project_id: int) -> bool:
    return project_id in client.projects.list_ids(server.workspace_id, {"images"})


def test_a_cleared_task_says_that_its_project_is_gone_and_how_it_comes_back(
    run_dag: RunDag, experiment: MakeDag, client: Client, server: Server
):
    dag = experiment(retries=3)
    run = run_dag(dag)
    project_id = pulled(run, RESTORE)
    assert (run.state, pulled(run, TRAIN), pulled(run, REMOVE)) == ("success", 3, project_id)
    assert not is_there(client, server, project_id)

    cleared = task_instance(run, TRAIN)
    cleared.set_state("scheduled")
    again = _run_task(ti=cleared, task=dag.task_dict[TRAIN])

    assert again is not None
    assert again.state == "failed"
    assert f"Project {project_id}, restored for this run, is gone" in str(again.error)
    assert {RESTORE, REMOVE} <= cleared_with_downstream(dag.dag_id, TRAIN)


def cleared_with_downstream(dag_id: str, task_id: str) -> set[str]:
    """List what Airflow clears with a task, as it knows the DAG, where Downstream is chosen."""
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        known: Any = SerializedDagModel.get_dag(dag_id, session=session)
        return set(known.partial_subset(task_ids={task_id}, include_upstream=False).task_dict)


def test_what_runs_that_are_over_left_is_removed_before_the_next_restore(
    run_dag: RunDag, experiment: MakeDag, dag_id: str, versions: Versions, made: Made, client, server
):
    from airflow.models.variable import Variable

    dag = experiment()
    first = run_dag(dag)
    ours = Variable.get(INSTALLATION)

    def left_by(run_id: str) -> int:
        run = RestoredFor(ours, dag_id, "experiment", run_id)
        return versions.restore(made.project_id, made.version_id, restored_for=run).project_id

    going_on = add_running(first)
    left = {run_id: left_by(run_id) for run_id in (first.run_id, "deleted since", going_on)}
    run_dag(dag)

    assert {run_id: is_there(client, server, left[run_id]) for run_id in left} == {
        first.run_id: False,
        "deleted since": False,
        going_on: True,
    }


def add_running(run: Any) -> str:
    """Let Airflow know another run of a DAG, which goes on."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunType

    moment = run.logical_date + timedelta(seconds=1)
    other = DagRun(
        dag_id=run.dag_id,
        run_id="goes_on",
        run_type=DagRunType.MANUAL,
        logical_date=moment,
        state=DagRunState.RUNNING,
    )
    other.run_after = moment
    with create_session() as session:
        session.add(other)
    return "goes_on"


def test_a_mapped_group_has_a_project_for_each_of_its_instances(run_dag: RunDag, dag_id: str, made: Made):
    with DAG(dag_id, schedule=None) as dag:

        @task_group
        def on_version(version_num: Any) -> None:
            with restored_project(
                "experiment", project_id=made.project_id, version_num=version_num
            ) as project:
                train(project.output)

        on_version.expand(version_num=[1, 1])

    run = run_dag(dag)

    tasks = [ti for ti in run.get_task_instances() if ti.task_id.endswith("remove_project")]
    removed = {ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index) for ti in tasks}
    assert run.state == "success"
    assert len(removed - {None}) == 2


def test_a_restore_that_fails_leaves_nothing_to_remove(run_dag: RunDag, experiment: MakeDag):
    run = run_dag(experiment(version_id=999_999))

    assert [state(run, name) for name in (RESTORE, TRAIN, REMOVE)] == [
        "failed", "upstream_failed", "upstream_failed",
    ]  # fmt: skip


def test_what_cannot_be_removed_for_now_is_removed_by_the_next_try(
    one_try: None, proxy: Wire, run_dag: RunDag, experiment: MakeDag
):
    proxy.on("projects.archive", refuse(503))

    run = run_dag(experiment(retries=1))

    assert ended(run, REMOVE) == ("success", 2)
    assert pulled(run, REMOVE) == pulled(run, RESTORE)


@pytest.fixture
def remove(versions: Versions, made: Made, monkeypatch: Patch) -> Callable[[Any], int | None]:
    """Remove, or keep, what was restored for a run."""
    monkeypatch.setenv(f"AIRFLOW_VAR_{INSTALLATION.upper()}", "ours")

    def run(keep: Any) -> int | None:
        restored = versions.restore(made.project_id, made.version_id).as_dict()
        context = running_context()
        context["ti"].xcom_pull = lambda **_: restored
        operator = RemoveRestoredProjectOperator(
            task_id="remove", group="experiment", restored_by="restore", keep=keep
        )
        return operator.execute(context)

    return run


@pytest.mark.parametrize(
    ("keep", "is_kept"), [(None, False), ("False", False), (" true\n", True), (True, True)]
)
def test_a_project_is_kept_where_that_is_what_was_said(keep: Any, is_kept: bool, remove):
    assert (remove(keep) is None) is is_kept


def test_what_says_neither_to_keep_nor_to_remove_is_an_error(remove):
    with pytest.raises(AirflowFailException, match="keep is 'perhaps'; it must render to true or false"):
        remove("perhaps")
