"""One thing that is done with a version as data, and what it costs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.dataset import open_version
from airflow_sv_versioning.dataset.destination import open_destination
from airflow_sv_versioning.dataset.export import export_dataset
from airflow_sv_versioning.dataset.export_options import ExportOptions
from airflow_sv_versioning.dataset.reader import VersionReader
from airflow_sv_versioning.dataset.split import Split
from airflow_sv_versioning.runtime.collecting import collect_seldom
from airflow_sv_versioning.runtime.memory import save_memory
from airflow_sv_versioning.runtime.progress import Progress
from benchmarks.measuring import costs_of

_COLUMNS = ("src_image_id", "class_name", "geometry_type")


def _open(arguments: argparse.Namespace) -> VersionReader:
    return open_version(arguments.archive, cache=arguments.folder / "cache")


def _first_open(arguments: argparse.Namespace) -> int:
    with _open(arguments) as version:
        return version.snapshot.row_count("figures")


def _first_batch(arguments: argparse.Namespace) -> int:
    with _open(arguments) as version:
        return version.figures().read_next_batch().num_rows


def _three_columns(arguments: argparse.Namespace) -> dict[str, Any]:
    """Tell what reading costs where a version is open, and all is loaded that it needs."""
    with _open(arguments) as version:
        version.figures().read_next_batch()
        return costs_of(lambda: sum(batch.num_rows for batch in version.figures(columns=_COLUMNS)))


def _export(format_name: str, **options: Any) -> Callable[[argparse.Namespace], int]:
    def export(arguments: argparse.Namespace) -> int:
        with _open(arguments) as version:
            return _write(version, arguments.folder / format_name, format_name, **options)

    return export


def _from_server(arguments: argparse.Namespace) -> int:
    with (
        SuperviselyClient(arguments.url, arguments.token) as client,
        open_version(
            client, arguments.project, version_num=1, cache=arguments.folder / "other cache"
        ) as version,
    ):
        return _write(version, arguments.folder / "from server", "coco")


def _write(version: VersionReader, folder: Path, format_name: str, **options: Any) -> int:
    split = Split.parse({"train": 0.8, "val": 0.2})
    chosen = ExportOptions(format=format_name, split=split, format_options=options)
    made = export_dataset(version, chosen, open_destination(str(folder)), Progress())
    return sum(part["figures"] for part in made.manifest["parts"].values())


_STEPS: Mapping[str, Callable[[argparse.Namespace], Any]] = {
    "open": _first_open,
    "first-batch": _first_batch,
    "three-columns": _three_columns,
    "coco": _export("coco"),
    "yolo": _export("yolo", task="segment"),
    "parquet": _export("parquet"),
    "from-server": _from_server,
}


def main() -> None:
    """Do the step that the command line names, and print its costs as the last line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=_STEPS)
    for name in ("--archive", "--folder"):
        parser.add_argument(name, type=Path)
    for name in ("--url", "--token"):
        parser.add_argument(name)
    parser.add_argument("--project", type=int)
    arguments = parser.parse_args()
    save_memory()
    collect_seldom()
    costs = costs_of(lambda: _STEPS[arguments.step](arguments))
    own_costs = costs["result"]
    print(json.dumps(own_costs if isinstance(own_costs, dict) else costs))


if __name__ == "__main__":
    main()
