"""Files that two folders have in common, where the disk can do that."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def share_file(source: Path, target: Path) -> None:
    """Give a file a second name; where the disk knows no such thing, a copy takes its place."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
