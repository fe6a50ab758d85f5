"""What people do to the project after the backup: they correct annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from airflow_sv_versioning.demo.labels import Label, box
from airflow_sv_versioning.demo.photograph import Photograph
from airflow_sv_versioning.demo.pictures_everyday import CAMERA, CHELSEA, COFFEE, PAGE


def corrected() -> list[Photograph]:
    """The photographs that change, as they are afterwards."""
    return [
        replace(COFFEE, labels=_moved(COFFEE.labels, "coffee", 1.5, -2.25)),
        replace(CAMERA, labels=[*CAMERA.labels, box("building", 451, 162, 470.5, 196)]),
        replace(PAGE, labels=PAGE.labels[:-1]),
        replace(CHELSEA, tags={**CHELSEA.tags, "split": "train"}),
    ]


SUMMARY = "1 polygon moved, 1 box added, 1 box deleted, 1 tag changed"


def _moved(labels: Sequence[Label], class_name: str, right: float, down: float) -> list[Label]:
    return [_shifted(label, right, down) if label.class_name == class_name else label for label in labels]


def _shifted(label: Label, right: float, down: float) -> Label:
    points = label.geometry["points"]
    exterior = [[x + right, y + down] for x, y in points["exterior"]]
    return replace(label, geometry={"points": {**points, "exterior": exterior}})
