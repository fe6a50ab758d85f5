"""Which version a run works on, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from airflow_sv_versioning.assets import read_version_events
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import airflow_outcome, get_id, is_nothing
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.runs import Seen, open_run_memory

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.models import VersionInfo

Source = Literal["params", "partition", "asset_event", "run", "latest"]
_NAMES = ("version_id", "version_num")


@dataclass(frozen=True)
class RunVersion:
    """The version that a run works on.

    :param source: what named it: ``params``, ``partition``, ``asset_event``, ``run`` (what the run used
        before) or ``latest``.
    :param reason: the same in words.
    """

    project_id: int
    version_id: int
    version_num: int
    source: Source
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data, for a task to hand on."""
        return asdict(self)


def choose_run_version(
    context: Context | Mapping[str, Any],
    project_id: int | str,
    *,
    supervisely_conn_id: str = SuperviselyHook.default_conn_name,
) -> RunVersion:
    """Choose the version of a project that a run works on, the same at every try.

    .. code-block:: python

        @task
        def train(**context):
            version = choose_run_version(context, project_id=42)

    It is the first of these that there is: the one named by ``version_id`` or ``version_num`` in the run's
    parameters; by the run's partition key, which is a version's number; the newest one that the asset events
    tell of which started the run; the one that the run used before, in a task that made a version before this
    one or at an earlier try of this one; the project's latest version.

    :param context: of the task, as Airflow hands it to functions that take ``**context``.
    :raises AirflowFailException: there is no such version, or what names it is no id or number.
    """
    with airflow_outcome(), SuperviselyHook(supervisely_conn_id) as hook:
        return _choose(context, hook.client, get_id("project_id", project_id))


def _choose(context: Any, client: SuperviselyClient, project_id: int) -> RunVersion:
    for source, reason, named in _named(context, project_id):
        version = _find(client, project_id, named)
        return RunVersion(project_id, version.version_id, version.version_num, source, reason)
    memory = open_run_memory(context, client, project_id)
    if seen := memory.recall():
        result, source, reason = seen.result, "run", "an earlier try of this task chose it"
    else:
        result, source, reason = _latest(client, project_id), "latest", "it is the latest version"
        memory.remember(Seen(result))
    return RunVersion(project_id, result.version_id, result.version_num, source, reason)


def _named(context: Any, project_id: int) -> Iterator[tuple[Source, str, dict[str, Any]]]:
    """Yield what names a version, the first before the others: why, in words, and its id or number."""
    params = context.get("params") or {}
    if named := {name: params[name] for name in _NAMES if not is_nothing(params.get(name))}:
        told = " and ".join(f"{name} {value}" for name, value in named.items())
        yield "params", f"the run's parameters name {told}", named
    key = getattr(context["dag_run"], "partition_key", None)
    if key is not None:
        yield "partition", f"the run is of partition {key}", {"version_num": _number(key)}
    events = read_version_events(context.get("triggering_asset_events") or {}, project_id)
    if newest := max(events, key=lambda told: told["version_num"], default=None):
        yield "asset_event", "an asset event of it started the run", {"version_id": newest["version_id"]}
    made = [version for version in _made_before(context) if version.get("project_id") == project_id]
    if newest := max(made, key=lambda told: told["version_num"], default=None):
        yield "run", "an earlier task of the run made or found it", {"version_id": newest["version_id"]}


def _number(key: str) -> int:
    if not (key.isascii() and key.isdigit()):
        raise ConfigurationError(
            f"The run is of partition {key!r}, which is no number of a version. Name the version in the "
            "run's parameters: version_id or version_num."
        )
    return int(key)


def _made_before(context: Any) -> Iterator[dict[str, Any]]:
    """Yield what the tasks before this one, that make versions, handed on in this run."""
    task, dag = context["task"], context["dag"]
    for task_id in sorted(task.get_flat_relative_ids(upstream=True)):
        operator = dag.get_task(task_id)
        operator_class = getattr(operator, "operator_class", type(operator))
        if not issubclass(operator_class, CreateProjectVersionOperator):
            continue
        handed_on = context["ti"].xcom_pull(task_ids=task_id, key="version")
        yield from (each for each in _listed(handed_on) if isinstance(each, dict))


def _listed(value: Any) -> list[Any]:
    """Take what a task handed on, or each of a mapped one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _find(client: SuperviselyClient, project_id: int, named: dict[str, Any]) -> VersionInfo:
    from airflow_sv_versioning.archive.stored.version_ref import VersionRef

    ids: dict[str, Any] = {name: get_id(name, value) for name, value in named.items()}
    return VersionRef.parse(**ids).find(client, project_id)


def _latest(client: SuperviselyClient, project_id: int) -> Any:
    from airflow_sv_versioning.archive.stored.version_ref import LATEST
    from airflow_sv_versioning.versioning.existing import existing_version

    version = LATEST.find(client, project_id)
    return existing_version(client, client.projects.get(project_id), version, created=False)
