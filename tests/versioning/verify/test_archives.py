"""What is wrong with a version's archive is found without restoring it."""

import json
from functools import reduce
from operator import getitem
from pathlib import Path

import pytest
import zstandard

from airflow_sv_versioning.archive.stored.version_map import VersionMap
from airflow_sv_versioning.exceptions import ServerError
from tests.support.archives import tar_of, unwrapped
from tests.support.projects import make_project
from tests.support.proxy import flip, refuse
from tests.support.types import Client, Versions, Wire


@pytest.fixture
def made(client: Client, versions: Versions, photos: list[Path]):
    return versions.create(make_project(client, photos[:2]))


def states(report):
    return {check.name: check.state for check in report.checks}


NOT_READ = {"archive": "wrong", "tables": "skipped", "media": "skipped", "vault": "skipped"}


def test_an_archive_that_is_gone(made, client: Client, versions: Versions, tmp_path: Path):
    client.files.remove(client.projects.get(made.project_id).team_id, made.archive_path)

    report = versions.verify(made.project_id, vault=tmp_path)

    assert states(report) == NOT_READ
    assert "not in Team Files any more" in report.line()


def test_an_archive_with_a_flipped_bit(made, wired: Versions, wire: Wire):
    wire.on("file-storage.download", flip(200))

    report = wired.verify(made.project_id)

    assert states(report) == NOT_READ
    assert "is damaged" in report.line()


def test_an_archive_that_somebody_replaced(made, client: Client, versions: Versions, photos, tmp_path):
    other = versions.create(make_project(client, photos[:1]))
    team_id = client.projects.get(made.project_id).team_id
    copy = tmp_path / "other"
    client.files.download(team_id, other.archive_path, copy)
    client.files.upload(team_id, copy, made.archive_path)

    report = versions.verify(made.project_id)

    assert states(report) == NOT_READ
    assert "somebody replaced it" in report.line()


@pytest.mark.parametrize(
    ("where", "name", "problem"),
    [
        (("tables", "figures"), "sha256", "figures"),
        (("provenance",), "content_digest", "content_digest"),
    ],
)
def test_what_is_not_as_the_manifest_says(
    where, name: str, problem: str, made, client: Client, versions: Versions, tmp_path: Path
):
    team_id = client.projects.get(made.project_id).team_id
    copy = tmp_path / "copy"
    client.files.download(team_id, made.archive_path, copy)
    members = unwrapped(copy)
    manifest = json.loads(members["integrity.json"])
    reduce(getitem, where, manifest)[name] = "0" * 64
    members["integrity.json"] = json.dumps(manifest).encode()
    copy.write_bytes(zstandard.compress(tar_of(members)))
    client.files.upload(team_id, copy, made.archive_path)
    _forget_digest(client, made)

    report = versions.verify(made.project_id)

    assert states(report)["tables"] == "wrong"
    assert list(report.checks[1].problems) == [problem]


def _forget_digest(client, made):
    """Make the map like that of another tool, which keeps no digest of the archive."""
    project = client.projects.get(made.project_id)
    version_map = VersionMap.read(client, project)
    del version_map.entry(made.version_id)["sha256"]
    version_map.save()


def test_the_latest_version_is_looked_at_unless_one_is_named(made, client: Client, versions: Versions):
    client.projects.edit(made.project_id, description="changed")
    second = versions.create(made.project_id)

    assert versions.verify(made.project_id).version_id == second.version_id
    assert versions.verify(made.project_id, version_num=1).version_id == made.version_id


def test_a_server_that_fails_is_no_finding(made, wired: Versions, wire: Wire):
    wire.always("images.internal.hashes.list", refuse(503))

    with pytest.raises(ServerError):
        wired.verify(made.project_id)
