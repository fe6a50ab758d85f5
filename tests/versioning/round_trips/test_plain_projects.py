"""Projects that have one thing only: nothing may need that another is there."""

from pathlib import Path

import pytest

from tests.support.plain_projects import ADDITIONS, make_plain_project
from tests.support.projects import touch
from tests.support.types import Client, Versions

CASES = [(project_type, what) for project_type, additions in ADDITIONS.items() for what in additions]


@pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
@pytest.mark.parametrize(("project_type", "what"), CASES)
def test_a_project_with_one_thing_goes_round(
    project_type, what, archive_format, client: Client, versions: Versions, tmp_path: Path
):
    project = make_plain_project(client, tmp_path, project_type, what)
    versions.create(project, archive_format=archive_format)
    touch(client, project)

    # The second version takes from the first what has not changed, which is everything.
    made = versions.create(project, archive_format=archive_format, capture="incremental")
    report = versions.verify(project, made.version_id)
    restored = versions.restore(project, made.version_id, verify="full")

    assert made.capture == "incremental"
    assert report.is_good, report
    assert restored.counts == made.counts
    assert restored.warnings == made.warnings
    assert len(made.warnings) == (what == "a mask without voxels")
    assert versions.compare(project, "latest", "live", other_project_id=restored.project_id).equal
