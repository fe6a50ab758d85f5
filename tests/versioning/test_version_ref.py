"""Which version is meant: named by exactly one thing, and found or told to be missing."""

from datetime import datetime, timezone

import pytest

from airflow_sv_versioning.archive.stored.version_ref import LATEST, PREVIOUS, VersionRef
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import ConfigurationError, VersionNotFoundError
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.projects import touch


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"version_id": 7}, VersionRef("id", 7)),
        ({"version_num": 7}, VersionRef("number", 7)),
        ({"as_of": "2026-01-02"}, VersionRef("moment", datetime(2026, 1, 2, tzinfo=timezone.utc))),
        ({"default": LATEST}, LATEST),
        ({"version_id": 7, "default": LATEST}, VersionRef("id", 7)),
    ],
)
def test_one_thing_names_a_version(given, meant) -> None:
    assert VersionRef.parse(**given) == meant


@pytest.mark.parametrize(
    ("given", "how_many"),
    [
        ({}, "none"),
        ({"version_id": 7, "version_num": 1}, "2"),
        ({"version_id": 7, "version_num": 1, "as_of": "2026-01-02", "default": LATEST}, "3"),
    ],
)
def test_none_or_several_are_refused(given, how_many) -> None:
    with pytest.raises(ConfigurationError, match=f"not {how_many} of them"):
        VersionRef.parse(**given)


def test_versions_are_found_by_their_place(client: SuperviselyClient, versions: ProjectVersions) -> None:
    project_id = client.projects.add(1, "Three versions").id
    with pytest.raises(VersionNotFoundError, match="has no version yet"):
        LATEST.find(client, project_id)

    first = versions.create(project_id)
    with pytest.raises(
        VersionNotFoundError, match=rf"before its latest one\. .* 1 \(id {first.version_id}\)"
    ):
        PREVIOUS.find(client, project_id)

    touch(client, project_id)
    second = versions.create(project_id)
    touch(client, project_id)
    client.versions.reserve(project_id)  # which is no version yet
    assert LATEST.find(client, project_id).id == second.version_id
    assert PREVIOUS.find(client, project_id).id == first.version_id
    assert VersionRef("number", 1).find(client, project_id).id == first.version_id
    assert VersionRef("id", second.version_id).find(client, project_id).version == 2
