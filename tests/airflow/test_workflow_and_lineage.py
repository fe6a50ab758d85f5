from typing import Any

import pytest

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.operators.compare import CompareProjectVersionsOperator
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.lineage import CONTENT_FACET
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from tests.support.airflow_runs import running_context
from tests.support.apps import App
from tests.support.lineage import check_facet
from tests.support.proxy import refuse
from tests.support.types import Client, Server, Versions, Wire

META = {"customNodeSettings": {"title": "<h4>nightly</h4>"}}


class WorkflowMeta:
    """The shape of the official SDK's class of this name."""

    @property
    def as_dict(self) -> dict[str, Any]:
        return META


@pytest.fixture
def platform_task_id(client: Client, server: Server) -> int:
    return App(client, server.workspace_id, None).id


@pytest.mark.parametrize("meta", [META, WorkflowMeta()], ids=["dict", "object"])
def test_a_version_is_the_output_of_the_platform_task_that_made_it(
    meta: Any, proxy: Wire, project_id: int, platform_task_id: int
):
    operator = CreateProjectVersionOperator(
        task_id="create", project_id=project_id, platform_task_id=str(platform_task_id), workflow_meta=meta
    )

    version_id = operator.execute(running_context())

    [request] = proxy.seen("workflow.node.add-output")
    assert request.json == {
        "teamId": 1,
        "node": {"type": "task", "id": platform_task_id},
        "type": "project_version",
        "id": version_id,
        "meta": META,
    }


def test_a_version_is_the_input_of_the_platform_task_that_restores_it(
    proxy: Wire, project_id: int, platform_task_id: int, versions: Versions
):
    version = versions.create(project_id)
    operator = RestoreProjectVersionOperator(
        task_id="restore", project_id=project_id, version_num=1, platform_task_id=platform_task_id
    )

    operator.execute(running_context())

    [request] = proxy.seen("workflow.node.add-input")
    assert request.json["id"] == version.version_id
    assert "meta" not in request.json


def test_without_a_platform_task_the_graph_is_left_alone(proxy: Wire, project_id: int):
    CreateProjectVersionOperator(task_id="create", project_id=project_id).execute(running_context())

    assert proxy.seen("workflow.node.add-output") == []


def test_a_graph_that_cannot_be_changed_is_an_error_and_the_next_try_finds_the_version(
    proxy: Wire, project_id: int, platform_task_id: int, versions: Versions
):
    operator = CreateProjectVersionOperator(
        task_id="create", project_id=project_id, platform_task_id=platform_task_id
    )
    proxy.on("workflow.node.add-output", refuse(403))

    with pytest.raises(AirflowFailException):
        operator.execute(running_context())

    [version] = versions.get_list(project_id)
    assert operator.execute(running_context()) == version.version_id


def test_an_unknown_platform_task_is_an_error(connection: None, project_id: int):
    operator = CreateProjectVersionOperator(task_id="create", project_id=project_id, platform_task_id=999_999)

    with pytest.raises(AirflowFailException, match="999999"):
        operator.execute(running_context())


def _told(operator: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Take what an operator tells OpenLineage, as it is sent."""
    from openlineage.client.serde import Serde

    lineage = operator.get_openlineage_facets_on_complete(None)
    inputs, outputs = ([Serde.to_dict(each) for each in some] for some in (lineage.inputs, lineage.outputs))
    return inputs, outputs


def test_lineage_names_the_project_and_its_version(
    connection: None, project_id: int, server: Server, versions: Versions
):
    pytest.importorskip("airflow.providers.openlineage.extractors")
    create = CreateProjectVersionOperator(task_id="create", project_id=project_id)
    context = running_context()
    version_id = create.execute(context)
    restore = RestoreProjectVersionOperator(task_id="restore", project_id=project_id, version_id=version_id)
    restored = restore.execute(running_context())
    compare = CompareProjectVersionsOperator(
        task_id="compare", project_id=project_id, before=1, after="live", other_project_id=restored
    )
    compare.execute(running_context())

    [read], [version] = _told(create)
    [used], [copy] = _told(restore)
    sides, nothing = _told(compare)

    namespace = server.url.replace("http", "supervisely", 1)
    assert (read["namespace"], read["name"]) == (namespace, f"projects/{project_id}")
    assert (version["namespace"], version["name"]) == (namespace, f"projects/{project_id}/versions")
    assert version["facets"]["version"]["datasetVersion"] == str(version_id)
    assert used["facets"] == version["facets"]
    assert copy["name"] == f"projects/{restored}"
    assert nothing == []
    assert [side["name"] for side in sides] == [version["name"], copy["name"]]
    assert sides[0]["facets"] == version["facets"]


def test_lineage_tells_how_large_a_new_version_is_and_what_it_holds(connection: None, project_id: int):
    pytest.importorskip("airflow.providers.openlineage.extractors")
    create = CreateProjectVersionOperator(task_id="create", project_id=project_id)
    context = running_context()
    create.execute(context)
    _, [made] = _told(create)
    create.execute(running_context())
    _, [unchanged] = _told(create)

    result = context["ti"].pushed["version"]
    size, content = (made["outputFacets"][name] for name in ("outputStatistics", CONTENT_FACET))
    assert (size["rowCount"], size["size"]) == (3, result["archive_size_bytes"])
    assert content["counts"] == result["counts"]
    assert content["figuresByClass"] == result["classes"]
    assert content["contentDigest"] == result["content_digest"]
    for name, facet in made["outputFacets"].items():
        check_facet(name, facet)
    assert unchanged["outputFacets"] == {}
    assert unchanged["facets"] == made["facets"]


def test_a_task_that_made_nothing_has_no_lineage():
    create = CreateProjectVersionOperator(task_id="create", project_id=7)

    told = create.get_openlineage_facets_on_complete(None)
    assert (told.inputs, told.outputs) == ([], [])
