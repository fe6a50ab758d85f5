"""Train a model on a version of a project, and tell which version it was.

1. ``create_version`` makes a version of the project. A run that is cleared and tried again gets the same.
2. ``export`` writes it as a data set in COCO's format with its pictures, split by content: a picture keeps
   its part in every later version. The folder is named by the version's id: each is exported once.
3. ``train`` learns from colours and places where annotated things are, with scikit-learn, and tells how well
   that works on the part that it has not seen. Put your training here.

The workers need numpy, Pillow and scikit-learn, and a folder or bucket for data sets that all of them see.
Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then trigger the DAG and fill in the project's id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from airflow.sdk import ObjectStoragePath, Param, dag, task

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.export import ExportProjectVersionOperator

PROJECT, SIDE = "{{ params.project_id }}", 64


@dag(
    schedule=None,
    params={
        "project_id": Param(type="integer", minimum=1, title="Project", description="Id of the project."),
        "data_sets": Param("~/data-sets", type="string", title="Data sets", description="Or s3://bucket/x."),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def train_on_version() -> None:
    version = CreateProjectVersionOperator(task_id="create_version", project_id=PROJECT, on_rerun="same")
    export = ExportProjectVersionOperator(
        task_id="export",
        project_id=PROJECT,
        version_id=version.output,
        format="coco",
        destination="{{ params.data_sets }}/{{ ti.xcom_pull('create_version') }}",
        media="copy",
        split={"train": 0.7, "val": 0.3},
        allow_lossy=True,  # points and lines have no area to learn
    )

    @task
    def train(data_set: dict[str, Any]) -> dict[str, Any]:
        import numpy as np
        from sklearn import ensemble, metrics

        seen, new = (np.vstack(list(_pixels(data_set["destination"], part))) for part in ("train", "val"))
        model = ensemble.RandomForestClassifier(30, random_state=0).fit(seen[:, :-1], seen[:, -1])
        accuracy = metrics.balanced_accuracy_score(new[:, -1], model.predict(new[:, :-1]))
        return {"version": data_set["version"], "balanced_accuracy": round(float(accuracy), 3)}

    train(export.output)


def _pixels(data_set: str, part: str) -> Iterator[Any]:
    """Make a row of each pixel of small pictures: red, green, blue, x, y, and 1 where something is."""
    import numpy as np
    from PIL import Image, ImageDraw

    coco = json.loads(ObjectStoragePath(f"{data_set}/annotations/instances_{part}.json").read_text())
    for image in coco["images"]:
        with ObjectStoragePath(f"{data_set}/images/{part}/{image['file_name']}").open("rb") as file:
            small = Image.open(file).convert("RGB").resize((SIDE, SIDE))
        things, wide, high = Image.new("L", small.size), SIDE / image["width"], SIDE / image["height"]
        for x, y, w, h in (each["bbox"] for each in coco["annotations"] if each["image_id"] == image["id"]):
            ImageDraw.Draw(things).rectangle((x * wide, y * high, (x + w) * wide, (y + h) * high), fill=1)
        yield np.dstack([small, *np.indices((SIDE, SIDE)), things]).reshape(-1, 6)


train_on_version()
