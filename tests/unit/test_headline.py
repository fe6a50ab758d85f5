"""A comparison in one sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_sv_versioning.compare.records import (
    ClassDiff,
    DatasetCounts,
    Definition,
    FigureCounts,
    ItemCounts,
    ProjectDiff,
    SideFacts,
    TagCounts,
    VersionDiff,
)
from airflow_sv_versioning.compare.texts import headline

BEFORE = SideFacts("version 3", 42, "roads", 311, 3)
AFTER = SideFacts("version 5", 42, "roads", 340, 5)
COPY = SideFacts("live", 77, "roads, from ver. 3")
FILE = SideFacts("archive backup.tar.zst")
EQUAL = VersionDiff("images", BEFORE, AFTER)


def told(**changes: object) -> str:
    """Give what follows the names of the sides."""
    text = headline(replace(EQUAL, **changes))  # type: ignore[arg-type]
    start = "Version 5 against version 3 of project 42 'roads': "
    assert text.startswith(start)
    return text.removeprefix(start)


def test_nothing_changed_is_said() -> None:
    assert told() == "nothing changed."


def test_a_day_of_work_is_one_sentence() -> None:
    by_class = {
        "bus": ClassDiff(20, 16, relabelled_in=10, relabelled_out=14),
        "car": ClassDiff(40, 19, relabelled_in=10, relabelled_out=31),
        "tram": ClassDiff(0, 25, relabelled_in=25),
    }

    assert headline(
        replace(
            EQUAL,
            items=ItemCounts(added=120, removed=3),
            figures=FigureCounts(relabelled=45),
            by_class=by_class,
        )
    ) == (
        "Version 5 against version 3 of project 42 'roads': +120 images, 3 removed; "
        "45 figures relabelled (car 31, bus 14)."
    )


def test_one_of_each_is_told_in_words() -> None:
    one = FigureCounts(1, 1, 1, 1, 1, 1)
    definition = Definition("car", "added")
    assert told(
        items=ItemCounts(1, 1, 1, 1, 1, 1),
        figures=one,
        objects=one,
        tags=TagCounts(1, 1, 1),
        datasets=DatasetCounts(1, 1, 1, 1),
        project=ProjectDiff(
            classes=(definition,),
            tags=(definition,),
            settings=(definition,),
            readme=(Definition("readme", "changed"),),
            custom_data=(Definition("custom_data", "removed"),),
        ),
    ) == (
        "+1 image, 1 removed, 1 renamed, 1 moved, 1 replaced, 1 changed; "
        "+1 figure, 1 removed, 1 relabelled, 1 reshaped, 1 with other attributes; "
        "figures in another order on 1 image; "
        "+1 object, 1 removed, 1 relabelled, 1 reshaped, 1 with other attributes; "
        "objects in another order on 1 image; "
        "+1 tag, 1 removed, 1 changed; +1 dataset, 1 removed, 1 renamed, 1 changed; "
        "of the project itself 1 class added, 1 tag added, 1 setting added, the readme changed, "
        "the custom data removed."
    )


def test_the_first_count_of_a_thing_names_it() -> None:
    assert told(items=ItemCounts(changed=1200), figures=FigureCounts(reshaped=2, reordered=2)) == (
        "1,200 images changed; 2 figures reshaped; figures in another order on 2 images."
    )


def test_many_definitions_of_one_kind_are_counted() -> None:
    classes = tuple(Definition(name, "added") for name in "abc")

    assert told(project=ProjectDiff(classes=classes)) == "of the project itself 3 classes added."


def test_of_many_classes_the_first_are_named_and_the_others_counted() -> None:
    by_class = {f"class {number}": ClassDiff(relabelled_out=number) for number in range(1_008)}

    text = told(figures=FigureCounts(relabelled=sum(range(1_008))), by_class=by_class)

    named = "class 1007 1,007, class 1006 1,006, class 1005 1,005, and 1,004 more"
    assert text == f"507,528 figures relabelled ({named})."


def test_classes_are_not_named_where_objects_took_figures_along() -> None:
    by_class = {"car": ClassDiff(3, 0, relabelled_out=3), "bus": ClassDiff(0, 3, relabelled_in=3)}

    text = told(
        project_type="videos",
        figures=FigureCounts(relabelled=1),
        objects=FigureCounts(relabelled=1),
        by_class=by_class,
    )

    assert text == "1 figure relabelled; 1 object relabelled."


@pytest.mark.parametrize("name", ["a\nb", "n" * 300], ids=["two lines", "long"])
def test_a_name_stays_in_its_line(name: str) -> None:
    by_class = {name: ClassDiff(1, relabelled_out=1)}

    text = told(figures=FigureCounts(relabelled=1), by_class=by_class)

    assert len(text.splitlines()) == 1
    assert len(text) < 100


@pytest.mark.parametrize(
    ("before", "after", "sides"),
    [
        (
            BEFORE,
            COPY,
            "The live state of project 77 'roads, from ver. 3' against version 3 of project 42 'roads'",
        ),
        (BEFORE, replace(COPY, project_id=42), "The live state against version 3 of project 42 'roads'"),
        (FILE, AFTER, "Version 5 of project 42 'roads' against archive backup.tar.zst"),
        (FILE, FILE, "Archive backup.tar.zst against archive backup.tar.zst"),
        (replace(BEFORE, project_name=None), AFTER, "Version 5 against version 3 of project 42"),
    ],
)
def test_each_side_is_named_with_its_project_where_that_is_another_one(
    before: SideFacts, after: SideFacts, sides: str
) -> None:
    assert headline(VersionDiff("images", before, after)) == f"{sides}: nothing changed."
