"""The process belongs to the program: versions are made in it, and leave it as it was."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pyarrow as pa
import pytest

from tests.support.types import Client, Versions


@pytest.fixture
def arrow_pool():
    """A pool that is not the one which programs choose."""
    before, chosen = pa.default_memory_pool(), pa.mimalloc_memory_pool()
    pa.set_memory_pool(chosen)
    yield chosen
    pa.set_memory_pool(before)


def test_creates_and_restores_at_once_leave_the_process_as_it_was(
    client: Client, versions: Versions, arrow_pool
):
    environment = dict(os.environ)
    projects = [client.projects.add(1, f"At once {number}").id for number in range(2)]
    together = Barrier(2, timeout=60)
    seen = set()

    def report(line):
        seen.add(pa.default_memory_pool().backend_name)
        if line.startswith("Packing"):
            # Both have begun, and neither has ended.
            together.wait()

    def go_round(project_id):
        made = versions.create(project_id, report=report)
        assert versions.verify(project_id, made.version_id, report=report).is_good
        return versions.restore(project_id, made.version_id, report=report)

    with ThreadPoolExecutor(2) as both:
        assert len(list(both.map(go_round, projects))) == 2

    assert seen == {pa.default_memory_pool().backend_name} == {arrow_pool.backend_name}
    assert dict(os.environ) == environment
