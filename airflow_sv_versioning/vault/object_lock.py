"""Until when a bucket keeps an object, whatever anybody asks of it.

Under S3's object lock a plain removal does not fail: it hides the object, whose bytes stay and are paid for.
So who removes asks first. Source: HEAD of an object, which tells its lock to whoever may read that.
"""

from __future__ import annotations

from typing import Any

from airflow_sv_versioning.runtime.moments import parse_moment


def find_lock(filesystem: Any, path: str) -> str:
    """Tell how an object of S3 is locked, for people; nothing where it is not, or nobody may know.

    :raises FileNotFoundError: it is not there.
    """
    bucket, _, key = path.partition("/")
    head = filesystem.call_s3("head_object", Bucket=bucket, Key=key)
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return "locked by a legal hold"
    if (until := head.get("ObjectLockRetainUntilDate")) is None:
        return ""
    return f"locked until {parse_moment('ObjectLockRetainUntilDate', until).format('YYYY-MM-DD HH:mm')} UTC"
