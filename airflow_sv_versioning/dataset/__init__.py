"""A version as data, for training: read, split, export.

Items and figures come as streams of Arrow batches, files by their content; formats write data sets of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_sv_versioning.dataset.opening import open_version

__all__ = ["open_version"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: formats and options are imported where DAG files are parsed.
    if name != "open_version":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airflow_sv_versioning.dataset.opening import open_version

    return open_version
