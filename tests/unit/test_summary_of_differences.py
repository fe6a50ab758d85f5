"""A difference that is handed on stays small, with what changed most in it."""

import json
from functools import cache
from typing import Any

import pytest

from airflow_sv_versioning.compare.records import (
    ClassDiff,
    DatasetDiff,
    Definition,
    FigureCounts,
    ProjectDiff,
    SideFacts,
    TagDiff,
    VersionDiff,
)
from airflow_sv_versioning.compare.rules import Judgement, Rule, judge
from airflow_sv_versioning.compare.summary import FORMAT, MAX_BYTES, summary

MANY = 10_000
SIDES: dict[str, Any] = {
    "project_type": "images",
    "before": SideFacts("version 1", 42, "signs", 310, 1, "00" * 32, {"images": 3, "figures": 6}),
    "after": SideFacts("version 2", 42, "signs", 311, 2, "11" * 32, {"images": 4, "figures": 8}),
}
SMALL = VersionDiff(
    **SIDES,
    figures=FigureCounts(added=2, reshaped=1, iou_mean=0.75, iou_min=0.75),
    by_class={"car": ClassDiff(6, 6), "bus": ClassDiff(0, 2, added=2)},
    by_dataset={"streets": DatasetDiff(3, 4, items_added=1, figures_before=6, figures_after=8)},
    by_tag={"quality": TagDiff(3, 3, changed=1)},
    project=ProjectDiff(classes=(Definition("bus", "added", after={"shape": "rectangle"}),)),
    not_compared=("images.meta",),
)


def size(value: Any) -> int:
    return len(json.dumps(value))


@cache
def large(name: str = "{0}") -> VersionDiff:
    """Make a difference of very many classes, datasets, tags and definitions; the last changed most."""
    names = [name.format(f"{number:05}") for number in range(MANY)]
    return VersionDiff(
        **SIDES,
        by_class={each: ClassDiff(number, 0, removed=number) for number, each in enumerate(names)},
        by_dataset={each: DatasetDiff(9, 9, items_changed=number) for number, each in enumerate(names)},
        by_tag={each: TagDiff(after=number, added=number) for number, each in enumerate(names)},
        project=ProjectDiff(classes=tuple(Definition(each, "changed", {"a": 1}, {"a": 2}) for each in names)),
    )


def test_a_small_difference_is_all_there_but_for_the_values_of_the_project():
    told = summary(SMALL)

    assert json.loads(json.dumps(told)) == told
    assert told == {
        **json.loads(json.dumps(SMALL.as_dict())),
        "format": FORMAT,
        "project": {
            "classes": [{"name": "bus", "change": "added"}],
            **{part: [] for part in ("tags", "settings", "readme", "custom_data", "description")},
        },
        "left_out": {},
    }
    assert list(told["by_class"]) == ["bus", "car"]


@pytest.mark.parametrize("name", ["{0}", "{0}" * 20, "Straße №{0} " * 5], ids=["short", "long", "not ASCII"])
def test_a_large_difference_is_cut_to_its_largest_changes(name: str):
    diff = large(name)

    told = summary(diff)

    assert MAX_BYTES - 2_000 < size(told) <= MAX_BYTES
    kept = {member: told[member] for member in ("by_class", "by_dataset", "by_tag")}
    kept["project.classes"] = told["project"]["classes"]
    for member, entries in kept.items():
        assert len(entries) > 10
        assert told["left_out"][member] == MANY - len(entries)
    # What fills the last bytes may be a smaller change, for a larger one did not fit.
    largest = sorted(diff.by_class, reverse=True)
    assert list(told["by_class"])[:-3] == largest[: len(told["by_class"]) - 3]


@pytest.mark.parametrize("max_bytes", [4_000, 10_000, MAX_BYTES])
def test_no_bound_is_passed(max_bytes: int):
    assert size(summary(large(), max_bytes=max_bytes)) <= max_bytes


def test_what_is_few_leaves_its_room_to_what_is_many():
    many = large()
    diff = VersionDiff(**SIDES, by_class=many.by_class, by_tag=SMALL.by_tag)

    told = summary(diff)

    assert told["by_tag"].keys() == SMALL.by_tag.keys()
    assert size(told["by_class"]) > 40_000
    assert told["left_out"].keys() == {"by_class"}


def test_a_name_that_takes_all_room_hides_no_other():
    diff = VersionDiff(**SIDES, by_class={"x" * MAX_BYTES: ClassDiff(added=9), "car": ClassDiff(added=1)})

    told = summary(diff)

    assert told["by_class"].keys() == {"car"}
    assert told["left_out"] == {"by_class": 1}


def test_values_of_the_project_take_no_room():
    readme = Definition("readme", "changed", "x" * MAX_BYTES, "y" * MAX_BYTES)

    told = summary(VersionDiff(**SIDES, project=ProjectDiff(readme=(readme,))))

    assert told["project"]["readme"] == [{"name": "readme", "change": "changed"}]
    assert (told["equal"], size(told) < 3_000) == (False, True)


def judged(*rules: str) -> tuple[Judgement, ...]:
    return judge(map(Rule.parse, rules), SMALL)


def test_rules_are_told_broken_ones_first():
    told = summary(SMALL, {"fail_if": judged("class[car].removed > 0", "figures.added > 1"), "skip_if": ()})

    assert [(rule["rule"], rule["broken"]) for rule in told["fail_if"]] == [
        ("figures.added > 1", True),
        ("class[car].removed > 0", False),
    ]
    assert told["fail_if"][0]["value"] == 2
    assert told["fail_if"][0]["of"] == 6
    assert told["fail_if"][0]["message"].startswith("figures.added > 1: 2 figures were added")
    assert told["skip_if"] == []


def test_rules_have_room_before_all_else_and_are_cut_too():
    kept = [f"class?[{number}].removed > 0" for number in range(1_000)]

    told = summary(large(), {"fail_if": judged(*kept, "figures.added > 1")})

    assert told["fail_if"][0]["broken"]
    assert told["left_out"]["fail_if"] == 1_001 - len(told["fail_if"])
    assert size(told) <= MAX_BYTES
