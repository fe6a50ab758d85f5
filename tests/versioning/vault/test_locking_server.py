"""The S3 server that tests of vaults under object lock start does refuse what such a bucket refuses."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.support.buckets import s3_path
from tests.support.locking_server import make_locked_bucket

Mode = Literal["COMPLIANCE", "GOVERNANCE"]


@pytest.mark.parametrize("mode", ["COMPLIANCE", "GOVERNANCE"])
def test_what_is_locked_is_hidden_at_most(locking_s3: Any, mode: Mode):
    bucket = f"hidden-{mode.lower()}"
    make_locked_bucket(locking_s3, bucket, mode)
    path = s3_path(locking_s3, f"s3://{bucket}/vault/one")
    path.fs.pipe_file(path.path, b"one")
    version = {"Bucket": bucket, "Key": "vault/one"}
    version["VersionId"] = locking_s3.head_object(**version)["VersionId"]

    path.fs.rm_file(path.path)

    assert not path.exists()
    assert locking_s3.get_object(**version)["Body"].read() == b"one"
    sooner = datetime.now(timezone.utc) + timedelta(hours=1)
    with pytest.raises(locking_s3.exceptions.ClientError, match="AccessDenied"):
        locking_s3.put_object_retention(**version, Retention={"Mode": mode, "RetainUntilDate": sooner})
    with pytest.raises(locking_s3.exceptions.ClientError, match="AccessDenied"):
        locking_s3.delete_object(**version)


@pytest.mark.parametrize("blocks", [1, 2], ids=["one request", "several requests"])
def test_a_name_is_made_once(locking_s3: Any, tmp_path: Path, blocks: int):
    bucket = f"once-{blocks}"
    make_locked_bucket(locking_s3, bucket)
    path = s3_path(locking_s3, f"s3://{bucket}/vault/one")
    block_bytes = 5 * 1024 * 1024
    file = tmp_path / "content"
    file.write_bytes(bytes(block_bytes * blocks))
    path.fs.put_file(str(file), path.path, mode="create", chunksize=block_bytes)

    with pytest.raises(OSError, match="pre-conditions") as refused:
        path.fs.put_file(str(file), path.path, mode="create", chunksize=block_bytes)

    assert "PreconditionFailed" in str(refused.value.__cause__)
    assert len(locking_s3.list_object_versions(Bucket=bucket)["Versions"]) == 1
    assert "Uploads" not in locking_s3.list_multipart_uploads(Bucket=bucket)
