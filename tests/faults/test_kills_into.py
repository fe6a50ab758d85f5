"""Processes that restore into a project of somebody's and are killed: what they added is taken back."""

from collections.abc import Iterator

import pytest

from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.kills import Ground, Work, new_ground, spread
from tests.support.types import TempFolders

KILLS = {"images": 2, "videos": 1, "volumes": 1}


class IntoGround(Ground):
    """Kills restores of a version into a project that has a part of it and things of its own."""

    target = 0

    def _arguments(self, work: Work) -> list[str]:
        source = str(self.project(work.project_type))
        if work.action == "release":
            return ["airflow_sv_versioning.cli", "release", source]
        into = ["--into", str(self.target), "--on-conflict", "rename"]
        return ["airflow_sv_versioning.cli", "restore", source, "--version-num", "1", *into]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: TempFolders) -> Iterator[IntoGround]:
    with new_ground(tmp_path_factory.mktemp("kills-into"), IntoGround) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("project_type", ["images", "videos", "volumes"])
def test_what_a_killed_restore_had_added_is_taken_back(project_type, ground: IntoGround):
    client, versions = ground.client, ProjectVersions(ground.client)
    work, release = (Work("command", action, project_type) for action in ("into", "release"))
    source = ground.project(project_type)
    ground.target = versions.restore(source, version_num=1).project_id
    [first, *_] = list(client.datasets.list_all(ground.target))
    client.transport.call("datasets.editInfo", {"id": first.id, "name": "renamed"})
    client.datasets.add(ground.target, "own")
    versions.create(ground.target)
    length = _length(ground, work)
    ground.start(release).wait()

    for at, moment in spread(length, KILLS[project_type], seed=len(project_type)):
        ground.kill(work, at, moment)
        code, told = ground.start(release).wait()

        where = f"{moment} request {at} of {length}: {told}"
        found = versions.compare(ground.target, "latest", "live")
        is_done = found.items.added == _items(ground, source)
        assert (code, found.equal or is_done) == (0, True), where
        assert not list(ground.state_folder.rglob("*.json")), where
        if is_done:
            versions.create(ground.target)


def _items(ground: IntoGround, project_id: int) -> int:
    return ground.client.projects.get(project_id).images_count


def _length(ground: IntoGround, work: Work) -> int:
    """Count the requests of one undisturbed run, and take it as the state to come back to."""
    ground.wire.heal()
    code, told = ground.start(work).wait()
    assert code == 0, told
    count = len(ground.wire.requests)
    ProjectVersions(ground.client).create(ground.target)
    return count
