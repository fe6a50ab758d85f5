"""What the next version takes from one that another tool made, whose archive tells less."""

from pathlib import Path

import pytest

from tests.support.archives import archive_of, unwrapped
from tests.support.plain_projects import make_plain_project
from tests.support.projects import read_archive, read_images, replace_archive, touch
from tests.support.types import Client, Versions


def _strip(client: Client, made, folder: Path) -> None:
    """Leave of a version's archive what an official client writes: the payload alone."""
    (folder / "ours").write_bytes(read_archive(client, made))
    bare = archive_of(unwrapped(folder / "ours")["version.bin"], folder / "theirs")
    replace_archive(client, made, bare.read_bytes())
    touch(client, made.project_id)


def test_images_are_taken_and_what_is_not_told_of_their_figures_is_read(
    versions: Versions, client: Client, project_id: int, tmp_path: Path
):
    _strip(client, versions.create(project_id, archive_format="v1.0.0"), tmp_path)
    lines: list[str] = []

    made = versions.create(project_id, report=lines.append)

    assert made.capture == "incremental"
    assert "Version 1 does not tell who drew its figures, and notes; reading those." in lines
    restored = versions.restore(project_id, made.version_id, verify="full")
    assert read_images(client, restored.project_id) == read_images(client, project_id)


@pytest.mark.parametrize("kind", ["videos", "volumes"])
def test_of_other_types_nothing_is_taken_and_that_is_told(
    kind: str, versions: Versions, client: Client, tmp_path: Path
):
    project_id = make_plain_project(client, tmp_path, kind, "a figure")
    _strip(client, versions.create(project_id), tmp_path)

    made = versions.create(project_id, capture="incremental")

    assert made.capture == "full"
    assert made.capture_note == f"version 1 was made by another tool, which leaves out parts of {kind}"
    versions.restore(project_id, made.version_id, verify="full")
