"""What an embedded server can be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow_sv_versioning.server.limits import UNLIMITED, Limits
from airflow_sv_versioning.server.rules import VENDOR, Rules


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Settings:
    """Where the server keeps its data and how it behaves.

    :param data: folder of the database and the blobs; created where it is missing.
    :param token: API token; ``None`` keeps the folder's token, or makes one in a fresh folder.
    :param plan: subscription that every team has; ``free`` refuses project versions.
    :param instance_version: what ``instance.version`` answers; what is newer than that, the server lacks.
    :param reservation_lifetime: how long a version may stay reserved without being committed.
    :param link_timeout_seconds: how long the server waits for the host of a linked image or video.
    :param clock: where "now" comes from.
    :param rules: what it does where it is not certain what the platform does.
    :param limits: what the plan of every team does not take; of itself it takes everything.
    """

    data: Path
    token: str | None = None
    plan: str = "enterprise"
    instance_version: str = "6.18.0"
    reservation_lifetime: timedelta = timedelta(hours=24)
    link_timeout_seconds: float = 5.0
    clock: Callable[[], datetime] = utc_now
    rules: Rules = VENDOR
    limits: Limits = UNLIMITED
