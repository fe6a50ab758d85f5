"""``sv-versioning restore`` where media are gone."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.support.missing_media import Filled
from tests.support.projects import count_projects
from tests.support.types import Client, Run

pytestmark = pytest.mark.parametrize("filled", ["images"], indirect=True)


@pytest.fixture
def run(run: Run, filled: Filled) -> Run:
    """Restore the version: exit code, stdout, stderr."""
    return partial(run, "restore", filled.project_id, "--version-id", filled.version_id)


def test_a_restore_that_stops_lists_what_is_missing(run, filled: Filled, lose):
    lost = lose(2)

    code, out, err = run("--json")

    assert code == 3
    error = json.loads(out)["error"]
    assert (error["kind"], error["missing"]) == ("missing_media", lost)
    assert "--missing-entities" not in err
    assert all(path in err for path in lost)


@pytest.mark.parametrize(
    ("policy", "key", "text"),
    [
        ("skip", "skipped", "Left out, for their media are gone: "),
        ("placeholder", "placeholders", "Placeholders, tagged 'placeholder': "),
        ("reupload", "reuploaded", "Uploaded again: "),
    ],
)
def test_a_policy_is_chosen_and_told(run, lose, policy, key, text):
    lost = lose(2)

    code, out, _ = run("--missing-entities", policy, "--json")
    assert (code, sorted(json.loads(out)[key])) == (0, lost)

    if policy == "reupload":
        lose(2)
    code, out, _ = run("--missing-entities", policy)
    assert code == 0
    assert f"{text}{', '.join(lost)}" in out


def test_a_plan_is_printed_and_nothing_is_made(run, filled: Filled, lose, client: Client):
    lost = lose(1, link=True)
    projects = count_projects(client)

    code, out, _ = run("--plan-only", "--missing-entities", "placeholder", "--private-links", "--json")
    plan = json.loads(out)
    assert (code, plan["is_possible"], plan["missing_entities"]) == (0, True, "placeholder")
    assert [item["path"] for item in plan["missing"]] == lost
    assert plan["counts"][filled.type] == len(filled.read())

    code, out, _ = run("--plan-only")
    assert code == 0
    assert out.splitlines()[0].startswith(f"Version 1 (id {filled.version_id}) of project")
    assert "With missing_entities='fail' the restore would stop here." in out
    assert count_projects(client) == projects


def test_another_vault_is_named(run, filled: Filled, lose, tmp_path: Path):
    lose(1)

    code, out, _ = run("--missing-entities", "reupload", "--vault", tmp_path, "--json")
    assert (code, json.loads(out)["error"]["kind"]) == (3, "missing_media")

    code, _, _ = run("--missing-entities", "reupload", "--vault", filled.vault)
    assert code == 0
