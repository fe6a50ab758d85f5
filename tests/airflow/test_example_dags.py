import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.demo.load import load_folder
from airflow_sv_versioning.demo.load import make_project as make_demo_project
from airflow_sv_versioning.demo.photographs import FOLDERS
from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import list_entries
from tests.airflow.conftest import register
from tests.support.airflow_runs import pulled, started_by_events, state, task_instance
from tests.support.projects import add_dataset, make_project, read_images, remove_image, touch
from tests.support.proxy import Exchange, Reply, refuse
from tests.support.types import Capsys, Client, Dags, Patch, Request, RunDag, Server, Versions, Wire
from tests.support.vaults import put_version

pytestmark = pytest.mark.usefixtures("connection")


DAGS = Path(__file__).parents[2] / "dags"


def read_dags(path: Path) -> Dags:
    """Read a file of DAGs, or a folder, without any connection."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # 3.1
        from airflow.models.dagbag import DagBag  # type: ignore[no-redef]

    bag = DagBag(dag_folder=str(path))
    assert bag.import_errors == {}
    return dict(bag.dags)


class ReadOnDemand(Dags):
    """The DAGs of the folder, of which a test needs one or two; reading all takes longer than most runs."""

    def __missing__(self, name: str) -> DAG:
        self.update(read_dags(DAGS / f"{name}.py"))
        return self[name]


@pytest.fixture
def dags() -> Dags:
    """DAGs by their names, read anew for each test: a run changes the DAG's parameters."""
    return ReadOnDemand()


@pytest.fixture
def run_example(run_dag: RunDag, dags: Dags) -> RunDag:
    """Run a DAG of the folder; keyword arguments are the run's parameters."""
    return lambda name, **params: run_dag(dags[name], **params)


def test_every_file_holds_a_dag_of_its_name_and_teaches():
    files = {path.stem: path for path in DAGS.glob("*.py")}

    dags = read_dags(DAGS)

    assert dags.keys() == files.keys()
    for dag_id, path in files.items():
        assert dags[dag_id].doc_md
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


def test_the_first_backup_makes_version_1_and_the_second_finds_it(run_example: RunDag, project_id: int):
    first = run_example("pre_training_backup", project_id=project_id)
    second = run_example("pre_training_backup", project_id=project_id)

    assert {first.state, second.state} == {"success"}
    version = pulled(first, "create_version", "version")
    assert (version["version_num"], version["created"]) == (1, True)
    assert pulled(second, "create_version") == pulled(first, "create_version") == version["version_id"]
    assert pulled(second, "create_version", "version")["created"] is False
    assert pulled(first, "train")["version_id"] == version["version_id"]
    assert f"a new version, id {version['version_id']}" in pulled(first, "summary")
    assert f"an unchanged version, id {version['version_id']}" in pulled(second, "summary")


def test_several_workers_export_a_version(
    run_example: RunDag, project_id: int, tmp_path: Path, monkeypatch: Patch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    run = run_example("sharded_export", project_id=project_id, destination=str(tmp_path))

    assert run.state == "success"
    version_id = pulled(run, "create_version")
    made = tmp_path / f"version-{version_id}"
    exported = pulled(run, "finish")
    assert (exported["destination"], exported["media"]["files"]) == (str(made), 3)
    assert pulled(run, "train") == f"model-of-version-{version_id}"
    assert {file.name for file in (made / "annotations").iterdir()} == {
        "instances_train.json",
        "instances_val.json",
    }


def test_mlflow_tells_the_version_of_a_training_and_opens_it_again(
    run_example: RunDag, project_id: int, mlflow_files: Path
):
    import mlflow

    run = run_example("tracked_training", project_id=project_id)

    assert run.state == "success"
    version = pulled(run, "create_version", "version")
    tracked = mlflow.get_run(pulled(run, "train"))
    [used] = tracked.inputs.dataset_inputs
    assert used.dataset.digest == version["content_digest"][:36]
    assert json.loads(used.dataset.profile)["figures_per_class"] == version["classes"]
    assert tracked.data.tags["supervisely.version_id"] == str(version["version_id"])
    assert tracked.data.tags["airflow.run_id"] == run.run_id
    assert pulled(run, "evaluate").endswith(f"/projects/{project_id}/versions/{version['version_id']}")


def test_a_training_names_the_version_that_it_learned_from(
    run_example: RunDag, client: Client, tmp_path: Path
):
    project = make_demo_project(client, 1)
    for folder in FOLDERS:
        load_folder(client, project, folder)

    run, again = (
        run_example("train_on_version", project_id=project.id, data_sets=str(tmp_path)) for _ in range(2)
    )

    assert {run.state, again.state} == {"success"}
    trained, exported = pulled(run, "train"), pulled(run, "export")
    assert trained["version"]["version_id"] == pulled(run, "create_version")
    assert trained["balanced_accuracy"] > 0.5
    items = sum(part["items"] for part in exported["parts"].values())
    assert items == pulled(run, "create_version", "version")["counts"]["images"]
    assert Path(exported["destination"]).parent == tmp_path
    # Nothing changed: the version is the same, and so is its data set.
    assert (exported["created"], pulled(again, "export")["created"]) == (True, False)
    assert pulled(again, "train") == trained


def test_a_backup_starts_the_training_on_its_version(training: DAG, run_example: RunDag, project_id: int):
    register(training)
    started_by_events()

    first = run_example("pre_training_backup", project_id=project_id)
    started = started_by_events()
    run_example("pre_training_backup", project_id=project_id)

    assert (first.state, started, started_by_events()) == ("success", {training.dag_id}, set())


def test_a_backup_waits_for_nothing_that_is_not_there(run_example: RunDag):
    run = run_example("pre_training_backup", project_id=999_999)

    assert run.state == "failed"
    assert state(run, "wait_for_background_tasks") == "failed"
    assert state(run, "create_version") == "upstream_failed"


@pytest.mark.parametrize("choose", [{"version_num": 1}, {"version_id": "of version 1"}])
def test_a_rerun_works_on_the_data_of_the_version(
    choose: dict[str, Any], run_example: RunDag, project_id: int, versions: Versions, client: Client
):
    version_id = versions.create(project_id).version_id
    touch(client, project_id)
    versions.create(project_id)
    if "version_id" in choose:
        choose = {"version_id": version_id}

    run = run_example("reproducible_rerun", project_id=project_id, **choose)

    assert run.state == "success"
    restored = pulled(run, "experiment.restore_version")
    assert restored != project_id
    assert pulled(run, "experiment.restore_version", "restore")["version_id"] == version_id
    assert pulled(run, "experiment.operation.rerun") == 3
    assert f"restored as project {restored}" in pulled(run, "experiment.operation.summary")
    assert client.projects.list_ids(1, {"images"}).count(restored) == 0


def test_a_restored_project_is_kept_on_demand_and_removed_after_a_failure(
    run_example: RunDag, dags: Dags, project_id: int, versions: Versions, client: Client
):
    versions.create(project_id)
    chosen = {"project_id": project_id, "version_num": 1}
    kept = run_example("reproducible_rerun", **chosen, keep_restored_project=True)
    rerun: Any = dags["reproducible_rerun"].task_dict["experiment.operation.rerun"]
    rerun.op_args, rerun.retries = ["no id"], 0
    failed = run_example("reproducible_rerun", **chosen, keep_restored_project=False)

    left = client.projects.list_ids(1, {"images"})
    assert (kept.state, failed.state) == ("success", "failed")
    assert pulled(kept, "experiment.restore_version") in left
    assert pulled(failed, "experiment.restore_version") not in left
    assert state(failed, "experiment.remove_project") == "success"


def test_a_rerun_on_the_data_of_a_moment(run_example: RunDag, project_id: int, versions: Versions):
    version = versions.create(project_id)

    run = run_example("reproducible_rerun", project_id=project_id, as_of="2100-01-01T00:00:00Z")

    assert pulled(run, "experiment.restore_version", "restore")["version_id"] == version.version_id


@pytest.fixture
def workspace_id(client: Client, dag_id: str) -> int:
    """A workspace of one's own."""
    return int(client.transport.call("workspaces.add", {"teamId": 1, "name": dag_id})["id"])


def test_a_night_versions_every_project_of_the_workspace(
    run_example: RunDag, workspace_id: int, photos: list[Path], client: Client, versions: Versions
):
    projects = [make_project(client, photos[:1], workspace_id=workspace_id) for _ in range(3)]
    client.projects.add(workspace_id, "cannot be versioned", "point_clouds")

    first_night = run_example("nightly_versioning", workspace_id=workspace_id)
    touch(client, projects[0])
    second_night = run_example("nightly_versioning", workspace_id=workspace_id)

    assert (first_night.state, second_night.state) == ("success", "success")
    assert pulled(first_night, "report") == {"projects": 3, "new_versions": 3}
    assert pulled(second_night, "report") == {"projects": 3, "new_versions": 1}
    assert [len(versions.get_list(project)) for project in projects] == [2, 1, 1]


def test_a_project_that_fails_does_not_stop_the_others_of_the_night(
    proxy: Wire, run_example: RunDag, workspace_id, photos, client: Client, versions: Versions
):
    bad, good = (make_project(client, photos[:1], workspace_id=workspace_id) for _ in range(2))

    def refuse_bad(exchange: Exchange) -> Reply:
        refused = exchange.request.json["projectId"] == bad
        return refuse(403)(exchange) if refused else exchange.forward()  # type: ignore[return-value]

    proxy.always("projects.versions.reserve", refuse_bad)

    night = run_example("nightly_versioning", workspace_id=workspace_id)

    assert night.state == state(night, "report") == "failed"
    assert (len(versions.get_list(bad)), len(versions.get_list(good))) == (0, 1)


def test_the_latest_versions_are_verified_each_week(
    run_example: RunDag, workspace_id, photos, client: Client, versions: Versions, tmp_path
):
    for number in (1, 2):
        project_id = make_project(client, photos[:number], workspace_id=workspace_id)
        versions.create(project_id, vault=tmp_path)
    make_project(client, photos[:1], workspace_id=workspace_id, name="never versioned")
    chosen = {"workspace_id": workspace_id, "vault": str(tmp_path)}

    good_week = run_example("weekly_verification", **chosen)
    vault = Vault(tmp_path)
    vault.remove(content_hash(photos[1]))
    bad_week = run_example("weekly_verification", **chosen)

    assert (good_week.state, pulled(good_week, "report")) == ("success", {"projects": 2})
    assert bad_week.state == "failed"
    verified = [task for task in bad_week.get_task_instances() if task.task_id == "verify_version"]
    assert sorted(str(task.state) for task in verified) == ["failed", "success"]


@pytest.mark.usefixtures("airflow_db")
def test_a_vault_is_thinned_out_once_a_person_has_approved_the_plan(dags: Dags, client: Client, tmp_path):
    dag, vault = dags["monthly_retention"], Vault(tmp_path)
    owner = Owner.of(client.server_url, make_project(client, []))
    for number, hour in enumerate((8, 9, 10), 1):
        put_version(vault, owner, number, f"2024-03-05T{hour:02}:00:00Z")
    put_version(vault, owner, 4, now())
    register(dag)
    params = {"project_id": owner.project_id, "vault": str(tmp_path)}

    first, second = (dag.test(run_conf=params, mark_success_pattern="approve") for _ in range(2))

    assert first.state == second.state == "success"
    assert "- version 2 **nightly** of 2024-03-05T09" in pulled(first, "describe_plan")
    assert (pulled(first, "plan"), pulled(first, "apply")) == (1, 1)
    assert [entry.version_num for entry in list_entries(vault, owner)] == [1, 3, 4]
    assert [state(second, task_id) for task_id in ("plan", "approve", "apply")] == [
        "success",
        "skipped",
        "skipped",
    ]


@pytest.mark.parametrize("periodic", ["nightly_versioning", "weekly_verification"])
def test_a_report_says_that_the_projects_could_not_be_listed(
    periodic: str, proxy: Wire, run_example: RunDag, workspace_id: int, capsys: Capsys
):
    proxy.always("projects.list", refuse(403))

    run = run_example(periodic, workspace_id=workspace_id)

    listing = task_instance(run, "list_projects")
    assert (str(listing.state), listing.try_number) == ("failed", 1)
    assert state(run, "report") == run.state == "failed"
    assert "RuntimeError: No project was looked for: list_projects failed." in capsys.readouterr().out


@pytest.mark.parametrize("periodic", ["nightly_versioning", "weekly_verification"])
def test_an_empty_workspace_is_reported_as_such(periodic: str, run_example: RunDag, workspace_id: int):
    run = run_example(periodic, workspace_id=workspace_id)

    assert run.state == "success"
    assert pulled(run, "report")["projects"] == 0


@pytest.mark.parametrize("periodic", ["nightly_versioning", "weekly_verification"])
def test_a_workspace_that_is_not_there_fails_the_run(periodic: str, run_example: RunDag):
    run = run_example(periodic, workspace_id=999_999)

    assert state(run, "list_projects") == state(run, "report") == run.state == "failed"


def test_at_most_two_projects_are_versioned_at_a_time(dags: Dags):
    create = dags["nightly_versioning"].get_task("create_version")

    assert create.max_active_tis_per_dagrun == 2


@pytest.fixture
def scheduled(monkeypatch: Patch, server: Server, project_id: int, request: Request) -> Dags:
    """All DAGs, those that are scheduled on a project on this one."""
    monkeypatch.setenv("SUPERVISELY_SERVER", server.url)
    monkeypatch.setenv("SUPERVISELY_PROJECT_ID", str(project_id))
    dags: Dags = request.getfixturevalue("dags")
    return dags


@pytest.fixture
def training(scheduled: Dags) -> DAG:
    """The DAG that trains on new versions of a project."""
    return scheduled["training_on_new_version"]


def test_a_training_that_a_person_starts_takes_the_latest_version(
    run_dag: RunDag, training: DAG, project_id: int, versions: Versions
):
    nothing = run_dag(training)
    version = versions.create(project_id)
    trained = run_dag(training)

    assert state(nothing, "train") == "skipped"
    assert pulled(trained, "train") == f"model-of-version-{version.version_id}"


@pytest.mark.parametrize(
    ("events", "chosen"),
    [
        ([{"version_num": 4, "created": True}, {"version_num": 5, "created": True}], 5),
        ([{"version_num": 4, "created": True}, {"version_num": 4, "created": False}], 4),
        ([{"version_num": 4, "created": False}], None),
        ([{"from_trigger": True, "payload": {"version_num": 9, "version_id": 1, "created": True}}], 9),
    ],
    ids=str,
)
def test_a_training_takes_the_newest_version_of_its_events(events, chosen, training: DAG):
    told = [SimpleNamespace(extra={"version_id": 1, **extra}) for extra in events]
    choose: Any = training.get_task("choose_version")

    version = choose.python_callable(triggering_asset_events={"the asset": told, "its alias": told})

    assert (version and version["version_num"]) == chosen


def test_a_training_by_version_restores_the_version_that_is_asked_for_and_tidies_up(
    run_dag: RunDag, scheduled: Dags, project_id: int, versions: Versions, client: Client
):
    first = versions.create(project_id)
    touch(client, project_id)
    versions.create(project_id)

    run = run_dag(scheduled["training_by_version"], version_num=1)

    assert run.state == "success"
    assert pulled(run, "restore_version", "restore")["version_id"] == first.version_id
    assert pulled(run, "train") == f"model-of-version-{first.version_id}"
    assert pulled(run, "restore_version") not in client.projects.list_ids(1, {"images"})


def test_an_operation_that_succeeds_leaves_its_version_alone(
    run_example: RunDag, project_id: int, versions: Versions
):
    run = run_example("guarded_operation", project_id=project_id)

    assert run.state == "success"
    assert state(run, "clean_up.restore_on_failure") == "skipped"
    [version] = versions.get_list(project_id)
    assert pulled(run, "clean_up.create_version") == version.version_id


def test_an_operation_that_fails_brings_its_version_back_and_fails_the_run(
    run_example: RunDag, dags: Dags, project_id: int, client: Client, server: Server
):
    dags["guarded_operation"].task_dict["clean_up.operation.check"].retries = 0

    run = run_example("guarded_operation", project_id=project_id, least_images=4)

    assert run.state == "failed"
    assert state(run, "clean_up.operation.check") == "failed"
    restored = pulled(run, "clean_up.restore_on_failure")
    assert client.projects.get(project_id).description == "Cleaned up."
    assert read_images(client, restored) == read_images(client, project_id)
    link = pulled(run, "clean_up.restore_on_failure", "_link_RestoredProjectLink")
    assert link == f"{server.url}/projects/{restored}/datasets"


def test_an_operation_without_a_version_is_not_begun_and_nothing_is_restored(run_example: RunDag):
    run = run_example("guarded_operation", project_id=999_999)

    assert run.state == "failed"
    assert state(run, "clean_up.operation.change") == "upstream_failed"
    assert state(run, "clean_up.restore_on_failure") == "skipped"


@pytest.fixture
def gated(run_example: RunDag, project_id: int) -> RunDag:
    """Run the training that compares first, on a project that it has trained on before."""

    def run(**chosen: Any) -> Any:
        given = {"trained_version_id": None, "least_changes": 5, "most_removed_percent": 5}
        return run_example("gated_training", project_id=project_id, **{**given, **chosen})

    assert pulled(run(), "train") is not None
    return run


def gates(run: Any) -> tuple[str, str, str]:
    """Tell the states of the comparison, the way around it, and the training."""
    return state(run, "compare_versions"), state(run, "first_training"), state(run, "train")


def test_a_first_training_has_nothing_to_compare_with(run_example: RunDag, project_id: int):
    run = run_example("gated_training", project_id=project_id)

    assert gates(run) == ("skipped", "success", "success")
    assert pulled(run, "train") == f"model-of-version-{pulled(run, 'create_version')}"


def test_a_training_is_skipped_until_enough_has_changed_since_the_last_one(
    gated: RunDag, project_id: int, client: Client, photos: list[Path]
):
    unchanged = gated()
    touch(client, project_id)
    little = gated()
    add_dataset(client, project_id, "more", photos[3:5])
    enough = gated()
    none_since = gated()

    for skipped in (unchanged, little, none_since):
        assert (skipped.state, *gates(skipped)) == ("success", "skipped", "skipped", "skipped")
    assert gates(enough) == ("success", "skipped", "success")
    # What was too little for a training of its own is part of the next difference.
    assert pulled(enough, "compare_versions")["before"]["version_num"] == 1
    assert pulled(enough, "compare_versions")["after"]["version_num"] == 3
    assert pulled(none_since, "compare_versions", "summary")["before"]["version_num"] == 3


def test_a_loss_fails_the_run_without_a_retry_unless_it_was_meant(
    gated: RunDag, project_id: int, client: Client
):
    remove_image(client, project_id)

    lost = gated(least_changes=1)
    again = gated(least_changes=1)
    meant = gated(least_changes=1, most_removed_percent=100)

    for failed in (lost, again):
        assert (failed.state, *gates(failed)) == ("failed", "failed", "skipped", "upstream_failed")
        assert task_instance(failed, "compare_versions").try_number == 1
    assert gates(meant) == ("success", "skipped", "success")


def test_a_training_is_compared_with_the_version_that_is_named(
    gated: RunDag, project_id: int, client: Client, photos: list[Path]
):
    add_dataset(client, project_id, "more", photos[3:5])
    trained = gated()
    before = pulled(trained, "compare_versions")["before"]["version_id"]

    named = gated(trained_version_id=before)

    assert gates(named) == ("success", "skipped", "success")
    assert pulled(named, "train") == pulled(trained, "train")
