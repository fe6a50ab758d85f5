"""A version is looked at without being restored: for each type of projects, what is wrong is found."""

import json

import pytest

from airflow_sv_versioning.exceptions import VersionNotFoundError
from airflow_sv_versioning.vault.vault import Vault
from tests.support.missing_media import Filled
from tests.support.projects import count_projects
from tests.support.types import Client, Run, Versions


def verify(versions, filled, **options):
    return versions.verify(filled.project_id, filled.version_id, **options)


def states(report):
    return {check.name: check.state for check in report.checks}


def check(report, name):
    return next(each for each in report.checks if each.name == name)


def test_a_whole_version_is_good(filled: Filled, versions: Versions, client: Client):
    projects = count_projects(client)

    report = verify(versions, filled, vault=filled.vault)

    assert report.is_good, report.line()
    assert states(report) == dict.fromkeys(("archive", "tables", "media", "vault"), "good")
    assert count_projects(client) == projects


def test_without_a_vault_the_vault_is_not_looked_at(filled: Filled, versions: Versions):
    assert states(verify(versions, filled))["vault"] == "skipped"


@pytest.mark.parametrize("count", [1, 3])
def test_media_that_are_gone_are_named(count, filled: Filled, lose, versions: Versions):
    lost = lose(count)

    report = verify(versions, filled, vault=filled.vault)

    assert not report.is_good
    assert states(report) == {"archive": "good", "tables": "good", "media": "wrong", "vault": "good"}
    assert sorted(path.partition(" (id ")[0] for path in check(report, "media").problems) == sorted(lost)


def test_a_link_that_leads_nowhere_is_named(filled: Filled, lose, versions: Versions):
    if not filled.link:
        pytest.skip("the platform has no volumes by link")
    lose(0, link=True)

    report = verify(versions, filled, vault=filled.vault)

    assert states(report)["media"] == "wrong"
    assert len(check(report, "media").problems) == 1
    assert states(report)["vault"] == "good", "what was behind the link is kept"


def test_originals_that_the_vault_lost_are_named(filled: Filled, versions: Versions):
    vault = Vault(filled.vault)
    (content_hash, *_) = sorted(filled.hashes.values())
    content = b"".join(vault.iter_chunks(content_hash))
    vault.remove(content_hash)
    try:
        report = verify(versions, filled, vault=vault)
    finally:
        vault.put(content_hash, [content])

    assert states(report) == {"archive": "good", "tables": "good", "media": "good", "vault": "wrong"}
    assert list(check(report, "vault").problems) == [content_hash]


def test_a_report_can_be_written_as_json(filled: Filled, lose, versions: Versions):
    lose(1)

    told = json.loads(json.dumps(verify(versions, filled).as_dict()))

    assert (told["is_good"], told["version_id"]) == (False, filled.version_id)
    media = told["checks"][2]
    assert (media["name"], media["state"], media["problem_count"]) == ("media", "wrong", 1)
    assert len(media["problems"]) == 1


def test_the_command_line_tells_by_its_exit_code(filled: Filled, lose, run: Run):
    command = ["verify", filled.project_id, "--vault", filled.vault, "--private-links"]

    code, out, _ = run(*command)
    assert (code, "is good." in out) == (0, True)
    (lost,) = lose(1)
    code, out, _ = run(*command, "--version-num", "1")
    assert (code, lost in out) == (3, True)
    code, out, _ = run(*command, "--json")
    assert (code, json.loads(out)["is_good"]) == (3, False)


def test_a_project_without_versions_has_none_to_look_at(client: Client, versions: Versions):
    project_id = client.projects.add(1, "never versioned").id

    with pytest.raises(VersionNotFoundError, match="no version yet"):
        versions.verify(project_id)
