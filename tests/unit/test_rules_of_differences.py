"""Rules over a difference: how they are read, what breaks them, and what is said of wrong ones."""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_sv_versioning.compare.measures import PARTS
from airflow_sv_versioning.compare.records import (
    ClassDiff,
    DatasetCounts,
    DatasetDiff,
    Definition,
    FigureCounts,
    ItemCounts,
    ProjectDiff,
    SideFacts,
    TagCounts,
    TagDiff,
    VersionDiff,
)
from airflow_sv_versioning.compare.rule_syntax import MeasurePath
from airflow_sv_versioning.compare.rules import Rule, check_unbroken, judge
from airflow_sv_versioning.exceptions import ConfigurationError, RuleBrokenError

PROPERTY = settings(derandomize=True, database=None, deadline=None)
PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
COUNTS = {"datasets": 4, "videos": 200, "objects": 50, "figures": 3000, "tags": 10}
SIGNS = ["<", "<=", ">", ">=", "==", "!="]
DIFF = VersionDiff(
    "videos",
    SideFacts("version 3", counts=COUNTS),
    SideFacts("version 5"),
    datasets=DatasetCounts(renamed=1),
    items=ItemCounts(added=3, removed=2),
    figures=FigureCounts(added=10, removed=120, reshaped=2, reordered=4, iou_mean=0.6, iou_min=0.3),
    objects=FigureCounts(relabelled=1),
    tags=TagCounts(added=7),
    by_class={"car": ClassDiff(500, 480, 0, 20, 2, iou_mean=0.6, iou_min=0.3), "a]b": ClassDiff(0, 6, 6)},
    by_dataset={"streets/night": DatasetDiff(200, 201, 3, 2, 0, 3000, 2890)},
    by_tag={'12" wheel': TagDiff(3, 10, 7)},
    project=ProjectDiff(
        classes=(Definition("bus", "removed"), Definition("tram", "added")),
        settings=(Definition("labelingInterface", "added"), Definition("tagging", "changed")),
    ),
)
EQUAL = VersionDiff("videos", SideFacts("version 3"), SideFacts("version 5"))


def broken(text: str, diff: VersionDiff = DIFF) -> bool:
    return Rule.parse(text).judge(diff).broken


def message(text: str, diff: VersionDiff = DIFF) -> str:
    said = Rule.parse(text).judge(diff).message
    assert said.startswith(f"{Rule.parse(text)}: ")
    return said.partition(": ")[2]


@pytest.mark.parametrize(
    ("rule", "is_broken"),
    [
        ("figures.removed > 2%", True),
        ("figures.removed > 4%", False),
        ("figures.removed >= 4%", True),
        ("classes.removed > 0", True),
        ("classes.renamed > 0", False),
        ("class[car].after < 500", True),
        ("class[car].after < 480", False),
        ("class[car].after < 97%", True),
        ("figures.reshaped.iou_min < 0.5", True),
        ("figures.reshaped.iou_mean < 0.5", False),
        ("class[car].reshaped.iou_min < 0.5", True),
        ("items.added == 0", False),
        ("items.added == 3", True),
        ("items.added != 3", False),
        ("items.added > 1.5%", False),
        ("items.added >= 1.5%", True),
        ("objects.relabelled == 2%", True),
        ("datasets.renamed == 25%", True),
        ("tags.added > 69.9%", True),
        ('tag["12"" wheel"].added <= 233%', False),
        ("dataset[streets/night].items_added > 1.4%", True),
        ("dataset[streets/night].figures_after < 97%", True),
        ("settings.changed == 2", True),
        ("changes > 0", True),
        ("changes == 154", True),
    ],
)
def test_a_rule_is_broken_where_what_it_says_is_so(rule: str, is_broken: bool) -> None:
    assert broken(rule) is is_broken


def test_all_comparisons_compare() -> None:
    signs = {sign: [broken(f"items.added {sign} {number}") for number in (2, 3, 4)] for sign in SIGNS}

    assert signs == {
        "<": [False, False, True],
        "<=": [False, True, True],
        ">": [True, False, False],
        ">=": [True, True, False],
        "==": [False, True, False],
        "!=": [True, False, True],
    }


def test_equal_sides_have_no_changes() -> None:
    assert broken("changes == 0", EQUAL)
    assert not broken("changes > 0", EQUAL)


def test_a_rule_is_taken_apart() -> None:
    rule = Rule.parse("class?[car].removed>=2.50 %")

    assert rule == Rule(
        "class?[car].removed >= 2.5%",
        MeasurePath("class", "removed", "car", True),
        ">=",
        Decimal("2.5"),
        True,
    )


@pytest.mark.parametrize(
    "text",
    ["figures.removed>2%", " figures . removed\n>  02.00 % ", "figures.removed > 2 %"],
)
def test_spellings_of_one_rule_are_one_rule(text: str) -> None:
    assert Rule.parse(text) == Rule.parse("figures.removed > 2%")
    assert str(Rule.parse(text)) == "figures.removed > 2%"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("figures.removed > 2%", "120 of 3,000 figures were removed (4 %)"),
        ("figures.removed > 5", "120 of 3,000 figures were removed (4 %)"),
        ("figures.added > 0", "10 figures were added, 3,000 were there before (0.33 %)"),
        ("figures.reordered > 0", "4 of 200 items have figures or objects in another order (2 %)"),
        ("figures.reshaped.iou_min < 0.5", "the smallest IoU of reshaped figures is 0.3"),
        ("figures.reshaped.iou_mean < 0.5", "the mean IoU of reshaped figures is 0.6"),
        ("class[car].before > 0", "500 figures of class 'car' were there before"),
        ("class[car].after < 500", "480 figures of class 'car' are there now, 500 were there before (96 %)"),
        (
            'class["a]b"].added > 0',
            "6 figures of class 'a]b' were added, 0 were there before (infinite %)",
        ),
        (
            "dataset[streets/night].items_removed > 0",
            "2 of 200 items of dataset 'streets/night' were removed (1 %)",
        ),
        ("classes.removed > 0", "1 classes were removed"),
        ("settings.changed > 0", "2 settings were changed"),
        ("changes > 0", "154 things were changed"),
    ],
)
def test_a_judgement_says_the_number_in_words(rule: str, said: str) -> None:
    assert message(rule) == said


def test_a_percentage_that_is_tiny_is_not_said_to_be_none() -> None:
    diff = VersionDiff(
        "images", SideFacts("a", counts={"images": 1_000_000}), SideFacts("b"), items=ItemCounts(removed=1)
    )

    assert message("items.removed > 0", diff) == "1 of 1,000,000 items were removed (below 0.01 %)"


def test_rules_are_judged_each_by_itself_in_their_order() -> None:
    rules = [Rule.parse(text) for text in ("items.removed > 5%", "figures.removed > 2%")]

    judgements = judge(rules, DIFF)

    assert [(each.rule, each.broken, each.value, each.of) for each in judgements] == [
        (rules[0], False, 2, 200),
        (rules[1], True, 120, 3000),
    ]


def test_broken_rules_are_one_error_that_tells_all_of_them() -> None:
    rules = [Rule.parse(text) for text in ("items.added > 0", "items.added > 5%", "classes.removed > 0")]
    added, classes = (
        "items.added > 0: 3 items were added, 200 were there before (1.5 %)",
        "classes.removed > 0: 1 classes were removed",
    )

    with pytest.raises(RuleBrokenError) as caught:
        check_unbroken(judge(rules, DIFF))

    assert str(caught.value) == f"2 rules are broken. {added}; {classes}."
    assert caught.value.broken == [added, classes]
    assert not caught.value.transient


def test_one_broken_rule_is_one_error() -> None:
    with pytest.raises(RuleBrokenError, match=r"^A rule is broken\. figures\.removed > 2%: 120 of 3,000"):
        check_unbroken(judge([Rule.parse("figures.removed > 2%")], DIFF))


def test_rules_that_are_not_broken_let_pass() -> None:
    check_unbroken(judge([Rule.parse("figures.removed > 4%")], DIFF))
    check_unbroken(judge([], DIFF))


@pytest.mark.parametrize(
    ("sign", "of_nothing_came", "of_something"),
    [
        (">", False, True),
        (">=", True, True),
        ("<", False, False),
        ("<=", True, False),
        ("==", True, False),
        ("!=", False, True),
    ],
)
def test_of_nothing_nothing_is_0_percent_and_anything_infinitely_much(
    sign: str, of_nothing_came: bool, of_something: bool
) -> None:
    assert broken(f"figures.added {sign} 0%", EQUAL) is of_nothing_came
    assert broken(f'class["a]b"].added {sign} {"9" * 18}%') is of_something


def test_a_table_that_the_project_type_lacks_has_no_rows() -> None:
    diff = VersionDiff("images", SideFacts("a", counts={"images": 3, "figures": 9}), SideFacts("b"))

    assert message("objects.removed > 2%", diff) == "0 of 0 objects were removed (0 %)"


def test_percentages_are_exact() -> None:
    # 100 * 7 / 1000 is 0.7000000000000001 in floats of another order.
    diff = VersionDiff(
        "images", SideFacts("a", counts={"figures": 1000}), SideFacts("b"), figures=FigureCounts(removed=7)
    )
    assert broken("figures.removed == 0.7%", diff)
    assert not broken("figures.removed > 0.7%", diff)
    assert broken("figures.removed > 0.699999999999999999%", diff)


def test_an_iou_is_compared_as_the_float_that_it_is() -> None:
    assert broken("figures.reshaped.iou_min == 0.3")
    assert not broken("figures.reshaped.iou_min < 0.3")


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("measure", ["figures.reshaped.iou_min", "class[x].reshaped.iou_mean"])
def test_an_iou_that_does_not_exist_breaks_no_rule(sign: str, measure: str) -> None:
    judgement = Rule.parse(f"{measure} {sign} 1").judge(EQUAL)

    assert (judgement.broken, judgement.value, judgement.of) == (False, None, None)
    assert judgement.message.endswith(": does not apply, nothing with an area was reshaped")


def test_a_rule_of_an_optional_name_that_is_not_there_does_not_apply() -> None:
    judgement = Rule.parse("class?[bike].after < 500").judge(DIFF)

    assert (judgement.broken, judgement.value) == (False, 0)
    assert judgement.message == "class?[bike].after < 500: does not apply, there is no class 'bike'"


def test_a_rule_of_an_optional_name_that_is_there_does() -> None:
    assert broken("class?[car].after < 500")
    assert broken("dataset?[streets/night].items_removed > 0")
    assert broken('tag?["12"" wheel"].after > 9')


def test_a_class_without_figures_on_either_side_has_none() -> None:
    assert broken("class[bike].after < 500")


def test_names_are_checked_against_what_both_sides_have() -> None:
    for text in (
        "class[car].after < 5",
        "tag[ok].added > 0",
        "dataset[a/b].items_added > 0",
        "figures.added > 0",
    ):
        Rule.parse(text).check_names({"car"}, {"ok"}, {"a/b"})
    for text in ("class?[x].after < 5", "tag?[x].added > 0", "dataset?[x].items_added > 0"):
        Rule.parse(text).check_names(set(), set(), set())


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            "class[cra].after < 5",
            "neither side has a class 'cra'; known are 'bus', 'car'. "
            "Where it need not be there, write class?[cra].after.",
        ),
        (
            "tag[car].added > 0",
            "neither side has a tag 'car'; known are none. "
            "Where it need not be there, write tag?[car].added.",
        ),
        (
            "dataset[d].items_added > 0",
            "neither side has a dataset 'd'; known are 'd00', 'd01', 'd02', 'd03', 'd04', 'd05', 'd06', "
            "'d07', 'd08', 'd09' and 1,990 more. Where it need not be there, write dataset?[d].items_added.",
        ),
    ],
)
def test_a_name_that_neither_side_has_is_refused_with_those_that_are_known(rule: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Rule.parse(rule).check_names(["car", "bus"], [], [f"d{number:02}" for number in range(2000)])

    assert str(caught.value) == f"Rule '{rule}': {said}"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("[car]", "car"),
        ("[ to check ]", "to check"),
        ("[streets/night (2)]", "streets/night (2)"),
        (r"[a\b]", r"a\b"),
        ("[?]", "?"),
        ('["a]b"]', "a]b"),
        ('["a[0]"]', "a[0]"),
        ('[ "12"" wheel" ]', '12" wheel'),
        ('[""""]', '"'),
        ('[" car "]', " car "),
        (r'["a\"]', "a\\"),
        ('["машина\n"]', "машина\n"),
    ],
)
def test_names_in_brackets_are_plain_or_quoted(written: str, name: str) -> None:
    rule = Rule.parse(f"class{written}.added > 0")

    assert rule.path.name == name
    assert Rule.parse(str(rule)) == rule


PARTS_TOLD = (
    "datasets, items, figures, objects, tags, class[name], tag[name], dataset[name], "
    "classes, settings, changes"
)
FIGURES_TOLD = (
    "added, removed, reshaped, relabelled, attributes, reordered, reshaped.iou_mean, reshaped.iou_min"
)
SIGNS_TOLD = "known are <, <=, >, >=, ==, !="
NUMBER_TOLD = (
    "a number must stand here that is not negative, in plain digits, at most 18 before and behind the dot, "
    "such as 1000, 0.5 or 2%"
)
CLOSE_TOLD = (
    "the bracket must be closed here; a name with brackets or double quotes is put in double quotes, with "
    'its own written twice, as in ["a]b"] and ["12"" wheel"]'
)


@pytest.mark.parametrize(
    ("rule", "place", "said"),
    [
        ("", None, f"what a rule can be about must stand here; known are {PARTS_TOLD}"),
        ("> 2", 1, f"what a rule can be about must stand here; known are {PARTS_TOLD}"),
        ("images.added > 0", 1, f"'images' is not what a rule can be about; known are {PARTS_TOLD}"),
        (" Figures.added > 0", 2, f"'Figures' is not what a rule can be about; known are {PARTS_TOLD}"),
        ("figures", None, f"a dot must follow figures, and one of {FIGURES_TOLD}"),
        ("figures > 2", 9, f"a dot must follow figures, and one of {FIGURES_TOLD}"),
        ("figures.", None, f"a measure of figures must stand here; known are {FIGURES_TOLD}"),
        ("figures.remved > 2%", 9, f"'remved' is not a measure of figures; known are {FIGURES_TOLD}"),
        ("figures.iou_min < 1", 9, f"'iou_min' is not a measure of figures; known are {FIGURES_TOLD}"),
        (
            "figures[car].added > 0",
            8,
            "figures takes no name in brackets; known with one are class[name], tag[name], dataset[name]",
        ),
        (
            "tag[x].renamed > 0",
            8,
            "'renamed' is not a measure of tag[x]; known are before, after, added, removed, changed",
        ),
        ("settings.added > 0", 10, "'added' is not a measure of settings; known are changed"),
        ("class.added > 0", 6, "a name in brackets must follow, as in class[name]"),
        ("class?.added > 0", 7, "a name in brackets must follow, as in class[name]"),
        (
            "class[].added > 0",
            7,
            "a name must stand in the brackets; one with brackets in it is put in double quotes",
        ),
        ("class[car.added > 0", None, CLOSE_TOLD),
        ("class[a[0]].added > 0", 8, CLOSE_TOLD),
        ('class[12" wheel].added > 0', 9, CLOSE_TOLD),
        ('class["a"b"].added > 0', 10, CLOSE_TOLD),
        ('class["a].added > 0', 7, "these double quotes must be closed; one in a name is written twice"),
        ("changes", None, f"how changes is compared must stand here; {SIGNS_TOLD}"),
        ("changes.added > 0", 8, f"how changes is compared must stand here; {SIGNS_TOLD}"),
        ("items.added = 0", 13, f"'=' is not how items.added is compared; {SIGNS_TOLD}"),
        ("items.added => 0", 13, f"'=>' is not how items.added is compared; {SIGNS_TOLD}"),
        ("items.added >", None, NUMBER_TOLD),
        ("items.added > -1", 15, NUMBER_TOLD),
        ("items.added > 1,000", 15, NUMBER_TOLD),
        ("items.added > 1e3", 15, NUMBER_TOLD),
        ("items.added > .5", 15, NUMBER_TOLD),
        ("items.added > \uff12", 15, NUMBER_TOLD),
        (f"items.added > {'9' * 19}", 15, NUMBER_TOLD),
        (f"items.added > 0.{'9' * 19}", 15, NUMBER_TOLD),
        ("items.added > %", 15, NUMBER_TOLD),
        ("items.added > 2%%", 17, "the rule must end here"),
        ("items.added > 2 or", 17, "the rule must end here"),
        *(
            (
                f"{path} > 1%",
                len(path) + 5,
                f"nothing is known that {path} could be a percentage of; write a number alone",
            )
            for path in (
                "classes.removed",
                "settings.changed",
                "changes",
                "figures.reshaped.iou_min",
                "class[car].before",
                "tag[x].before",
                "dataset[d].items_before",
                "dataset[d].figures_before",
            )
        ),
        (
            "figures.reshaped.iou_min < 50",
            28,
            "figures.reshaped.iou_min is from 0 to 1, so a number up to 1 must stand here",
        ),
    ],
)
def test_a_wrong_rule_is_refused_with_the_place_and_what_would_be_right(
    rule: str, place: int | None, said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Rule.parse(rule)

    where = f"at character {place}" if place else "at its end"
    assert str(caught.value) == f"Rule {rule!r}, {where}: {said}."


@pytest.mark.parametrize("value", [None, 5, b"items.added > 0", ["items.added > 0"]])
def test_what_is_no_text_is_no_rule(value) -> None:
    with pytest.raises(ConfigurationError, match=f"must be a text such as .* not {type(value).__name__}"):
        Rule.parse(value)


def cut(text: str) -> st.SearchStrategy[str]:
    return st.integers(0, len(text)).map(lambda at: text[:at] + text[at + 1 :])


@st.composite
def rules(draw: st.DrawFn) -> str:
    word = draw(st.sampled_from(sorted(PARTS)))
    takes_name = PARTS[word].named is not None
    names = st.text(min_size=1) | st.text(alphabet='a"[] \n\\.?', min_size=1)
    path = MeasurePath(
        word,
        draw(st.sampled_from(sorted(PARTS[word].measures))),
        draw(names) if takes_name else "",
        takes_name and draw(st.booleans()),
    )
    counts = st.from_regex(r"[0-9]{1,18}([.][0-9]{1,18})?", fullmatch=True)
    number = draw(st.sampled_from(["0", "1", "0.50"]) if path.find().is_iou else counts)
    percent = "%" if path.find().before and draw(st.booleans()) else ""
    return f"{path} {draw(st.sampled_from(SIGNS))} {number}{percent}"


@settings(PROPERTY)
@given(rules())
def test_every_rule_is_written_as_it_is_read_and_can_be_judged(text: str) -> None:
    rule = Rule.parse(text)

    assert Rule.parse(str(rule)) == rule
    for diff in (DIFF, EQUAL):
        judgement = rule.judge(diff)
        assert judgement.message.startswith(f"{rule}: ")
        assert not (judgement.value is None and judgement.broken)


@settings(PROPERTY)
@given(st.one_of(st.text(), st.text(alphabet='class?["]. figuresadded<>=!0123456789%'), rules().flatmap(cut)))
def test_any_text_is_a_rule_or_a_usage_error(text: str) -> None:
    with suppress(ConfigurationError):
        rule = Rule.parse(text)
        assert Rule.parse(str(rule)) == rule


@pytest.mark.parametrize(
    "text", ['class["' + '"' * 100_000, "0" * 100_000, "items.added > " + "0" * 100_000 + "x"]
)
def test_a_long_text_is_refused_like_a_short_one(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Rule.parse(text)


def test_the_page_tells_every_word() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [row.split("|") for row in page.splitlines() if row.count("|") == 4]
    told = {
        part: set(re.findall(r"`([\w.]+)`", row[2]))
        for row in rows
        for part in re.findall(r"`(\w+)(?:\[\w+\])?`", row[1])
    }

    assert told == {word: set(part.measures) - {""} for word, part in PARTS.items()}


def test_rules_of_the_page_are_rules() -> None:
    for text in re.findall(r"^\| `([^`]+ [<>=!]+ [^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        assert str(Rule.parse(text)) == text
