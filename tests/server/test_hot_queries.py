"""The queries behind the large listings go through indices, and never through a whole table."""

from collections.abc import Iterator

import pytest

from airflow_sv_versioning.server.behaviour.figures import list_figures
from airflow_sv_versioning.server.behaviour.images import list_images
from airflow_sv_versioning.server.behaviour.listing import Query
from airflow_sv_versioning.server.database import Reader
from airflow_sv_versioning.server.platform import Platform
from airflow_sv_versioning.server.settings import Settings
from benchmarks.seed import seed_images

LARGE = ("items", "figures", "tags")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("data")
    seed_images(folder, 50)
    opened = Platform(Settings(folder))
    yield opened
    opened.close()


class _Watched(Reader):
    """Notes how each query is to be carried out."""

    plans: list[str]

    def all(self, sql, parameters=()):
        self._watch(sql, parameters)
        return super().all(sql, parameters)

    def find(self, sql, parameters=()):
        self._watch(sql, parameters)
        return super().find(sql, parameters)

    def _watch(self, sql, parameters):
        self.plans += [row["detail"] for row in super().all(f"EXPLAIN QUERY PLAN {sql}", parameters)]


@pytest.fixture
def watched(platform: Platform) -> Iterator[_Watched]:
    with platform.database.read() as db:
        reader = _Watched(db._connection)
        reader.plans = []
        yield reader


def _assert_by_index(plans):
    assert any("USING" in plan for plan in plans)
    assert [plan for plan in plans if any(plan.startswith(f"SCAN {table}") for table in LARGE)] == []


def _dataset_and_items(reader):
    row = reader.find("SELECT dataset_id FROM items LIMIT 1")
    items = reader.pairs("SELECT id, id FROM items WHERE dataset_id = ?", (row["dataset_id"],))
    reader.plans.clear()
    return row["dataset_id"], list(items)


@pytest.mark.parametrize("by_ids", [False, True])
def test_listing_images(watched: _Watched, by_ids) -> None:
    dataset_id, items = _dataset_and_items(watched)
    wanted = [{"field": "id", "operator": "in", "value": items}] if by_ids else []
    query = Query(filters=wanted, token_mode=True, per_page=5)

    list_images(watched, query, lambda *_: "", dataset_id=dataset_id, project_id=None, recursive=False)

    _assert_by_index(watched.plans)


def test_listing_figures_of_items(watched: _Watched) -> None:
    dataset_id, items = _dataset_and_items(watched)
    query = Query(filters=[{"field": "entityId", "operator": "in", "value": items}], per_page=20000)

    text = list_figures(watched, query, dataset_id=dataset_id, project_id=None, integer_coords=False)

    assert '"total":100' in text
    _assert_by_index(watched.plans)
