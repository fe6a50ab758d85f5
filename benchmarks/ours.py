"""One create or restore by this package."""

from __future__ import annotations

import argparse
import sys

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.runtime.memory import save_memory
from airflow_sv_versioning.versioning import ProjectVersions
from airflow_sv_versioning.versioning.options import Verify
from benchmarks.measuring import measure


def _work(arguments: argparse.Namespace) -> int:
    save_memory()
    with SuperviselyClient(arguments.url, arguments.token) as client:
        versions = ProjectVersions(client)
        if arguments.action == "create":
            return versions.create(arguments.project, capture="incremental", report=_tell).version_id
        verify: Verify = "full" if arguments.action == "verified-restore" else "counts"
        restored = versions.restore(
            arguments.project, version_num=arguments.version_num, verify=verify, report=_tell
        )
        return restored.project_id


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    measure(_work)
