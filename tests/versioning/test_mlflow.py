"""What MLflow is told of a version, and what comes back from it."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning import ProjectVersions, SuperviselyClient, log_to_mlflow
from airflow_sv_versioning.archive.stored.version_map import VersionMap
from airflow_sv_versioning.exceptions import ConfigurationError, IntegrityError, VersionNotFoundError
from airflow_sv_versioning.runtime.streams import sha256_of
from tests.support.experiments import experiment_of
from tests.support.projects import make_project, touch
from tests.support.types import Client, Made, Patch, Server, Versions

# All that a notebook needs, if it has MLflow's address, and server and token in its environment.
OPEN_AGAIN = """
import json, sys
import mlflow
[used] = mlflow.get_run(sys.argv[1]).inputs.dataset_inputs
source = mlflow.data.get_source(used)
print(json.dumps([source.uri, str(source.load(sys.argv[2])), "airflow" in sys.modules]))
"""


@pytest.fixture(scope="module")
def made(server: Server, photos: list[Path]) -> Made:
    """A version that all tests of this module share."""
    with SuperviselyClient(server.url, server.token) as client:
        return ProjectVersions(client).create(make_project(client, photos[:3]))


@pytest.fixture
def record(made: Made, server: Server, mlflow_files: Path, monkeypatch: Patch) -> dict[str, Any]:
    monkeypatch.setenv("SERVER_ADDRESS", server.url)
    monkeypatch.setenv("API_TOKEN", server.token)
    return experiment_of(made, server.url)


def _log(*records: dict[str, Any], context: str = "training") -> Any:
    """Log in a run of its own, and read the run back."""
    import mlflow

    with mlflow.start_run() as run:
        for record in records:
            log_to_mlflow(record, context)
    return mlflow.get_run(run.info.run_id)


def test_a_run_tells_its_version_and_a_fresh_process_opens_it_again(
    record: dict[str, Any], made: Made, mlflow_files: Path, tmp_path: Path, server: Server
):
    run = _log(record)

    [used] = run.inputs.dataset_inputs
    assert used.dataset.name == f"{made.project_name} v1 (id {made.version_id})"
    assert used.dataset.digest == record["content_digest"][:36]
    assert json.loads(used.dataset.profile) == {**made.counts, "figures_per_class": {"car": 5, "person": 4}}
    assert {tag.key: tag.value for tag in used.tags} == {"mlflow.data.context": "training"}
    assert (
        run.data.tags.items()
        >= {
            "supervisely.server": server.url,
            "supervisely.project_id": str(made.project_id),
            "supervisely.version_id": str(made.version_id),
            "supervisely.version_num": "1",
            "airflow.dag_id": "training",
            "airflow.run_id": "manual__1",
        }.items()
    )
    assert not [
        file for file in mlflow_files.rglob("*") if file.is_file() and server.token in file.read_text()
    ]

    command = [sys.executable, "-c", OPEN_AGAIN, run.info.run_id, str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    uri, archive, has_airflow = json.loads(done.stdout)
    assert uri == server.url.replace("http", "supervisely", 1) + (
        f"/projects/{made.project_id}/versions/{made.version_id}"
    )
    assert sha256_of(Path(archive)) == made.archive_sha256
    assert list((tmp_path / "data").iterdir()) == [Path(archive)]
    assert not has_airflow


def test_a_second_call_changes_nothing_in_a_database_either(
    record: dict[str, Any], made: Made, tmp_path: Path, monkeypatch: Patch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")

    run = _log(record, record)

    assert len(run.inputs.dataset_inputs) == 1
    assert run.data.tags["supervisely.version_id"] == str(made.version_id)


def test_a_run_may_use_several_versions_and_keeps_its_parameters(
    record: dict[str, Any], made: Made, versions: Versions, client: Client, server: Server
):
    import mlflow

    touch(client, made.project_id)
    newer = experiment_of(versions.create(made.project_id), server.url, content_digest=None, classes=None)

    with mlflow.start_run() as run:
        mlflow.log_param("version_id", "mine")
        for each in (record, newer, record):
            log_to_mlflow(each)
    run = mlflow.get_run(run.info.run_id)

    used = {each.dataset.digest: json.loads(each.dataset.profile) for each in run.inputs.dataset_inputs}
    assert used.keys() == {record["content_digest"][:36], newer["archive_sha256"][:36]}
    assert used[newer["archive_sha256"][:36]] == newer["counts"]
    assert run.data.tags["supervisely.version_id"] == f"{made.version_id}, {newer['version_id']}"
    assert run.data.tags["supervisely.project_id"] == str(made.project_id)
    assert run.data.params == {"version_id": "mine"}


def test_a_run_that_a_trainer_started_is_named(record: dict[str, Any], made: Made, mlflow_files: Path):
    import mlflow

    run = mlflow.MlflowClient().create_run("0")

    source = log_to_mlflow(record, "evaluation", run_id=run.info.run_id)

    [used] = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert mlflow.data.get_source(used) == source
    assert (source.version_id, source.archive_sha256) == (made.version_id, made.archive_sha256)


def test_without_a_run_none_is_started(record: dict[str, Any]):
    import mlflow

    with pytest.raises(ConfigurationError, match=r"No run of MLflow is active .* mlflow\.start_run\(\)"):
        log_to_mlflow(record)

    assert mlflow.MlflowClient().search_runs(["0"]) == []


def test_a_second_context_is_refused_for_mlflow_would_drop_it(record: dict[str, Any]):
    import mlflow

    with mlflow.start_run():
        log_to_mlflow(record)
        with pytest.raises(ConfigurationError, match="with context training; MLflow does not add 'testing'"):
            log_to_mlflow(record, "testing")


def test_a_source_that_mlflow_would_put_in_place_of_ours_is_refused(record: dict[str, Any]):
    _log(record)

    # Such as a test server's version with the same ids, names and content.
    with pytest.raises(ConfigurationError, match=r"with the source of another run .* Use another experiment"):
        _log(record | {"archive_sha256": "0" * 64})
    _log(record | {"server": "https://other-name.example"})


@pytest.mark.parametrize(
    ("members", "problem"),
    [({"format": "sv-experiment/9"}, "format"), ({"version_id": "311"}, "version_id"),
     ({"project_id": 0}, "project_id"), ({"archive_sha256": "abc"}, "archive_sha256"),
     ({"counts": None}, "counts")]
)  # fmt: skip
def test_what_is_no_record_is_refused(members: dict[str, Any], problem: str, record: dict[str, Any]):
    with pytest.raises(ConfigurationError, match=rf"no record of an experiment: .*{problem}.*XCom"):
        _log(record | members)


def test_a_pull_that_found_nothing_is_no_record():
    with pytest.raises(ConfigurationError, match=r"got `null`.*XCom \"experiment\""):
        log_to_mlflow(None)


def test_without_mlflow_the_extra_is_named(record: dict[str, Any], monkeypatch: Patch):
    monkeypatch.setitem(sys.modules, "mlflow", None)

    with pytest.raises(ConfigurationError, match=r"'mlflow' is not .*airflow-sv-versioning\[mlflow\]"):
        log_to_mlflow(record)


@pytest.fixture
def source(record: dict[str, Any]) -> Any:
    from airflow_sv_versioning.mlflow.experiment import read_experiment
    from airflow_sv_versioning.mlflow.source import SuperviselyVersionSource

    return SuperviselyVersionSource.of(read_experiment(record))


def test_mlflow_resolves_the_uri_of_a_version(source: Any, made: Made, tmp_path: Path):
    from mlflow.data.dataset_source_registry import resolve_dataset_source

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resolved = resolve_dataset_source(source.uri)

    assert (resolved.server, resolved.version_id) == (source.server, made.version_id)
    assert sha256_of(resolved.load(tmp_path)) == made.archive_sha256


def test_mlflow_knows_the_source_also_where_that_is_imported_first():
    code = (
        "from airflow_sv_versioning.mlflow.source import SuperviselyVersionSource as source\n"
        "from mlflow.data import get_registered_sources\n"
        "print(get_registered_sources().count(source))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert (done.stdout, "Failure attempting" in done.stderr) == ("1\n", False), done.stderr


def test_a_source_comes_back_from_what_it_writes(source: Any):
    written = source.to_dict()

    assert type(source).from_json(source.to_json()) == source
    assert written["url"].endswith(f"/versions#version-{source.version_id}")
    with pytest.raises(ConfigurationError, match="names no version"):
        type(source).from_dict({**written, "version_id": "latest"})
    with pytest.raises(ConfigurationError, match="holds credentials"):
        replace(source, server="https://ann:secret@app.example.com")


def test_an_archive_that_somebody_replaced_is_refused(
    source: Any, versions: Versions, client: Client, project_id: int, tmp_path: Path
):
    version = versions.create(project_id)
    client.files.upload(client.projects.get(project_id).team_id, b"other data", version.archive_path)
    mine = replace(source, project_id=project_id, version_id=version.version_id)

    with pytest.raises(IntegrityError, match="is not what was recorded") as caught:
        replace(mine, archive_sha256=version.archive_sha256).load(tmp_path)
    assert caught.value.context["expected"] == version.archive_sha256
    assert list(tmp_path.glob("**/*.zst")) == []

    # What names no digest is held against the one that stands beside the project's versions.
    with pytest.raises(IntegrityError, match=f"not {version.archive_sha256}"):
        replace(mine, archive_sha256=None).load(tmp_path)


def test_a_version_without_any_digest_is_opened_with_a_warning(
    source: Any, versions: Versions, client: Client, project_id: int, tmp_path: Path, caplog: Any
):
    version = versions.create(project_id)
    version_map = VersionMap.read(client, client.projects.get(project_id))
    del version_map.entry(version.version_id)["sha256"]
    version_map.save()

    mine = replace(source, project_id=project_id, version_id=version.version_id, archive_sha256=None)
    archive = mine.load(tmp_path)

    assert sha256_of(archive) == version.archive_sha256
    assert "it is taken on the server's word" in caplog.text


def test_a_version_that_is_gone_is_an_error(source: Any):
    with pytest.raises(VersionNotFoundError, match="has no version with id 999999"):
        replace(source, version_id=999_999).load()


def test_another_server_is_believed_by_the_digest_alone(source: Any, tmp_path: Path):
    elsewhere = replace(source, server="https://other-name.example")

    assert elsewhere.load(tmp_path).is_file()
    with pytest.raises(ConfigurationError, match=r"is of https://other-name\.example, but .* no digest"):
        replace(elsewhere, archive_sha256=None).load(tmp_path)


@pytest.mark.parametrize("missing", ["SERVER_ADDRESS", "API_TOKEN"])
def test_without_a_connection_both_ways_to_one_are_named(source: Any, missing: str, monkeypatch: Patch):
    monkeypatch.delenv(missing)

    with pytest.raises(ConfigurationError, match=f"set {missing} or name .* supervisely_conn_id"):
        source.load()


def test_a_connection_of_airflow_needs_airflow(source: Any, monkeypatch: Patch):
    monkeypatch.setitem(sys.modules, "airflow_sv_versioning.hooks.supervisely", None)

    with pytest.raises(ConfigurationError, match=r"needs Airflow, .* set SERVER_ADDRESS and API_TOKEN"):
        source.load(supervisely_conn_id="supervisely_default")
