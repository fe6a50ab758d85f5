"""One create or restore by the official SDK; runs in its environment."""

from __future__ import annotations

import argparse
from typing import Any

import supervisely as sly

from benchmarks.measuring import measure


def _work(arguments: argparse.Namespace) -> Any:
    api = sly.Api(arguments.url, arguments.token)
    if arguments.action == "create":
        return api.project.version.create(arguments.project)
    return api.project.version.restore(arguments.project, version_num=arguments.version_num).id


if __name__ == "__main__":
    measure(_work)
