from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from airflow.sdk import DAG, Asset, AssetAlias

from airflow_sv_versioning.assets import every_version, project_asset, read_version_event, sanitize_uri
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.versioning.options import OnRerun
from tests.airflow.conftest import register
from tests.support.airflow_runs import (
    EVENT_KEYS,
    asset_name,
    ended,
    events,
    pulled,
    started_by_events,
    started_by_keys,
    state,
)
from tests.support.apps import StartApp
from tests.support.projects import touch
from tests.support.proxy import refuse
from tests.support.standalone import AIRFLOW_3_3
from tests.support.types import Capsys, Client, RunDag, Server, Wire

pytestmark = pytest.mark.usefixtures("connection")


@pytest.mark.parametrize(
    "address",
    ["app.example.com", "https://App.Example.com", "APP.example.com/", "http://ann@app.example.com/x"],
)
def test_a_project_is_one_asset_however_the_server_is_spelled(address: str):
    asset = project_asset(address, 42)

    assert (asset.name, asset.uri) == ("supervisely://app.example.com/projects/42",) * 2


def test_a_port_is_part_of_the_server():
    assert project_asset("http://127.0.0.1:8080", 7).uri == "supervisely://127.0.0.1:8080/projects/7"


def test_a_uri_written_by_hand_is_brought_into_the_same_form():
    found = sanitize_uri(urlsplit("supervisely://App.example.com/projects//0042/?a=b#c"))

    assert found.geturl() == project_asset("app.example.com", 42).uri


@pytest.mark.parametrize(
    "uri", ["supervisely:///projects/1", "supervisely://x/projects", "supervisely://x/project/1",
            "supervisely://x/projects/one", "supervisely://x/projects/0", "supervisely://x/projects/1/2"]
)  # fmt: skip
def test_a_uri_that_names_no_project_is_refused(uri: str):
    with pytest.raises(ValueError, match="is no project"):
        sanitize_uri(urlsplit(uri))


def test_a_version_is_told_in_the_event_of_the_project(run_dag: RunDag, dag_id: str, project_id: int):
    asset, other = project_asset("our.server", project_id), Asset(f"{dag_id} other")
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator(task_id="create", project_id=project_id, outlets=[asset, other])
    first, second = run_dag(dag), run_dag(dag)

    new, unchanged = (read_version_event(event) for event in events(asset.uri))
    version = pulled(first, "create", "version")
    assert new == {key: version[key] for key in (*EVENT_KEYS, "counts")}
    assert new["created"] is True
    assert unchanged["created"] is False
    assert unchanged["version_id"] == pulled(second, "create") == new["version_id"]
    assert [event.extra for event in events(other.uri)] == [{}, {}]


def test_an_asset_carries_the_name_of_the_project():
    named = project_asset("app.example.com", 42, name=" street\n signs ")

    assert (named.name, named.group) == ("street signs (42 on app.example.com)", "supervisely")
    assert named.uri == project_asset("app.example.com", 42).uri


def test_an_alias_tells_of_a_project_by_the_name_that_airflow_knows(
    run_dag: RunDag, dag_id: str, project_id: int, client: Client, server: Server
):
    """A second name for one URI would be an asset that Airflow never makes active."""
    known = project_asset(server.url, project_id, name="known")
    with DAG(f"{dag_id}_outlet", schedule=None) as outlet:
        CreateProjectVersionOperator(task_id="create", project_id=project_id, outlets=[known])
    with DAG(f"{dag_id}_alias", schedule=None) as aliased:
        CreateProjectVersionOperator(task_id="create", project_id=project_id, outlets=[AssetAlias(dag_id)])
    with DAG(f"{dag_id}_consumer", schedule=[known]) as consumer:
        pass
    register(consumer)
    started_by_events()

    run_dag(outlet)
    first = started_by_events()
    touch(client, project_id)
    run_dag(aliased)

    assert [asset_name(event) for event in events(known.uri)] == [known.name, known.name]
    assert first == started_by_events() == {consumer.dag_id}


def test_an_alias_tells_of_new_versions_of_every_mapped_project(
    run_dag: RunDag, dag_id: str, project_id: int, client: Client, server: Server
):
    empty = client.projects.add(server.workspace_id, dag_id).id
    alias = AssetAlias(f"{dag_id} versions")
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator.partial(task_id="create", outlets=[alias]).expand(
            project_id=[project_id, empty]
        )
    run_dag(dag)
    run_dag(dag)

    for mapped in (project_id, empty):
        [event] = events(project_asset(server.url, mapped).uri)
        assert read_version_event(event)["project_id"] == mapped
        assert read_version_event(event)["version_num"] == 1


def versions_by_key(dag_id: str, project_id: int | str, *outlets: Any) -> DAG:
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator(
            task_id="create", project_id=project_id, outlets=list(outlets), partition_by_version=True
        )
    return dag


@pytest.mark.skipif(not AIRFLOW_3_3, reason="older ones have no partition keys from tasks")
def test_new_versions_are_partitions_of_the_project(
    run_dag: RunDag, dag_id: str, project_id: int, client: Client, server: Server
):
    asset = project_asset(server.url, project_id)
    with DAG(f"{dag_id}_by_version", schedule=every_version(asset)) as by_version:
        pass
    with DAG(f"{dag_id}_plain", schedule=[asset]) as plain:
        pass
    register(by_version)
    register(plain)
    with_keys = versions_by_key(dag_id, project_id, asset)
    with_both = versions_by_key(f"{dag_id}_both", project_id, asset, AssetAlias(dag_id))
    started_by_events()

    run_dag(with_keys)
    first = started_by_keys(), started_by_events()
    run_dag(with_keys)
    unchanged = started_by_keys(), started_by_events()
    touch(client, project_id)
    run_dag(with_both)
    both = started_by_keys(), started_by_events()

    # An event with a key starts no DAG that is scheduled without keys; that of an alias does.
    assert first == ({(by_version.dag_id, "1")}, set())
    assert unchanged == (set(), {plain.dag_id})
    assert both == ({(by_version.dag_id, "2")}, {plain.dag_id})
    assert [(event.partition_key, event.extra["created"]) for event in events(asset.uri)] == [
        ("1", True), (None, False), ("2", True), (None, True)
    ]  # fmt: skip


def test_a_version_without_the_asset_of_its_project_has_no_key_and_says_why(
    run_dag: RunDag, dag_id: str, project_id: int, server: Server, capsys: Capsys
):
    of_another_project = project_asset(server.url, project_id + 1_000_000)
    run = run_dag(versions_by_key(dag_id, project_id, AssetAlias(dag_id), of_another_project))

    assert state(run, "create") == "success"
    [event] = events(project_asset(server.url, project_id).uri)
    assert getattr(event, "partition_key", None) is None
    assert f"no outlet of this task is the asset of project {project_id}" in capsys.readouterr().out


@pytest.mark.skipif(not AIRFLOW_3_3, reason="older ones have no task state store")
@pytest.mark.parametrize("on_rerun", ["new", "same"])
def test_a_version_whose_first_try_failed_is_told_as_new_once(
    on_rerun: OnRerun,
    one_try: None,
    proxy: Wire,
    run_dag: RunDag,
    dag_id: str,
    project_id,
    start_app: StartApp,
):
    asset = project_asset(proxy.url, project_id)
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator(
            task_id="create",
            project_id=project_id,
            outlets=[asset, AssetAlias(dag_id)],
            partition_by_version=True,
            platform_task_id=start_app().id,
            on_rerun=on_rerun,
            retries=1,
            retry_delay=timedelta(0),
        )
    proxy.on("workflow.node.add-output", refuse(503))

    first, second = run_dag(dag), run_dag(dag)

    assert ended(first, "create") == ("success", 2)
    assert ended(second, "create") == ("success", 1)
    assert pulled(first, "create", "version")["created"] is False
    assert [(event.partition_key, event.extra["created"]) for event in events(asset.uri)] == [
        ("1", True), (None, True), (None, False)
    ]  # fmt: skip


@pytest.mark.skipif(AIRFLOW_3_3, reason="newer ones have partition keys from tasks")
def test_before_airflow_3_3_the_event_of_a_version_is_a_plain_one(
    run_dag: RunDag, dag_id: str, project_id: int, server: Server, capsys: Capsys
):
    asset = project_asset(server.url, project_id)
    with DAG(f"{dag_id}_by_version", schedule=every_version(asset)) as by_version:
        pass
    register(by_version)
    started_by_events()

    run_dag(versions_by_key(dag_id, project_id, asset))

    assert started_by_events() == {by_version.dag_id}
    assert "has no partition key: that takes Airflow 3.3" in capsys.readouterr().out


def test_an_event_without_a_version_is_an_error():
    with pytest.raises(KeyError, match="by hand"):
        read_version_event(SimpleNamespace(extra={"made": "by hand"}))
