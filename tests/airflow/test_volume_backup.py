from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.airflow.conftest import RunDag
from tests.airflow.support import pulled
from tests.airflow.test_example_dags import dags  # noqa: F401 - a fixture
from tests.support.sdk import SdkProcess, sdk_python
from tests.support.volumes import read_volumes

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.server.run import ServerInfo


@pytest.mark.sdk
def test_a_real_dicom_series_is_backed_up_and_proven(
    connection: None,
    run_dag: RunDag,
    dags: dict[str, DAG],  # noqa: F811
    client: SuperviselyClient,
    server: ServerInfo,
    tmp_path: Path,
) -> None:
    with SdkProcess(sdk_python(), tmp_path / "log") as sdk:
        project_id = sdk.call(server, "dicom_series", workspace_id=server.workspace_id)

    run = run_dag(dags["volume_backup"], project_id=project_id)

    assert run.state == "success"
    version = pulled(run, "create_version", "version")
    assert (version["archive_format"], version["counts"]["volumes"]) == ("v2.1.0", 1)
    restored = pulled(run, "restore_version")
    assert read_volumes(client, restored) == read_volumes(client, project_id)
    assert "1 volumes, 1 objects, 1 figures" in pulled(run, "summary")
