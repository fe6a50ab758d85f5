"""What all operators and sensors have in common: their arguments, what nothing means, and their log."""

import inspect
import logging
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import DAG, BaseOperator, task

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.operators.base import SuperviselyOperator
from airflow_sv_versioning.operators.compare import CompareProjectVersionsOperator
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.export import ExportProjectVersionOperator
from airflow_sv_versioning.operators.fill_vault import FillVaultOperator
from airflow_sv_versioning.operators.guarded import RestoreAfterFailureOperator
from airflow_sv_versioning.operators.remove import RemoveProjectOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.operators.retention import RetentionOperator
from airflow_sv_versioning.operators.verify import VerifyProjectVersionOperator
from airflow_sv_versioning.sensors.background_tasks import BackgroundTasksSensor
from airflow_sv_versioning.sensors.project_versions import ProjectVersionSensor
from tests.support.airflow_runs import pulled
from tests.support.types import Patch, RunDag, Wire

OPERATORS: list[type[BaseOperator]] = [
    BackgroundTasksSensor,
    CompareProjectVersionsOperator,
    CreateProjectVersionOperator,
    ExportProjectVersionOperator,
    FillVaultOperator,
    ProjectVersionSensor,
    RemoveProjectOperator,
    RestoreAfterFailureOperator,
    RestoreProjectVersionOperator,
    RetentionOperator,
    VerifyProjectVersionOperator,
]
# Words of a run's data; everything else is how the work is done, which a DAG's author decides.
TEMPLATED = ("_id", "_ids", "_name", "_num", "title", "description", "as_of", "vault")
# What a person who triggers a run may have to decide.
DECIDED = (
    *("missing_entities", "before", "after", "fail_if", "skip_if", "report", "changes"),
    *("newer_than", "made_since", "experiment_file"),
    *("destination", "selection", "split", "format_options", "cache"),
    *("into", "on_conflict"),
    *("policy", "plan", "experiments"),
    *("vault_contents", "as_server", "vault_version"),
)
# Where none was made, there is none to restore.
MAY_BE_MISSING = {(RestoreAfterFailureOperator, "version_id")}
ARGUMENTS = [
    (operator, name)
    for operator in OPERATORS
    for name in operator.template_fields
    if (operator, name) not in MAY_BE_MISSING
]
EMPTY = ["{{ none }}", "{{ params.nothing }}", " {{ '' }}\n", ""]


@pytest.mark.parametrize("operator", OPERATORS)
def test_what_a_run_brings_along_is_templated(operator: type[BaseOperator]):
    bases: tuple[Any, ...] = operator.__mro__
    own = {
        name
        for base in bases
        if base.__module__.startswith("airflow_sv_versioning")
        for name in inspect.signature(base.__init__).parameters
    }

    assert {name for name in own if name.endswith(TEMPLATED + DECIDED)} == set(operator.template_fields)


def _made(operator: type[BaseOperator], **arguments: Any) -> BaseOperator:
    required: dict[str, Any] = {} if operator is BackgroundTasksSensor else {"project_id": 1}
    if operator is ExportProjectVersionOperator:
        required["destination"] = "/data/cars"
    if operator in {FillVaultOperator, RetentionOperator}:
        required["vault"] = "/data/vault"
    return operator(task_id="task", **{**required, **arguments})


def _render(operator: BaseOperator) -> None:
    operator.render_template_fields({"params": {"nothing": None}})


@pytest.mark.parametrize("written", EMPTY)
@pytest.mark.parametrize(("operator", "name"), ARGUMENTS)
def test_an_argument_that_renders_to_nothing_is_refused(operator, name, written):
    with pytest.raises(AirflowFailException, match=rf"^{name} of task 'task' was given as"):
        _render(_made(operator, **{name: written}))


@pytest.mark.parametrize("written", EMPTY)
@pytest.mark.parametrize(("operator", "name"), ARGUMENTS)
def test_an_argument_that_may_be_missing_counts_as_not_given(operator, name, written):
    made = _made(operator, **{name: written}, optional_arguments=[name])

    _render(made)

    assert getattr(made, name) is None


@pytest.mark.parametrize("operator", OPERATORS)
def test_arguments_that_nobody_gives_are_no_error(operator: type[BaseOperator]):
    left_out = [name for owner, name in ARGUMENTS if owner is operator and name.endswith(("_num", "_ids"))]

    _render(_made(operator, **dict.fromkeys(left_out)))


def test_a_restore_after_a_failure_is_told_that_there_is_no_version():
    made = _made(RestoreAfterFailureOperator, version_id="{{ none }}")

    _render(made)

    assert made.version_id is None  # type: ignore[attr-defined]


VERIFY: dict[str, Any] = {"task_id": "verify", "project_id": 1, "retries": 2}


def _by_template(dag: DAG) -> None:
    VerifyProjectVersionOperator(version_id="{{ ti.xcom_pull('misspelled') }}", **VERIFY)


def _by_native_template(dag: DAG) -> None:
    dag.render_template_as_native_obj = True
    VerifyProjectVersionOperator(version_id="{{ params.version_id }}", **VERIFY)


@task
def find_nothing() -> None:
    """Return nothing, as a task that forgot its ``return``."""


def _by_output(dag: DAG) -> None:
    VerifyProjectVersionOperator(version_id=find_nothing(), **VERIFY)  # type: ignore[arg-type]


@task
def list_nothing() -> list[Any]:
    return [None]


def _by_mapping(dag: DAG) -> None:
    VerifyProjectVersionOperator.partial(**VERIFY).expand(version_id=list_nothing())


@task
def list_arguments() -> list[dict[str, Any]]:
    return [{"version_id": None}]


def _by_mapped_arguments(dag: DAG) -> None:
    VerifyProjectVersionOperator.partial(**VERIFY).expand_kwargs(list_arguments())


def _by_default(dag: DAG) -> None:
    VerifyProjectVersionOperator(default_args={"version_id": "{{ params.version_id }}"}, **VERIFY)


@pytest.mark.parametrize(
    "write", [_by_template, _by_native_template, _by_output, _by_mapping, _by_mapped_arguments, _by_default]
)
def test_a_check_of_no_version_fails_for_good_and_checks_no_other(
    write: Callable[[DAG], None], run_dag: RunDag, dag_id: str, proxy: Wire
):
    with DAG(dag_id, schedule=None, params={"version_id": None}) as dag:
        write(dag)

    run = run_dag(dag)

    [verify] = [ti for ti in run.get_task_instances() if ti.task_id == "verify"]
    assert (str(verify.state), verify.try_number) == ("failed", 1)
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("line", "level"), [("Warning: nothing keeps this.", logging.WARNING), ("Packing.", logging.INFO)]
)
def test_what_the_engine_warns_of_is_a_warning_in_the_log(line: str, level: int, monkeypatch: Patch):
    operator = RemoveProjectOperator(task_id="task", project_id=1)
    logged: list[tuple[int, str]] = []
    monkeypatch.setattr(operator.log, "log", lambda at, text, *values: logged.append((at, text % values)))

    operator._report(line)

    assert logged == [(level, line)]


class PoolOperator(SuperviselyOperator):
    def execute(self, context: Any) -> str:
        import pyarrow as pa

        return str(pa.default_memory_pool().backend_name)


def test_a_task_has_arrow_take_memory_from_the_system(run_dag: RunDag, dag_id: str):
    import pyarrow as pa

    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.mimalloc_memory_pool())
    with DAG(dag_id, schedule=None) as dag:
        PoolOperator(task_id="pool")

    assert pulled(run_dag(dag), "pool") == "system"
    pa.set_memory_pool(before)
