"""``sv-versioning retention``, and ``vault hold``, ``release`` and ``undelete``."""

import json
from pathlib import Path

import pytest

from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import list_entries
from tests.support.projects import make_project
from tests.support.types import Client, Run
from tests.support.vaults import put_version


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def owner(client: Client, folder: Path) -> Owner:
    owner = Owner.of(client.server_url, make_project(client, []))
    for number in range(1, 6):
        put_version(Vault(folder), owner, number, now().subtract(days=60 - number), title=f"night {number}")
    return owner


def test_a_plan_is_a_table_and_a_file_and_is_carried_out(
    run: Run, owner: Owner, folder: Path, tmp_path: Path
):
    project, file = owner.project_id, tmp_path / "plan.json"

    code, out, _ = run("retention", "plan", project, "--vault", folder, "--keep-last", 3, "--out", file)
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[1][:2] == ["VERSION", "MADE"]
    assert [(line[0], line[5]) for line in lines[2:]] == [
        ("5", "keep"),
        ("4", "keep"),
        ("3", "keep"),
        ("2", "remove"),
        ("1", "remove"),
    ]
    code, out, _ = run("retention", "apply", file, "--json")
    assert (code, json.loads(out)["removed"]) == (0, [2, 1])
    assert [entry.version_num for entry in list_entries(Vault(folder), owner)] == [3, 4, 5]
    code, out, _ = run("vault", "undelete", folder, f"{owner.server}/{project}/2", "--json")
    assert (code, json.loads(out)["version_num"]) == (0, 2)


def test_what_is_held_stays_and_stops_a_plan_that_does_not_know_of_it(
    run: Run, owner: Owner, folder, tmp_path
):
    plan = ("retention", "plan", owner.project_id, "--vault", folder, "--keep-last", 3, "--json")
    file = tmp_path / "plan.json"
    run(*plan, "--out", file)
    version = f"{owner.server}/{owner.project_id}/1"

    code, out, _ = run("vault", "hold", folder, version, "--reason", "audit", "--by", "ann")
    assert (code, f"Version {version} is held by ann since" in out) == (0, True)
    code, out, _ = run("retention", "apply", file, "--json")
    assert (code, json.loads(out)["error"]["kind"]) == (3, "retention_refused")
    assert json.loads(run(*plan)[1])["remove_count"] == 1
    code, out, _ = run("vault", "release", folder, version)
    assert (code, "is held no longer" in out) == (0, True)
    assert run("retention", "apply", file)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        ((), 2, "has no rule"),
        (("--keep-last", "many"), 2, "keep_last must be"),
        (("--keep-within", "1w"), 2, "keep_within must be"),
        (("--keep-last", 1, "--timezone", "Mars"), 2, "no time zone"),
        (("--keep-last", 1), 3, "more than half"),
        (("--keep-last", 1, "--experiments", "nowhere"), 2, "no record of an experiment"),
    ],
)
def test_what_cannot_be_planned_is_told(arguments, code, why, run: Run, owner: Owner, folder: Path):
    ended, _, errors = run("retention", "plan", owner.project_id, "--vault", folder, *arguments)

    assert (ended, why in errors) == (code, True)


def test_experiments_of_a_folder_keep_their_versions(
    run: Run, client: Client, owner: Owner, folder, tmp_path
):
    record = {"format": "sv-experiment/1", "server": client.server_url, "project_id": owner.project_id}
    (tmp_path / "runs" / "may").mkdir(parents=True)
    (tmp_path / "runs" / "may" / "1.json").write_text(
        json.dumps({**record, "version_num": 1, "dag_id": "training", "run_id": "monday"})
    )
    plan = ("retention", "plan", owner.project_id, "--vault", folder, "--keep-last", 3, "--json")

    planned = json.loads(run(*plan, "--experiments", tmp_path / "runs")[1])

    assert planned["remove_count"] == 1
    assert planned["versions"][-1]["reasons"] == ["run monday of training used it"]
