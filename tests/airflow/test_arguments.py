"""What all operators and the sensor have in common: which arguments are templates."""

from __future__ import annotations

import inspect

import pytest
from airflow.sdk import BaseOperator

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.guarded import RestoreAfterFailureOperator
from airflow_sv_versioning.operators.remove import RemoveProjectOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.operators.verify import VerifyProjectVersionOperator
from airflow_sv_versioning.sensors.background_tasks import BackgroundTasksSensor

OPERATORS = [
    BackgroundTasksSensor,
    CreateProjectVersionOperator,
    RemoveProjectOperator,
    RestoreAfterFailureOperator,
    RestoreProjectVersionOperator,
    VerifyProjectVersionOperator,
]
# Words of a run's data; everything else is how the work is done, which a DAG's author decides.
TEMPLATED = ("_id", "_ids", "_name", "_num", "_title", "_description", "as_of", "media_store")
# What a person who triggers a run may have to decide.
TEMPLATED += ("missing_entities",)


@pytest.mark.parametrize("operator", OPERATORS)
def test_what_a_run_brings_along_is_templated(operator: type[BaseOperator]) -> None:
    own = {
        name
        for base in operator.__mro__
        if base.__module__.startswith("airflow_sv_versioning")
        for name in inspect.signature(base.__init__).parameters
    }

    assert {name for name in own if name.endswith(TEMPLATED)} == set(operator.template_fields)
