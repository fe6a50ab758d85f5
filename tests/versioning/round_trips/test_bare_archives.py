"""Archives of clients that told less than ours: what is absent is the platform's default."""

from pathlib import Path

import pytest

from tests.support.archives import archive_of
from tests.support.bare_archives import bare_annotated_videos, bare_videos, bare_volumes
from tests.versioning.round_trips.conftest import Shop

ARCHIVES = {
    "videos v2.1.0": bare_videos,
    "videos v2.1.0, columns of nothing": lambda digest: bare_videos(digest, rest_is_null=True),
    "videos v2.0.0": bare_annotated_videos,
    "volumes v2.1.0": lambda digest: bare_volumes(digest, "v2.1.0"),
    "volumes v2.0.0": lambda digest: bare_volumes(digest, "v2.0.0"),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_a_bare_archive_is_restored_and_verified(what, shop: Shop, tmp_path: Path) -> None:
    project_type = what.split()[0]
    payload = ARCHIVES[what](shop.media[project_type].hashes[0])
    made = shop.publish(project_type, archive_of(payload, tmp_path / "archive"), "bare")

    restored = shop.versions.restore(made.project_id, made.version_id, verify="full")

    assert restored.warnings == ()
    assert shop.versions.verify(made.project_id, made.version_id).is_good
