"""The record of an experiment, as the create operator hands it on, read by those who did not write it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from airflow_sv_versioning.client.decoding import Count
from airflow_sv_versioning.exceptions import ConfigurationError

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """What MLflow is told of the record.

    :param counts: how many datasets, images, figures and so on the version holds.
    :param classes: how many figures of each class; ``None`` where it is not known.
    """

    format: Literal["sv-experiment/1"]
    server: Text
    project_id: Id
    project_name: str
    version_id: Id
    version_num: Id
    dag_id: Text
    run_id: Text
    counts: dict[str, Count]
    archive_sha256: Sha256 | None = None
    content_digest: Sha256 | None = None
    classes: dict[str, Count] | None = None


def read_experiment(record: Any) -> Experiment:
    """Read the record.

    :raises ConfigurationError: it is none.
    """
    try:
        return msgspec.convert(record, Experiment)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"This is no record of an experiment: {error}. Hand on what the task that made the version "
            'pushed as XCom "experiment", as in train(create.output["experiment"]).'
        ) from error
