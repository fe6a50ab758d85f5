"""Projects made up of single features come back as they were; ``make fidelity`` tries thousands more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.fidelity.cases import Names, alone, projects
from tests.fidelity.features import TYPES
from tests.fidelity.run import Mixture, try_plainest
from tests.fidelity.trip import FORMATS, RoundTrip, round_trips

if TYPE_CHECKING:
    from airflow_sv_versioning.server.run import ServerInfo

MIXES = 3
ALONE = [(kind, names) for kind in TYPES for names in alone(kind)]


@pytest.fixture(scope="module")
def trip(server: ServerInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoundTrip]:
    with round_trips(server, tmp_path_factory.mktemp("media")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("project_type", "names"), ALONE, ids=[f"{kind}: {''.join(names) or 'smallest'}" for kind, names in ALONE]
)
def test_a_project_of_one_feature_comes_back(project_type: str, names: Names, trip: RoundTrip) -> None:
    # The formats take turns: make fidelity tries both of each.
    archive_format = FORMATS[project_type][ALONE.index((project_type, names)) % 2]

    try_plainest(projects(project_type, names), lambda project: trip.check(project, (archive_format,)))


@pytest.mark.slow
@pytest.mark.parametrize("project_type", TYPES)
def test_mixes_of_features_come_back(project_type: str, trip: RoundTrip) -> None:
    Mixture(trip.check).run(project_type, MIXES, 1)
