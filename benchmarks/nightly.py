"""``make bench-vault``: what a nightly version costs with a vault, beside one without.

A project is versioned, and again after a hundredth of its images has changed, and again unchanged: without a
vault, and with one in a local folder that has all originals. Each version is made in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.runtime.memory import save_memory
from airflow_sv_versioning.vault.backends import Folder
from airflow_sv_versioning.vault.proof import hex_digest
from airflow_sv_versioning.vault.vault import MEDIA
from benchmarks.measuring import costs_of
from benchmarks.processes import Running, costs_of_process, running
from benchmarks.scenario import change
from benchmarks.seed import seed_images

MAX_REQUESTS, MAX_LISTINGS = 7, 2
STEPS = ("first version", "after 1 %", "unchanged")
# A file system takes so many names for one file.
_NAMES_A_FILE = 30_000

Costs = dict[str, Any]


def main() -> int:
    """Measure what the command line asks for; returns 1 if a target is missed."""
    arguments = _arguments()
    if arguments.url:
        print(json.dumps(_create(arguments)))
        return 0
    with tempfile.TemporaryDirectory(prefix="sv-bench-", dir=arguments.scratch) as folder:
        return _measure(Path(folder), arguments.images)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--scratch", type=Path, help="a folder with room for the project, twice")
    for name in ("--url", "--token", "--vault"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--project", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(folder: Path, images: int) -> int:
    project_id = seed_images(folder / "seed", images)
    plain = dict(_nights(folder, project_id, None))
    kept = dict(_nights(folder, project_id, folder / "vault"))
    for step in STEPS:
        alone, beside = plain[step], kept[step]
        print(
            f"{images:,} images, {step}: without a vault {_text(alone)}; with one {_text(beside)}, "
            f"{beside['listings']} listings of it: {beside['cpu_seconds'] / alone['cpu_seconds']:.2f} times"
        )
    unchanged = kept["unchanged"]
    is_met = unchanged["requests"] <= MAX_REQUESTS and unchanged["listings"] <= MAX_LISTINGS
    target = f"at most {MAX_REQUESTS} requests and {MAX_LISTINGS} listings"
    print(f"unchanged, {target}: {'met' if is_met else 'NOT met'}")
    return 0 if is_met else 1


def _nights(folder: Path, project_id: int, vault: Path | None) -> Iterator[tuple[str, Costs]]:
    data = folder / "data"
    shutil.copytree(folder / "seed", data)
    with running(data, 0) as server:
        if vault:
            _fill(vault, server, project_id)
        for step in STEPS:
            if step == "after 1 %":
                change(server, project_id)
            yield step, _night(server, project_id, vault, folder / "log")
    shutil.rmtree(data)


def _night(server: Running, project_id: int, vault: Path | None, log: Path) -> Costs:
    command = [sys.executable, "-m", "benchmarks.nightly", "--url", server.url, "--token", server.token]
    command += ["--project", str(project_id), *(["--vault", str(vault)] if vault else [])]
    server.take_count()
    costs = costs_of_process(command, log)
    return {**costs, "requests": server.take_count()}


def _create(arguments: argparse.Namespace) -> Costs:
    """Make a version, and count how often a vault is listed."""
    from airflow_sv_versioning.versioning import ProjectVersions

    save_memory()
    listings: list[str] = []
    for name in ("list_folder", "list_folders"):
        setattr(Folder, name, _counted(getattr(Folder, name), listings))
    vault = Path(arguments.vault) if arguments.vault else None
    with SuperviselyClient(arguments.url, arguments.token) as client:
        versions = ProjectVersions(client)
        costs = costs_of(lambda: versions.create(arguments.project, vault=vault).version_num)
    return {**costs, "listings": len(listings)}


def _counted(method: Callable[..., Any], listings: list[str]) -> Callable[..., Any]:
    def counted(backend: Folder, folder: str) -> Any:
        listings.append(folder)
        return method(backend, folder)

    return counted


def _fill(vault: Path, server: Running, project_id: int) -> None:
    """Make a vault that has an original under the name of each image's; what is in it, nobody reads."""
    for first in range(0x100):
        (vault / MEDIA / f"{first:02x}").mkdir(parents=True)
    with SuperviselyClient(server.direct_url, server.token) as client:
        hashes = (
            image["hash"]
            for dataset in client.datasets.list_all(project_id)
            for page in client.images.iter_pages(dataset.id)
            for image in page
        )
        for number, content_hash in enumerate(hashes):
            file = vault / f"content-{number // _NAMES_A_FILE}"
            if number % _NAMES_A_FILE == 0:
                file.write_bytes(b"content")
            digest = hex_digest(content_hash)
            os.link(file, vault / MEDIA / digest[:2] / digest)


def _text(costs: Costs) -> str:
    return (
        f"{costs['cpu_seconds']:.1f} CPU s, {costs['wall_seconds']:.1f} s, "
        f"{costs['peak_memory_mb']:.0f} MB, {costs['requests']:,} requests"
    )


if __name__ == "__main__":
    sys.exit(main())
