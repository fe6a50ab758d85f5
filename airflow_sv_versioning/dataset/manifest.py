"""The files that tell of a data set: ``manifest.json``, ``names.csv``, ``checksums.sha256``.

Nothing in them depends on when, where, or by how many workers the data set was written.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow_sv_versioning.dataset.staging import MANIFEST, Assembly, ShardRecord, names_below
from airflow_sv_versioning.dataset.tally import Tally
from airflow_sv_versioning.runtime.streams import sha256_of

FORMAT = "sv-dataset/1"
NAMES, CHECKSUMS = "names.csv", "checksums.sha256"


def write_names(tally: Tally, files: Path) -> None:
    """Write which items have files of other names, if any have."""
    if not tally.renamed:
        return
    with (files / NAMES).open("w", encoding="utf-8", newline="", errors="backslashreplace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file_name", "item"))
        writer.writerows((file_name, path) for path, file_name in tally.renamed.values())


def write_checksums(records: Sequence[ShardRecord], files: Path) -> dict[str, Any]:
    """Write the digests of all files but those of items, as ``sha256sum --check`` reads them.

    :returns: what the manifest tells of them.
    """
    digests = {name: digest for record in records for name, (_, digest) in record.files.items() if digest}
    sizes = [size for record in records for size, digest in record.files.values() if digest]
    for name in names_below(files):
        digests[name] = sha256_of(files / name)
        sizes.append((files / name).stat().st_size)
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    (files / CHECKSUMS).write_text(lines, encoding="utf-8")
    return {"count": len(digests), "bytes": sum(sizes), "checksums_sha256": sha256_of(files / CHECKSUMS)}


def write_manifest(manifest: Mapping[str, Any], assembly: Assembly) -> None:
    """Write the manifest, the last of the files."""
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (assembly.files / MANIFEST).write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
