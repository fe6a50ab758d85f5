"""A version as COCO by the official SDK, which has to restore it first; runs in its environment."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import supervisely as sly

from benchmarks.measuring import costs_of


def _work(arguments: argparse.Namespace) -> dict[str, float]:
    """Restore, download and convert; tells the seconds of each."""
    api = sly.Api(arguments.url, arguments.token)
    folder = arguments.folder / "official"
    moments = [time.perf_counter()]
    project_id = api.project.version.restore(arguments.project, version_num=1).id
    moments.append(time.perf_counter())
    sly.download_project(api, project_id, str(folder / "project"), save_images=False, log_progress=False)
    moments.append(time.perf_counter())
    project = sly.Project(str(folder / "project"), sly.OpenMode.READ)
    project.to_coco(str(folder / "coco"), log_progress=False)
    moments.append(time.perf_counter())
    names = ("restore", "download", "convert")
    return {name: after - before for name, before, after in zip(names, moments, moments[1:], strict=False)}


def main() -> None:
    """Print the costs as the last line."""
    parser = argparse.ArgumentParser()
    for name in ("--url", "--token"):
        parser.add_argument(name, required=True)
    parser.add_argument("--project", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # The official SDK logs to stdout.
    os.dup2(2, 1)
    costs: dict[str, Any] = costs_of(lambda: _work(arguments))
    answers.write(json.dumps(costs) + "\n")
    answers.flush()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
