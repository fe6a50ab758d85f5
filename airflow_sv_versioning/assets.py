"""Projects as Airflow assets: ``supervisely://<server>/projects/<id>``.

.. code-block:: python

    project = project_asset("app.supervisely.com", 42, name="street signs")

    CreateProjectVersionOperator(task_id="create", project_id=42, outlets=[project])

    @dag(schedule=[project])
    def training():
        @task
        def train(triggering_asset_events=None):
            version = find_new_version(triggering_asset_events)
            print(version["version_id"])

Airflow takes one name for a URI, the first that it hears: a task whose outlet has another one fails, and
a DAG scheduled on another one never starts. So give a project's asset one name wherever you make it, before
its first event, or none anywhere. (``Asset.ref`` is no way out: the runs that it starts get no events.)
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from airflow.sdk import Asset, AssetAlias
from airflow.sdk.exceptions import AirflowRuntimeError

from airflow_sv_versioning._airflow import schedule_by_partition
from airflow_sv_versioning.client.uris import SCHEME, project_path, project_uri, read_project_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.sdk import AssetWatcher, Context

    from airflow_sv_versioning.versioning.results import CreateResult

GROUP = "supervisely"
_NAME_LENGTH = 200
_NOT_FOUND = "ASSET_NOT_FOUND"


def project_asset(
    server: str, project_id: int, *, name: str | None = None, watchers: Iterable[AssetWatcher] = ()
) -> Asset:
    """Make a project an asset, the same however the server is spelled.

    :param server: its address or only its name, such as ``https://app.supervisely.com`` or
        ``localhost:8080``. It is a name that all DAGs must agree on; nothing connects to it.
    :param name: of the project, so that people know it; the asset is called
        ``street signs (42 on app.supervisely.com)``, by default as its URI.
    :param watchers: what else raises the asset's events, such as a watcher with a
        :class:`~airflow_sv_versioning.triggers.new_versions.NewVersionTrigger`.
    """
    uri = project_uri(server, project_id)
    return Asset(name=_write_name(name, uri), uri=uri, group=GROUP, watchers=list(watchers))


def every_version(project: Asset) -> Any:
    """Have a DAG run once for each new version of a project: ``schedule=every_version(project)``.

    The run's ``partition_key`` is the version's number as a text, so whoever triggers the DAG with the key
    ``7``, or clears such a run, gets version 7 again. What starts the runs are tasks with the project's asset
    as outlet and ``partition_by_version=True``.

    Before Airflow 3.3 tasks give no keys: there it is the asset itself, and a run has the events of all
    versions since the last one.
    """
    return schedule_by_partition(project)


def create_asset(*, server: str, project_id: int, extra: dict[str, Any] | None = None) -> Asset:
    """Make a project's asset; Airflow knows this as the factory of the scheme."""
    uri = project_uri(server, project_id)
    return Asset(name=uri, uri=uri, group=GROUP, extra=extra or {})


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Bring a URI of the scheme into its one form; Airflow asks while it reads a DAG file.

    :raises ValueError: it names no project.
    """
    return uri._replace(
        netloc=uri.netloc.rpartition("@")[2].lower(),
        path=f"/{project_path(read_project_id(uri))}",
        query="",
        fragment="",
    )


def convert_to_openlineage(asset: Asset, lineage_context: Any) -> Dataset:
    """Name a project's asset as OpenLineage does; the operators give the same names."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    uri = urlsplit(asset.uri)
    return Dataset(namespace=f"{SCHEME}://{uri.netloc}", name=uri.path.strip("/"))


def read_version_event(event: Any) -> dict[str, Any]:
    """Read the version that an asset event tells of.

    :param event: an event of a task's outlet, or of a watcher with a
        :class:`~airflow_sv_versioning.triggers.new_versions.NewVersionTrigger`.
    :returns: ``project_id``, ``project_name``, ``version_id``, ``version_num``, ``title``, ``created``,
        ``archive_path`` and ``archive_sha256``; from a task also ``counts``.
    :raises KeyError: the event tells of no version, as one that somebody made by hand.
    """
    extra = event.extra or {}
    facts = extra.get("payload") if extra.get("from_trigger") else extra
    if not isinstance(facts, dict) or not facts.keys() >= {"version_id", "version_num"}:
        raise KeyError(f"The asset event {extra!r} tells of no version.")
    return facts


def read_version_events(triggering_asset_events: Any, project_id: int) -> list[dict[str, Any]]:
    """Read the versions of a project that the events tell of which started a run; others are passed over.

    :returns: each as :func:`read_version_event`.
    """
    versions = _read_events(triggering_asset_events)
    return [version for version in versions if version.get("project_id") == project_id]


def find_new_version(triggering_asset_events: Any) -> dict[str, Any] | None:
    """Find the newest version among the events that started a run, whichever assets they are of.

    Events that tell of no version, such as those that somebody raised by hand, are passed over.

    :returns: as :func:`read_version_event`; ``None`` where nothing changed.
    """
    new_versions = [version for version in _read_events(triggering_asset_events) if version.get("created")]
    return max(new_versions, key=lambda version: version["version_num"], default=None)


def _read_events(triggering_asset_events: Any) -> list[dict[str, Any]]:
    versions = []
    for event in (event for events in triggering_asset_events.values() for event in events):
        with suppress(KeyError):
            versions.append(read_version_event(event))
    return versions


def announce_version(
    context: Context,
    outlets: Iterable[Any],
    server_url: str,
    result: CreateResult,
    *,
    partition_by_version: bool,
    warn: Callable[[str], None],
) -> None:
    """Tell of a version in the asset events of a task.

    An outlet that is the project's asset gets the version into the event that Airflow raises anyway. On
    an alias an event of the project's asset is raised if the version is new.

    :param partition_by_version: whether the event of a new version has its number as partition key; that
        of an alias never has one.
    :param warn: is told why there is no key where one was asked for.
    """
    facts = _version_facts(result)
    announced: list[Any] = []
    for outlet in outlets:
        if isinstance(outlet, AssetAlias) and result.created:
            _add_event(context["outlet_events"][outlet], project_asset(server_url, result.project_id), facts)
        elif isinstance(outlet, Asset) and _is_project(outlet, result.project_id):
            announced.append(context["outlet_events"][outlet])
            announced[-1].extra.update(facts)
    if partition_by_version and result.created and (problem := _add_partition(announced, result)):
        warn(problem)


def _version_facts(result: CreateResult) -> dict[str, Any]:
    return {
        "project_id": result.project_id,
        "project_name": result.project_name,
        "version_id": result.version_id,
        "version_num": result.version_num,
        "title": result.title,
        "created": result.created,
        "archive_path": result.archive_path,
        "archive_sha256": result.archive_sha256,
        "counts": dict(result.counts),
    }


def _add_partition(announced: Sequence[Any], result: CreateResult) -> str | None:
    """Give the events of a project's asset the version's number as key; tells why there are none with it."""
    if not announced:
        return (
            f"No event has version {result.version_num} as its partition key: no outlet of this task is the "
            f"asset of project {result.project_id}, and the events of an AssetAlias have no keys. Add "
            f"project_asset(<server>, {result.project_id}) to the outlets."
        )
    if not hasattr(announced[0], "add_partitions"):
        return (
            f"The event of version {result.version_num} has no partition key: that takes Airflow 3.3. Here "
            "DAGs are scheduled on the asset itself; choose_run_version finds the version of their runs, or "
            "an older one that a parameter names."
        )
    for event in announced:
        event.add_partitions(str(result.version_num))
    return None


def _add_event(events: Any, asset: Asset, facts: dict[str, Any]) -> None:
    """Raise an event on the project's asset by the name that Airflow knows it by, or by its URI."""
    try:
        events.add(Asset.ref(uri=asset.uri), extra=facts)
    except AirflowRuntimeError as error:
        if error.error.error.value != _NOT_FOUND:
            raise
        events.add(asset, extra=facts)


def _is_project(asset: Asset, project_id: int) -> bool:
    # The server's name is the author's choice and may differ from the connection's address.
    uri = urlsplit(asset.uri)
    return uri.scheme == SCHEME and uri.path == f"/{project_path(project_id)}"


def _write_name(project_name: str | None, uri: str) -> str:
    """Name an asset; as an asset's name belongs to one URI, it tells the server and the id, too."""
    if not (shown_name := " ".join((project_name or "").split())[:_NAME_LENGTH]):
        return uri
    return f"{shown_name} ({read_project_id(urlsplit(uri))} on {urlsplit(uri).netloc})"
