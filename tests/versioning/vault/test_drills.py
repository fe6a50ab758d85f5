"""Drills: what a vault remembers of them."""

from pathlib import Path

import pytest

from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.vault.drills import last_drill, list_drills, note_drill
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault
from tests.support.vaults import put_version

OWNER = Owner("one.example", 42)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


def test_the_last_good_drill_counts_whatever_came_after(vault: Vault):
    first, second = (put_version(vault, OWNER, number, now()) for number in (1, 2))
    assert last_drill(vault, OWNER) is None

    note_drill(vault, first, now().subtract(days=2), True)
    note_drill(vault, second, now().subtract(days=9), True)
    found = last_drill(vault, OWNER)
    assert found
    assert (found.version_num, found.version_id) == (1, first.version_id)

    note_drill(vault, first, now(), False)
    found = last_drill(vault, OWNER)
    assert found
    assert (found.version_num, found.is_good) == (2, True)
    assert [(drill.version_num, drill.is_good) for drill in list_drills(vault, OWNER)] == [
        (2, True),
        (1, False),
    ]
    assert last_drill(vault, Owner("one.example", 43)) is None


def test_a_note_that_nobody_can_read_is_no_drill(vault: Vault):
    version = put_version(vault, OWNER, 1, now())
    note_drill(vault, version, now(), True)
    folder = f"state/drills/{OWNER.server}/{OWNER.project_id}"
    for content in (b"{", b"[]", b'{"moment": "soon", "is_good": true}', b'{"is_good": true}'):
        vault.write_file(f"{folder}/1-{version.version_id}.json", [content])
        assert last_drill(vault, OWNER) is None
