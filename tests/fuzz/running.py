"""Runs cases in workers, and counts what became of them."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.cases import Case, make_case, write_case
from tests.fuzz.corpus import genuine_archives

SECONDS = 60.0
MEBIBYTES = 1024
ROOT = Path(__file__).parents[2]


@dataclass
class Findings:
    """What became of some cases.

    :ivar outcomes: type and format -> how many were ``read``, ``refused``, and so on.
    :ivar faults: cases whose outcome is none of the two that may be.
    :ivar lines: file -> lines that ran.
    """

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[dict[str, Any]] = field(default_factory=list)
    lines: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    mebibytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, case: Case, told: dict[str, Any]) -> None:
        """Take one answer."""
        if told["mebibytes"] > MEBIBYTES:
            told["outcome"] = "memory"
        self.outcomes[case.name][told["outcome"]] += 1
        self.seconds[case.name] = max(self.seconds[case.name], told["seconds"])
        self.mebibytes[case.name] = max(self.mebibytes[case.name], told["mebibytes"])
        for file, lines in told.pop("lines", {}).items():
            self.lines[file].update(lines)
        if told["outcome"] not in ("read", "refused"):
            self.faults.append({"case": case.number, "of": case.name, "policy": case.policy, **told})


def run_cases(numbers: Iterable[int], *, restores: bool = False) -> Findings:
    """Run cases one after the other; a worker that is lost is replaced."""
    findings = Findings()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        genuine = genuine_archives(folder)
        with _Worker(restores) as worker:
            for number in numbers:
                case = make_case(number, genuine)
                path = folder / "archive.tar.zst"
                write_case(case, path)
                findings.add(case, worker.read(path, case))
    return findings


class _Worker:
    """A process that reads archives."""

    def __init__(self, restores: bool) -> None:
        self._arguments = [sys.executable, "-m", "tests.fuzz.worker", *(["--restore"] if restores else [])]
        self._process = self._start()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, path: Path, case: Case) -> dict[str, Any]:
        """Let it read an archive, and wait for what it tells."""
        asked = {"path": str(path), "project_type": case.project_type, "policy": case.policy}
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            is_there = bool(selector.select(SECONDS))
        line = self._process.stdout.readline() if is_there else b""
        if line:
            return json.loads(line)
        outcome = "crash" if is_there else "hang"
        self._end()
        self._process = self._start()
        return {"outcome": outcome, "stage": "", "seconds": 0.0 if is_there else SECONDS, "mebibytes": 0}

    def _start(self) -> Any:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
        return subprocess.Popen(
            self._arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=environment,
        )

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
