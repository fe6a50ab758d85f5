"""``make bench-retention``: what thinning out a vault costs, in processor seconds and memory.

Ten thousand versions are decided over by all rules; a vault of a million contents in a local folder is looked
through for what only one version needs, and pruned of the hundredth that none does. Each runs in a process of
its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from airflow_sv_versioning.runtime.memory import save_memory
from airflow_sv_versioning.vault.vault import Vault
from benchmarks.measuring import costs_of
from benchmarks.processes import costs_of_process

MAX_DECISION_SECONDS, MAX_SWEEP_SECONDS, MAX_MEMORY_MB = 1, 60, 300
VERSIONS = 10_000
Work = Callable[[], Any]
# A file system takes so many names for one file.
_NAMES_A_FILE = 30_000
_UNNEEDED_EVERY = 100


def main() -> int:
    """Measure what the command line asks for; returns 1 if a target is missed."""
    arguments = _arguments()
    if arguments.step:
        save_memory()
        print(json.dumps(costs_of(STEPS[arguments.step](arguments.vault))))
        return 0
    with tempfile.TemporaryDirectory(prefix="sv-bench-", dir=arguments.scratch) as folder:
        lines = list(_measure(Path(folder), arguments.contents))
    print(*(line for line, _ in lines), sep="\n")
    return int(not all(is_met for _, is_met in lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contents", type=int, default=1_000_000)
    parser.add_argument("--scratch", type=Path, help="a folder for a million names of files")
    parser.add_argument("--step", choices=list(STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--vault", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(folder: Path, contents: int) -> Iterator[tuple[str, bool]]:
    vault = folder / "vault"
    _fill(vault, contents)
    for step, what, most in (
        ("decide", f"{VERSIONS:,} versions decided over", MAX_DECISION_SECONDS),
        ("only-bytes", f"{contents:,} contents looked through for what one version needs", MAX_SWEEP_SECONDS),
        ("prune", f"{contents:,} contents pruned of 1 %", MAX_SWEEP_SECONDS),
    ):
        command = [sys.executable, "-m", "benchmarks.retention", "--step", step, "--vault", str(vault)]
        costs = costs_of_process(command, folder / "log")
        seconds, memory = costs["wall_seconds"], costs["peak_memory_mb"]
        yield (
            f"{what}: {seconds:.2f} s (at most {most}), {memory:.0f} MB (at most {MAX_MEMORY_MB})",
            seconds <= most and memory <= MAX_MEMORY_MB,
        )


def _fill(folder: Path, contents: int) -> None:
    """Make a vault whose contents are names of a few files, and two versions that need nearly all."""
    needs = [folder / "projects" / "bench" / "1" / f"{version_id}.jsonl" for version_id in (1, 2)]
    needs[0].parent.mkdir(parents=True)
    for first in range(0x100):
        (folder / "media" / f"{first:02x}").mkdir(parents=True)
    with needs[0].open("w") as one, needs[1].open("w") as other:
        for number in range(contents):
            digest = hashlib.sha256(number.to_bytes(8, "big"))
            _link(folder, digest.hexdigest(), number)
            if number % _UNNEEDED_EVERY:
                (one if number % 2 else other).write(json.dumps({"hash": _content_hash(digest)}) + "\n")


def _link(folder: Path, name: str, number: int) -> None:
    file = folder / f"content-{number // _NAMES_A_FILE}"
    if number % _NAMES_A_FILE == 0:
        file.write_bytes(b"content")
    os.link(file, folder / "media" / name[:2] / name)


def _content_hash(digest: Any) -> str:
    from airflow_sv_versioning.vault.proof import content_hash_of

    return content_hash_of(digest.digest())


def _decide(_: Path) -> Work:
    import pendulum

    from airflow_sv_versioning.vault.retention.decide import decide
    from airflow_sv_versioning.vault.retention.policy import RetentionPolicy
    from airflow_sv_versioning.vault.retention.rules import Candidate

    now = pendulum.datetime(2026, 11, 30)
    versions = [
        Candidate(version_id=number, version_num=number, made_at=now.subtract(hours=7 * number))
        for number in range(1, VERSIONS + 1)
    ]
    counts = {f"keep_{word}": 100 for word in ("last", "hourly", "daily", "weekly", "monthly", "yearly")}
    policy = RetentionPolicy.parse({**counts, "keep_within": "1y", "keep_titles": "release *"})
    return lambda: sum(decision.keep for decision in decide(versions, policy, now, "Europe/Rome"))


def _only_bytes(vault: Path) -> Work:
    from airflow_sv_versioning.runtime.progress import Progress
    from airflow_sv_versioning.vault.retention.only_bytes import find_only_bytes

    return lambda: sum(find_only_bytes(Vault(vault), (), Progress()).values())


def _prune(vault: Path) -> Work:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

    # Nobody is asked: no project is named.
    versions = ProjectVersions(SuperviselyClient("http://localhost", "none"))
    return lambda: versions.prune_vault(vault).as_dict()


STEPS: dict[str, Callable[[Path], Work]] = {"decide": _decide, "only-bytes": _only_bytes, "prune": _prune}

if __name__ == "__main__":
    sys.exit(main())
