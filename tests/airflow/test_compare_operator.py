"""Two versions are compared by a task: what changed goes on, and rules fail it or skip what follows."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, task

from airflow_sv_versioning.compare.summary import MAX_BYTES
from airflow_sv_versioning.operators.compare import CompareProjectVersionsOperator
from tests.support.airflow_runs import pulled, state, task_instance
from tests.support.projects import add_dataset, make_project, remove_image, touch
from tests.support.proxy import refuse
from tests.support.types import Capsys, Client, RunDag, Server, Versions, Wire

pytestmark = pytest.mark.usefixtures("connection")

Compare = Callable[..., Any]


@pytest.fixture
def compare(run_dag: RunDag, dag_id: str) -> Compare:
    """Run a DAG of a ``compare`` task, which may be retried, and a task that follows it."""

    def run(params: dict[str, Any] | None = None, **arguments: Any) -> Any:
        with DAG(dag_id, schedule=None, params=params) as dag:
            compared = CompareProjectVersionsOperator(
                task_id="compare", retries=1, retry_delay=timedelta(0), **arguments
            )

            @task
            def follow() -> None:
                """Stand for what is done with the newer version."""

            compared >> follow()
        return run_dag(dag)

    return run


@pytest.fixture
def changed_project(project_id: int, versions: Versions, client: Client, photos: list[Path]) -> int:
    """A project of two versions: then it got a dataset of two images, and lost one of its three."""
    versions.create(project_id)
    remove_image(client, project_id)
    add_dataset(client, project_id, "more", photos[3:5])
    versions.create(project_id)
    return project_id


def outcome(run: Any) -> tuple[str, int, str]:
    """Tell the state of the task, of which try, and of what follows."""
    return state(run, "compare"), task_instance(run, "compare").try_number, state(run, "follow")


def test_the_latest_version_is_compared_with_the_one_before(
    compare: Compare,
    changed_project: int,
    server: Server,
    capsys: Capsys,
):
    run = compare(project_id=changed_project, selection={"items": ["*"]})

    assert outcome(run) == ("success", 1, "success")
    told = pulled(run, "compare")
    assert told == pulled(run, "compare", "summary")
    assert told["selection"]["items"] == ["*"]
    assert [told[side]["version_num"] for side in ("before", "after")] == [1, 2]
    assert (told["items"]["added"], told["items"]["removed"]) == (2, 1)
    assert (told["figures"]["added"], told["figures"]["removed"]) == (4, 2)
    assert told["by_class"]["lemon"]["before"] == 3
    assert told["by_dataset"]["more"]["items_added"] == 2
    assert (told["equal"], told["fail_if"], told["skip_if"], told["left_out"]) == (False, [], [], {})
    link = pulled(run, "compare", "_link_VersionLink")
    assert link == f"{server.url}/projects/{changed_project}/versions#version-{told['after']['version_id']}"
    log = capsys.readouterr().out
    assert re.search(
        r"\[info +\] Version 2 against version 1 of project \d+ '.+': \+2 images, 1 removed; ", log
    )


def test_sides_projects_rules_and_paths_are_templated(
    compare: Compare,
    changed_project: int,
    versions: Versions,
    client: Client,
    photos: list[Path],
    tmp_path: Path,
):
    first, _ = versions.get_list(changed_project)
    other = make_project(client, photos[:3])
    params = {"project": changed_project, "id": first.version_id, "other": other, "least": 7, "into": "a/b"}

    run = compare(
        params,
        project_id="{{ params.project }}",
        before="id:{{ params.id }}",
        after="{{ 'live' }}",
        other_project_id="{{ params.other }}",
        fail_if="class[lemon].after < {{ params.least }}\n\nitems.added > 0\n",
        report=f"{tmp_path}/{{{{ params.into }}}}/diff.html",
    )

    told = pulled(run, "compare", "summary")
    assert (told["before"]["version_id"], told["before"]["project_id"]) == (first.version_id, changed_project)
    assert (told["after"]["name"], told["after"]["project_id"]) == ("live", other)
    assert [(rule["rule"], rule["broken"]) for rule in told["fail_if"]] == [
        ("class[lemon].after < 7", True),
        ("items.added > 0", False),
    ]
    assert (tmp_path / "a" / "b" / "diff.html").exists()


def test_a_rule_that_is_so_fails_the_task_for_good_once_all_is_written(
    compare: Compare,
    changed_project: int,
    tmp_path: Path,
    capsys: Capsys,
):
    rules = {"fail_if": ["figures.removed > 5%", "items.added == 0"], "skip_if": ["changes > 0"]}
    page, table = tmp_path / "diff.html", tmp_path / "changes.parquet"

    run = compare(project_id=changed_project, report=str(page), changes=table.as_uri(), **rules)

    assert outcome(run) == ("failed", 1, "upstream_failed")
    told = pulled(run, "compare", "summary")
    assert [rule["broken"] for rule in told["fail_if"]] == [True, False]
    assert "figures.removed &gt; 5%" in page.read_text(encoding="utf-8")
    assert _kinds(table) == {"items.added": 2, "items.removed": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changes.parquet", "diff.html"]
    log = capsys.readouterr().out
    message = "figures.removed > 5%: 2 of 6 figures were removed (33.33 %)"
    assert re.search(rf"\[warning +\] fail_if is so: {re.escape(message)}", log)
    assert re.search(r"\[info +\] fail_if is not so: items\.added == 0: ", log)
    assert f"A rule is broken. {message}." in log


def _kinds(table: Path) -> dict[str, int]:
    import pyarrow.parquet as pq

    kinds = pq.read_table(table)["kind"].to_pylist()
    return {kind: kinds.count(kind) for kind in kinds}


def test_a_rule_that_is_so_skips_what_follows(compare: Compare, changed_project: int, capsys: Capsys):
    run = compare(
        project_id=changed_project, fail_if=["figures.removed > 50%"], skip_if=["figures.added < 100%"]
    )

    assert outcome(run) == ("skipped", 1, "skipped")
    assert pulled(run, "compare", "summary")["skip_if"][0]["broken"] is True
    assert "skip_if is so: figures.added < 100%" in capsys.readouterr().out


def test_rules_that_are_not_so_let_what_follows_go_on(compare: Compare, changed_project: int):
    run = compare(project_id=changed_project, fail_if="figures.removed > 50%", skip_if=("changes == 0",))

    assert outcome(run) == ("success", 1, "success")


def test_the_summary_of_very_much_is_cut(compare: Compare, client: Client, photos: list[Path]):
    project_id = make_project(client, photos[:1])
    other = make_project(client, photos[:1])
    meta = client.projects.get_meta(other)
    meta["tags"] += [{"name": f"tag {n:04}", "value_type": "none", "color": "#00FF00"} for n in range(2_000)]
    client.projects.update_meta(other, meta)

    run = compare(project_id=project_id, other_project_id=other, before="live", after="live")

    told = pulled(run, "compare")
    assert MAX_BYTES - 1_000 < len(json.dumps(told)) <= MAX_BYTES
    assert len(told["project"]["tags"]) + told["left_out"]["project.tags"] == 2_000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fail_if": ["figures.remved > 2%"]}, "'remved' is not a measure of figures"),
        ({"skip_if": "items.added"}, "how items.added is compared must stand here"),
        ({"before": "the one of yesterday"}, "'the one of yesterday' names no side of a comparison"),
        ({"on_concurrent_change": "accpt"}, "on_concurrent_change is 'accpt'; choose one of accept, fail"),
        ({"tolerance": -0.5}, "tolerance must be pixels, 0 or more, but it is -0.5"),
        ({"match_iou": 50}, "match_iou must be above 0 and at most 1, but it is 50"),
        ({"report": "/dev/null/diff.html"}, "report cannot be '/dev/null/diff.html'"),
        ({"changes": "/"}, "changes must name a file, but '/' is a folder"),
        (
            {"report": "s3://not_there@bucket/diff.html"},
            "The report s3://not_there@bucket/diff.html",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_understood_fails_for_good_before_anything_is_read(
    wrong: dict[str, Any],
    message: str,
    compare: Compare,
    proxy: Wire,
    capsys: Capsys,
):
    run = compare(project_id=1, **wrong)

    assert outcome(run) == ("failed", 1, "upstream_failed")
    assert message in capsys.readouterr().out
    assert proxy.requests == []


def test_a_class_that_neither_side_has_fails_for_good_and_one_that_need_not_be_there_does_not(
    compare: Compare,
    changed_project: int,
    tmp_path: Path,
    capsys: Capsys,
):
    table = tmp_path / "changes.parquet"

    unknown = compare(project_id=changed_project, fail_if=["class[melon].after < 5"], changes=str(table))
    optional = compare(project_id=changed_project, fail_if=["class?[melon].after < 5"])

    assert outcome(unknown) == ("failed", 1, "upstream_failed")
    assert "neither side has a class 'melon'; known are 'a kiwi', 'lemon'" in capsys.readouterr().out
    assert pulled(unknown, "compare", "summary") is None
    assert list(tmp_path.iterdir()) == []
    assert outcome(optional) == ("success", 1, "success")


def test_a_server_that_fails_for_now_is_asked_again(
    proxy: Wire,
    one_try: None,
    compare: Compare,
    project_id: int,
    versions: Versions,
    client: Client,
):
    versions.create(project_id)
    touch(client, project_id)
    versions.create(project_id)
    proxy.on("projects.versions.list", refuse(503))

    assert outcome(compare(project_id=project_id)) == ("success", 2, "success")


def test_a_project_of_one_version_has_none_before(compare: Compare, project_id: int, versions: Versions):
    versions.create(project_id)

    assert outcome(compare(project_id=project_id)) == ("failed", 1, "upstream_failed")
