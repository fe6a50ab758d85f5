"""A comparison for people: which tables there are, and what stands in them."""

from airflow_sv_versioning.cli.diff_text import parts_of
from airflow_sv_versioning.cli.tables import Table
from airflow_sv_versioning.compare.records import (
    ClassDiff,
    DatasetCounts,
    DatasetDiff,
    Definition,
    FigureCounts,
    ProjectDiff,
    SideFacts,
    TagDiff,
    VersionDiff,
)
from airflow_sv_versioning.compare.rules import Rule, judge

SIDES = SideFacts("version 3", 42, "roads", 311, 3), SideFacts("version 5", 42, "roads", 340, 5)
EQUAL = VersionDiff(
    "images",
    *SIDES,
    by_class={"car": ClassDiff(3, 3)},
    by_dataset={"day": DatasetDiff(2, 2, figures_before=3, figures_after=3)},
    by_tag={"note": TagDiff(1, 1)},
)


def lines_of(diff: VersionDiff, *rules: str) -> list[str]:
    judgements = judge([Rule.parse(rule) for rule in rules], diff)
    parts = [part.plain() if isinstance(part, Table) else part for part in parts_of(diff, judgements)]
    return "\n".join(parts).splitlines()


def test_where_nothing_changed_there_are_no_tables():
    assert lines_of(EQUAL) == ["Version 5 against version 3 of project 42 'roads': nothing changed."]


def test_what_changed_has_a_line_and_what_did_not_has_none():
    diff = VersionDiff(
        "images",
        *SIDES,
        figures=FigureCounts(added=1000, removed=1),
        by_class={
            "bus": ClassDiff(1, 1),
            "car": ClassDiff(1, 1000, 1000, 1),
            "tram": ClassDiff(2, 2, 0, 0, 1),
        },
        by_dataset={
            "day": DatasetDiff(2, 2, 0, 0, 1, 3, 1002),
            "night": DatasetDiff(2, 2, figures_before=5, figures_after=5),
            "moved away": DatasetDiff(2, 1),
        },
        by_tag={"note": TagDiff(1, 1, changed=1), "other": TagDiff(4, 4)},
    )

    assert [line.split("  ")[-1].strip() for line in lines_of(diff)[1:] if line] == [
        *("CLASS", "car", "tram"),
        *("DATASET", "day", "moved away"),
        *("TAG", "note"),
    ]
    assert "1,000" in lines_of(diff)[3]


def test_long_tables_are_cut_with_the_most_changed_first():
    by_class = {f"class {number}": ClassDiff(added=number, after=number) for number in range(1, 26)}
    classes = tuple(Definition(name, "added", after={"shape": "any"}) for name in by_class)
    diff = VersionDiff("images", *SIDES, by_class=by_class, project=ProjectDiff(classes=classes))

    lines = lines_of(diff)

    assert lines[3].endswith("class 25")
    assert lines[22].endswith("class 6")
    assert lines[23] == "... and 5 more, see --json"
    assert lines[25:27] == ["Of the project itself:", '  class \'class 1\' added: {"shape": "any"}']
    assert lines[46:] == ["... and 5 more, see --json"]


def test_what_was_not_compared_is_told():
    diff = VersionDiff(
        "images", *SIDES, DatasetCounts(added=1), coarse=2, not_compared=("figures.nn_created", "images.meta")
    )

    assert lines_of(diff)[1:] == [
        "Items with so many changes that these were counted and not paired: 2.",
        "Not compared, for one side does not tell of it: figures.nn_created, images.meta.",
    ]


def test_rules_stand_at_the_end_with_what_they_found():
    lines = lines_of(EQUAL, "changes == 0", "class[car].after < 3")

    assert lines[1] == ""
    assert [line.split("  ")[0] for line in lines[2:]] == ["STATE", "BROKEN", "ok"]
    assert "changes == 0: " in lines[3]
    assert "class[car].after < 3: " in lines[4]
