"""The page about operators tells the arguments that there are, and no others."""

import inspect
import re
from pathlib import Path

import pytest

from airflow_sv_versioning.operators.compare import CompareProjectVersionsOperator
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.fill_vault import FillVaultOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.operators.retention import RetentionOperator

PAGE = (Path(__file__).parents[2] / "docs" / "operators.md").read_text(encoding="utf-8")
# What all operators have, told once at the top of the page and on the connection's.
SHARED = {"self", "kwargs", "supervisely_conn_id", "optional_arguments"}


@pytest.mark.parametrize(
    "operator",
    [
        CompareProjectVersionsOperator,
        CreateProjectVersionOperator,
        FillVaultOperator,
        RestoreProjectVersionOperator,
        RetentionOperator,
    ],
)
def test_the_table_tells_every_argument_and_its_default(operator: type) -> None:
    section = PAGE.partition(f"## {operator.__name__}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    told = {name: row[-1].strip() for row in rows for name in re.findall(r"`(\w+)`", row[0])}

    taken = inspect.signature(operator.__init__).parameters  # type: ignore[misc]
    assert told.keys() == taken.keys() - SHARED
    for name, default in told.items():
        if re.fullmatch(r"`\w+`", default):
            assert default.strip("`") == str(taken[name].default).removesuffix(".0"), name
