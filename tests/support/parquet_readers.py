"""What Hugging Face ``datasets`` and pandas make of an export in Parquet, where they are installed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 240


def read_with_others(data_set: Path, folder: Path) -> dict[str, Any]:
    """Read the images of a data set with both, as :func:`main` tells it.

    :param folder: for what Hugging Face keeps.
    """
    python = Path(os.environ.get("SV_READERS_PYTHON") or ROOT / ".venv-readers" / "bin" / "python")
    assert python.exists(), f"{python} does not exist: run make readers-env (or set SV_READERS_PYTHON)."
    done = subprocess.run(
        [python, "-m", "tests.support.parquet_readers", data_set, folder],
        cwd=ROOT,
        env={**os.environ, "HF_HOME": str(folder), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(data_set: Path, folder: Path) -> dict[str, Any]:
    """Tell of each image its pixels' digest, its size and its annotations' classes, by both readers."""
    import pandas as pd
    from datasets import load_dataset

    loaded = load_dataset(str(data_set), cache_dir=str(folder))
    train = loaded["train"]
    labels = train.features["annotations"].feature["category_id"]
    frame = pd.read_parquet(data_set / "data")
    return {
        "splits": {name: len(part) for name, part in loaded.items()},
        "pictures": [(digest(row["image"].tobytes()), row["image"].size) for row in train],
        "labels": [[labels.int2str(each["category_id"]) for each in row["annotations"]] for row in train],
        "boxes": [[each["bbox"] for each in row["annotations"]] for row in train],
        "files": [digest(image["bytes"]) for image in frame["image"]],
        "class names": [[each["class_name"] for each in row] for row in frame["annotations"]],
    }


def digest(content: bytes) -> str:
    """Hex SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
