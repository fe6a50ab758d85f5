"""Every column of every table goes round, or a written list says why not; the schemas say which there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_sv_versioning.archive import pack_archive
from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.capture.passes import capture_project
from airflow_sv_versioning.compare.differences import find_differences
from airflow_sv_versioning.compare.engine import compare_snapshots
from airflow_sv_versioning.compare.records import SideFacts
from airflow_sv_versioning.project_types import VERSIONED_TYPES as TYPES
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.schemas import column_names, table_names, table_schema
from tests.support.column_cases import The, cases_of, write_cells
from tests.versioning.round_trips.conftest import Shop

COMPARED = {project_type: project_type_of(project_type).compared for project_type in TYPES}
COLUMNS = [
    (project_type, table, column)
    for project_type in TYPES
    for table in table_names(project_type)
    for column in column_names(project_type, table)
]
ANEW = [key for key in COLUMNS if key[2] in COMPARED[key[0]].given_anew[key[1]]]
TRIED = [key for key in COLUMNS if key not in ANEW]
FORMATS = [(type_, archive_format) for type_ in TYPES for archive_format in written_versions(type_)]


@pytest.mark.parametrize(("project_type", "table", "column"), COLUMNS)
def test_a_column_has_a_case_or_stands_on_the_list(project_type, table, column) -> None:
    has_case = column in cases_of(project_type)[table]
    is_listed = column in COMPARED[project_type].given_anew[table]

    assert has_case is not is_listed, "write a case for the column, or say why no copy can have it"


@pytest.mark.parametrize("project_type", TYPES)
@pytest.mark.parametrize("listed", ["stands_for", "given_anew"])
def test_the_lists_name_columns_that_there_are(listed, project_type) -> None:
    found = getattr(COMPARED[project_type], listed)
    assert set(found) == set(table_names(project_type))
    for table, columns in found.items():
        assert set(columns) <= set(column_names(project_type, table))


@pytest.mark.parametrize(("project_type", "table", "column"), TRIED)
def test_a_comparison_sees_every_column_that_is_on_no_list(
    project_type, table, column, tmp_path: Path
) -> None:
    is_fact = table == project_type and column in COMPARED[project_type].file_facts
    plain = {column: another(project_type, table, column)} if is_fact else {}
    is_compared = column in {*COMPARED[project_type].of(table), *COMPARED[project_type].stands_for[table]}

    one = write_cells(tmp_path / "one", project_type, [(table, "cell", plain)])
    other = write_cells(
        tmp_path / "other", project_type, [(table, "cell", cases_of(project_type)[table][column])]
    )

    assert bool(find_differences(one, other)) is is_compared


@pytest.mark.parametrize(("project_type", "table", "column"), ANEW)
def test_a_comparison_passes_over_what_every_copy_has_of_its_own(
    project_type, table, column, tmp_path: Path
) -> None:
    # Other rows refer to these: with them, all ids are others.
    is_key = column in {"src_dataset_id", "src_figure_id", "src_object_id", f"src_{project_type[:-1]}_id"}
    changes = {} if is_key else {column: another(project_type, table, column)}

    one = write_cells(tmp_path / "one", project_type, [(table, "cell", {})])
    other = write_cells(
        tmp_path / "other", project_type, [(table, "cell", changes)], first=7 if is_key else 1
    )

    assert find_differences(one, other) == []


def another(project_type, table, column):
    """Make a value that no cell holds by itself."""
    kind = str(table_schema(project_type, table).field(column).type)
    return {"string": '"another"', "int64": 9, "int32": 9}[kind]


@pytest.mark.parametrize(
    ("project_type", "column"), [(type_, column) for type_ in TYPES for column in COMPARED[type_].file_facts]
)
def test_what_the_platform_has_not_found_out_yet_is_no_difference(
    project_type, column, tmp_path: Path
) -> None:
    told = {column: another(project_type, project_type, column)}
    one, other = (
        write_cells(tmp_path / str(number), project_type, [(project_type, "cell", changes)])
        for number, changes in enumerate((told, {}))
    )

    assert find_differences(one, other) == []
    assert find_differences(other, one) == []


@pytest.mark.parametrize("project_type", TYPES)
def test_what_no_call_can_set_is_named_where_a_version_holds_it(project_type, tmp_path: Path) -> None:
    plain = write_cells(tmp_path / "plain", project_type, [("tags", "cell", {})])
    assert list(COMPARED[project_type].warnings(plain)) == []

    for entry in COMPARED[project_type].unsettable:
        name = entry.columns[0]
        held = write_cells(tmp_path / name, project_type, [(entry.table, "cell", lost_with(entry))])

        assert list(COMPARED[project_type].warnings(held)) == [entry.warning(1)]


@pytest.mark.parametrize("project_type", TYPES)
def test_what_no_call_can_set_is_compared_by_nobody_and_named(project_type, tmp_path: Path):
    sides = SideFacts("before"), SideFacts("after")
    plain = write_cells(tmp_path / "plain", project_type, [("tags", "cell", {})])
    for entry in COMPARED[project_type].unsettable:
        lossy = write_cells(
            tmp_path / entry.columns[0],
            project_type,
            [("tags", "cell", {}), (entry.table, "other", lost_with(entry))],
        )
        bare = write_cells(
            tmp_path / f"no {entry.columns[0]}",
            project_type,
            [("tags", "cell", {}), (entry.table, "other", {})],
        )
        diff = compare_snapshots(bare, lossy, sides, same_project=False)

        named = [] if entry.beside else [f"{entry.table}.{column}" for column in entry.columns]
        assert list(diff.not_compared) == sorted(named)
        assert diff.equal
    assert compare_snapshots(plain, plain, sides, same_project=True).not_compared == ()


def lost_with(entry):
    """Make the case of an entry of the list."""
    texts = {"link": "http://host/file", "instance": "a"}
    return {column: texts.get(column, 1) for column in entry.columns}


@pytest.mark.parametrize(("project_type", "archive_format"), FORMATS)
def test_every_column_goes_round(project_type, archive_format, shop: Shop, tmp_path: Path) -> None:
    cases = cases_of(project_type, shop.media[project_type])
    cells = [
        (table, f"{table}.{column}", case)
        for table, columns in cases.items()
        for column, case in columns.items()
    ]
    on_item = {"owner_type": "item", "owner_id": The("item")}
    cells += [
        ("tags", f"tags.{column} of an item", {**on_item, **case})
        for column, case in cases["tags"].items()
        if "owner_id" not in case
    ]
    unsettable = COMPARED[project_type].unsettable
    cells += [(entry.table, f"no {entry.columns}", lost_with(entry)) for entry in unsettable]
    source = write_cells(tmp_path / "source", project_type, cells, shop.media[project_type])
    packed = pack_archive(source, archive_format, tmp_path / "archive", {})
    made = shop.publish(project_type, packed.path, archive_format)

    restored = shop.versions.restore(made.project_id, made.version_id, verify="full")

    copy = capture_project(
        shop.client,
        restored.project_id,
        tmp_path / "copy",
        on_concurrent_change="fail",
        progress=Progress(),
    )
    assert find_differences(source, copy.snapshot) == []
    assert list(restored.warnings) == list(COMPARED[project_type].warnings(source))
    assert len(restored.warnings) == len(unsettable)
