"""What of a version in the making can be written down."""

import json

from airflow_sv_versioning.versioning.draft import Draft


def test_a_draft_survives_being_written_down() -> None:
    draft = Draft(
        project_id=4,
        version_id=7,
        commit_token="secret",
        project_updated_at="2026-01-02T00:00:00.000Z",
        team_file_id=9,
        archive_path="/system/versions/4/7.tar.zst",
        archive_format="v2.1.0",
        archive_sha256="ab" * 32,
        archive_size_bytes=100,
        counts={"datasets": 1, "images": 2},
        consistent=True,
        capture="full",
        capture_note=None,
        warnings=("One tag has no name.",),
    )

    assert Draft.from_dict(json.loads(json.dumps(draft.as_dict()))) == draft
    assert (draft.reservation.version_id, draft.reservation.commit_token) == (7, "secret")
    assert "secret" not in repr(draft)
