"""All features come back as they were, six at a time; ``make fidelity`` tries each alone, and many mixes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.fidelity.cases import Names, groups
from tests.fidelity.features import TYPES
from tests.fidelity.run import Mixture, plainest
from tests.fidelity.trip import FORMATS, RoundTrip, round_trips

if TYPE_CHECKING:
    from airflow_sv_versioning.server.run import ServerInfo

MIXES = 3
FEATURES_AT_A_TIME = 6
GROUPS = [(kind, names) for kind in TYPES for names in groups(kind, FEATURES_AT_A_TIME)]


@pytest.fixture(scope="module")
def trip(server: ServerInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoundTrip]:
    with round_trips(server, tmp_path_factory.mktemp("media")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("project_type", "names"),
    GROUPS,
    ids=[f"{kind}: {', '.join(names) or 'smallest'}" for kind, names in GROUPS],
)
def test_a_project_of_some_features_comes_back(project_type: str, names: Names, trip: RoundTrip) -> None:
    # The formats take turns: make fidelity tries both of each.
    archive_format = FORMATS[project_type][GROUPS.index((project_type, names)) % 2]

    trip.check(plainest(project_type, names), (archive_format,))


@pytest.mark.parametrize("project_type", TYPES)
def test_each_feature_of_a_group_is_in_its_project(project_type: str) -> None:
    for names in groups(project_type, FEATURES_AT_A_TIME):
        whole = plainest(project_type, names)
        for name in names:
            assert plainest(project_type, tuple(other for other in names if other != name)) != whole, name


@pytest.mark.slow
@pytest.mark.parametrize("project_type", TYPES)
def test_mixes_of_features_come_back(project_type: str, trip: RoundTrip) -> None:
    Mixture(trip.check).run(project_type, MIXES, 1)
