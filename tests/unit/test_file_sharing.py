"""Files that two folders have in common."""

import os
from pathlib import Path

import pytest

from airflow_sv_versioning.runtime.file_sharing import share_file


@pytest.mark.parametrize("knows_links", [True, False])
def test_a_file_is_there_twice_whatever_the_disk_knows(
    knows_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"voxels")
    if not knows_links:
        monkeypatch.setattr(os, "link", _refuse)

    share_file(source, target)

    assert target.read_bytes() == b"voxels"
    assert source.samefile(target) is knows_links


def _refuse(*_: object) -> None:
    raise OSError("this disk knows no links")
