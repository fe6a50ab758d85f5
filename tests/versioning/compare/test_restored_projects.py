"""A version and the project that was restored from it are equal, in every format."""

from pathlib import Path

import pytest

from airflow_sv_versioning.archive.formats import FORMATS
from tests.support.typed_projects import MAKERS, nest
from tests.support.types import Client, Versions
from tests.versioning.compare.states import counts, definitions

WRITTEN = [key for key, known_format in FORMATS.items() if known_format.write]


@pytest.mark.parametrize(("project_type", "archive_format"), WRITTEN)
def test_a_version_equals_its_restored_project(
    project_type, archive_format, client: Client, versions: Versions, tmp_path: Path
):
    project = MAKERS[project_type](client, tmp_path)
    nest(client, project)
    made = versions.create(project, archive_format=archive_format)
    restored = versions.restore(project, made.version_id)

    made_of_copy = versions.create(restored.project_id)
    assert (made_of_copy.content_digest, made_of_copy.classes) == (made.content_digest, made.classes)

    copy = versions.compare(project, "latest", "live", other_project_id=restored.project_id)
    same = versions.compare(project, "latest", "live")

    for found in (copy, same):
        assert found.equal, (counts(found), definitions(found))
        assert found.not_compared == ()
    assert copy.before.counts == copy.after.counts

    client.datasets.add(restored.project_id, "one more")
    other = versions.compare(project, "latest", "live", other_project_id=restored.project_id)
    assert counts(other) == {"datasets.added": 1}
