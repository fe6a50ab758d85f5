"""What a version says of its content: one digest, and the figures of each class."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_sv_versioning.compare.fingerprint import Fingerprint, HeldItems
from airflow_sv_versioning.versioning.contents import MAX_CLASSES, Contents, in_manifest, in_map
from tests.support.archives import unwrapped
from tests.support.projects import read_archive, read_map, touch, write_map
from tests.support.types import Client, Versions

DIGEST = "0a" * 32


def test_result_manifest_and_map_tell_it(project_id: int, client: Client, versions: Versions, tmp_path: Path):
    first = versions.create(project_id)
    unchanged = versions.create(project_id)
    touch(client, project_id)
    second = versions.create(project_id)

    for made in (first, unchanged, second):
        archive = tmp_path / f"{made.version_id}"
        archive.write_bytes(read_archive(client, made))
        provenance = json.loads(unwrapped(archive)["integrity.json"])["provenance"]
        entry = read_map(client, project_id)[str(made.version_id)]
        for record in (made.as_dict(), provenance, entry):
            assert (record["content_digest"], record["classes"]) == (first.content_digest, first.classes)
    assert len(first.content_digest or "") == 64
    assert sum((first.classes or {}).values()) == first.counts["figures"]
    assert (unchanged.status, second.status) == ("unchanged", "created")


def test_a_version_that_was_taken_over_in_part_tells_what_one_that_was_read_tells(
    project_id: int, client: Client, versions: Versions
):
    first = versions.create(project_id)
    [dataset] = client.datasets.list_all(project_id)
    [images] = client.images.iter_pages(dataset.id)
    client.images.describe(images[0]["id"], "looked at")
    in_part = versions.create(project_id)
    touch(client, project_id)
    read = versions.create(project_id, capture="full")

    assert (in_part.capture, read.capture) == ("incremental", "full")
    assert (in_part.content_digest, in_part.classes) == (read.content_digest, read.classes)
    assert in_part.content_digest != first.content_digest


def test_many_classes_are_in_the_manifest_alone():
    classes = {f"class {number:03}": 1 for number in range(MAX_CLASSES + 1)}
    fewer = dict(list(classes.items())[:MAX_CLASSES])
    many, few = (Fingerprint(DIGEST, HeldItems(1, 1, each)) for each in (classes, fewer))

    assert in_manifest(many)["classes"] == classes
    assert in_map(many) == {"content_digest": DIGEST, "classes": None}
    assert in_map(few)["classes"] == fewer


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"content_digest": 1, "classes": 1},
        {"content_digest": DIGEST[1:], "classes": ["car"]},
        {"content_digest": DIGEST.upper(), "classes": {"car": "5"}},
        {"content_digest": None, "classes": {"car": True}},
    ],
    ids=str,
)
def test_a_map_that_others_wrote_tells_nothing(members):
    assert Contents.recorded(members) == Contents()


def test_an_entry_without_it_makes_no_fault(project_id: int, client: Client, versions: Versions):
    made = versions.create(project_id)
    entries = read_map(client, project_id)
    for member in ("content_digest", "classes"):
        del entries[str(made.version_id)][member]
    write_map(client, project_id, entries)

    again = versions.create(project_id)

    assert (again.status, again.content_digest, again.classes) == ("unchanged", None, None)
