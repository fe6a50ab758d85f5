"""Reads a YOLO data set as its public description and the checks of ultralytics say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml


@dataclass(frozen=True)
class Labels:
    """What is on one picture.

    :param classes: name of each label's class.
    :param values: what stands behind the class, of each.
    """

    classes: list[str]
    values: list[np.ndarray[Any, Any]]


def read_yolo(folder: Path) -> dict[str, dict[str, Labels]]:
    """Read all parts: part -> file name without its suffix -> labels.

    :raises AssertionError: trainers would refuse something.
    """
    described = yaml.safe_load((folder / "data.yaml").read_bytes())
    assert {"train", "val"} <= described.keys() or len(described.keys() - {"names", "kpt_shape"})
    names = described.pop("names")
    assert list(names) == list(range(len(names)))
    count, dimensions = described.pop("kpt_shape", (0, 0))
    columns = 5 + count * dimensions if count else None
    return {part: _read_part(folder, place, names, columns) for part, place in described.items()}


def _read_part(folder: Path, place: str, names: dict[int, str], columns: int | None) -> dict[str, Labels]:
    labels = folder / f"{place}/".replace("images/", "labels/")
    assert labels.is_dir() == (folder / place).is_dir() or not (folder / "images").is_dir()
    return {
        path.relative_to(labels).with_suffix("").as_posix(): _read_labels(path, names, columns)
        for path in labels.rglob("*.txt")
    }


def _read_labels(path: Path, names: dict[int, str], columns: int | None) -> Labels:
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    if columns is not None:
        assert {len(row) for row in rows} <= {columns}
    elif any(len(row) > 6 for row in rows):
        assert all(len(row) >= 7 and len(row) % 2 for row in rows), "outlines have pairs, three or more"
    else:
        assert {len(row) for row in rows} <= {5}
    values = [np.array(row[1:], np.float64) for row in rows]
    places = [_places(row, columns) for row in values]
    assert all((row >= 0).all() and (row <= 1).all() for row in places)
    return Labels([names[int(row[0])] for row in rows], values)


def _places(row: np.ndarray[Any, Any], columns: int | None) -> np.ndarray[Any, Any]:
    """Leave out what says whether key points are seen."""
    return row if columns is None else np.concatenate((row[:4], row[4:].reshape(-1, 3)[:, :2].ravel()))
