"""Short names for the types of fixtures, so that a test's signature stays one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.server.run import ServerInfo
from airflow_sv_versioning.versioning import CreateResult, ProjectVersions
from tests.support import sdk
from tests.support.proxy import FaultProxy

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

Client = SuperviselyClient
Versions = ProjectVersions
Made = CreateResult
Server = ServerInfo
Wire = FaultProxy
Sdk = sdk.Sdk

Patch = pytest.MonkeyPatch
Capsys = pytest.CaptureFixture[str]
Request = pytest.FixtureRequest
TempFolders = pytest.TempPathFactory

Run = Callable[..., tuple[int, str, str]]  # a command: exit code, stdout, stderr
RunDag = Callable[..., "DagRun"]
SetConnection = Callable[..., None]
Dags = dict[str, "DAG"]
