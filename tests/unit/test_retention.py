"""Which versions a policy keeps, and why."""

import random
from datetime import datetime, timedelta, timezone

import pendulum
import pytest

from airflow_sv_versioning.exceptions import ConfigurationError, RetentionRefusedError
from airflow_sv_versioning.vault.retention.decide import Decision, check_removals, decide
from airflow_sv_versioning.vault.retention.periods import Span
from airflow_sv_versioning.vault.retention.policy import RetentionPolicy
from airflow_sv_versioning.vault.retention.rules import Candidate

NOW = pendulum.datetime(2026, 11, 30, 12)
SUNDAYS = [pendulum.datetime(2019, 9, 1, 11).add(weeks=week) for week in range(12)]


def made(*moments: datetime | None, **more) -> list[Candidate]:
    return [
        Candidate(version_id=number + 100, version_num=number, made_at=moment, **more)
        for number, moment in enumerate(moments, 1)
    ]


def kept(decisions: tuple[Decision, ...]) -> list[int]:
    return sorted(decision.version.version_num for decision in decisions if decision.keep)


def reasons_of(number: int, decisions: tuple[Decision, ...]) -> tuple[str, ...]:
    return next(decision.reasons for decision in decisions if decision.version.version_num == number)


# --- the examples that restic's page on `forget` has, as Source: restic.readthedocs.io, 060_forget ----------


def test_four_days_of_twelve_sundays_are_the_last_four():
    assert kept(decide(made(*SUNDAYS), RetentionPolicy(keep_daily=4), NOW)) == [9, 10, 11, 12]


def test_a_hundred_years_of_days_become_those_of_the_documented_policy():
    last = datetime(2025, 12, 31, 11, tzinfo=timezone.utc)
    all_days = [last - timedelta(days=day) for day in reversed(range(100 * 365))]
    # Of years long ago only the month that has the last day: the others cost seconds, and never stay.
    days = [day for day in all_days if day.month == 12 or day.year > 2023]
    policy = RetentionPolicy(keep_daily=7, keep_weekly=5, keep_monthly=12, keep_yearly=75)

    decisions = [decision for decision in decide(made(*days), policy, NOW) if decision.keep]

    ruled = {
        word: sum(any(word in why for why in decision.reasons) for decision in decisions)
        for word in ("daily", "weekly", "monthly", "yearly")
    }
    assert ruled == {"daily": 7, "weekly": 5, "monthly": 12, "yearly": 75}
    # The last day of the last week, month and year is that of the last seven days, as is one Sunday; the
    # last day of the last month is that of the last year.
    assert len(decisions) == 7 + (5 - 2) + (12 - 1) + (75 - 1)


def test_a_span_counts_back_from_the_newest_version_and_not_from_now():
    newest = pendulum.datetime(2020, 7, 31, 12)
    moments = [newest.subtract(years=2, months=5, days=7, hours=hours) for hours in (4, 3, 2)]

    decisions = decide(made(*moments, newest), RetentionPolicy(keep_within=Span(2, 5, 7, 3)), NOW)

    assert kept(decisions) == [3, 4]


# --- rules --------------------------------------------------------------------------------------------------


def test_a_version_stays_that_one_rule_wants_and_each_rule_counts_by_itself():
    policy = RetentionPolicy(keep_last=2, keep_monthly=3)

    decisions = decide(made(*SUNDAYS), policy, NOW)

    assert kept(decisions) == [5, 9, 11, 12]
    assert reasons_of(12, decisions) == (
        "it is the newest",
        "keep_last 2",
        "keep_monthly 3: the newest of 2019-11",
    )
    assert reasons_of(10, decisions) == ("no rule keeps it",)


@pytest.mark.parametrize("count", [13, "unlimited"])
def test_a_rule_that_is_not_full_keeps_the_oldest_too(count):
    twice = [moment.add(hours=hours) for moment in SUNDAYS for hours in (0, 1)]

    decisions = decide(made(*twice), RetentionPolicy(keep_weekly=count), NOW)

    assert kept(decisions) == [1, *range(2, 25, 2)]
    assert reasons_of(1, decisions) == (f"keep_weekly {count}: the oldest, for the rule is not full",)


def test_a_rule_that_is_full_does_not_keep_the_oldest():
    twice = [moment.add(hours=hours) for moment in SUNDAYS for hours in (0, 1)]

    assert kept(decide(made(*twice), RetentionPolicy(keep_weekly=12), NOW)) == list(range(2, 25, 2))


def test_weeks_are_those_that_begin_on_monday_and_belong_to_the_year_of_their_thursday():
    moments = [
        pendulum.datetime(2020, 12, 28),
        pendulum.datetime(2021, 1, 3, 23),
        pendulum.datetime(2021, 1, 4),
    ]

    decisions = decide(made(*moments), RetentionPolicy(keep_weekly=2), NOW)

    assert kept(decisions) == [2, 3]
    assert reasons_of(2, decisions) == ("keep_weekly 2: the newest of 2020-W53",)


def test_hours_are_those_of_utc_so_the_hour_that_clocks_show_twice_is_two():
    before_clocks_went_back = pendulum.datetime(2019, 10, 27, 0, 30)
    moments = [before_clocks_went_back.add(minutes=minutes) for minutes in (0, 10, 60, 70)]

    decisions = decide(made(*moments), RetentionPolicy(keep_hourly=2), NOW, "Europe/Rome")

    assert kept(decisions) == [2, 4]


def test_days_are_those_of_the_zone():
    moments = [pendulum.datetime(2019, 6, 1, 21, 30), pendulum.datetime(2019, 6, 1, 22, 30)]

    assert kept(decide(made(*moments), RetentionPolicy(keep_daily=2), NOW, "Europe/Rome")) == [1, 2]
    assert kept(decide(made(*moments), RetentionPolicy(keep_daily=1), NOW, "UTC")) == [2]


def test_titles_are_patterns_whose_case_matters():
    versions = [
        Candidate(version_id=number, version_num=number, title=title, made_at=SUNDAYS[number])
        for number, title in enumerate(["release 1", "Release 2", "a release 3", "nightly", "nightly"])
    ]

    decisions = decide(versions, RetentionPolicy(keep_titles=("release *",)), NOW)

    assert kept(decisions) == [0, 4]
    assert reasons_of(0, decisions) == ("keep_titles 'release *'",)


def test_the_order_of_what_comes_in_does_not_count_and_the_newest_comes_out_first():
    versions = made(*SUNDAYS)
    mixed = random.Random(1).sample(versions, len(versions))

    decisions = decide(mixed, RetentionPolicy(keep_daily=4), NOW)

    assert decisions == decide(versions, RetentionPolicy(keep_daily=4), NOW)
    assert [decision.version.version_num for decision in decisions] == list(range(12, 0, -1))


# --- what no policy removes ---------------------------------------------------------------------------------


def test_what_is_younger_than_seven_days_stays():
    moments = [NOW.subtract(days=7), NOW.subtract(days=7).add(seconds=1), NOW.subtract(hours=1), NOW]

    decisions = decide(made(*moments), RetentionPolicy(keep_last=1), NOW)

    assert kept(decisions) == [2, 3, 4]
    assert reasons_of(2, decisions) == ("it is younger than 7 days",)


def test_what_comes_from_the_future_or_has_no_moment_stays_and_takes_nobodys_place():
    moments = [*SUNDAYS[:3], NOW.add(seconds=1), None]

    decisions = decide(made(*moments), RetentionPolicy(keep_last=2, keep_yearly=1), NOW)

    assert kept(decisions) == [2, 3, 4, 5]
    assert reasons_of(4, decisions) == ("it comes from the future",)
    assert reasons_of(5, decisions) == ("it is the newest", "nobody knows when it was made")


def test_the_newest_by_number_and_by_moment_stay_where_clocks_differ():
    versions = made(*reversed(SUNDAYS))

    assert kept(decide(versions, RetentionPolicy(keep_titles="none"), NOW)) == [1, 12]


def test_what_is_used_or_protected_stays_and_says_why():
    versions = [
        *made(SUNDAYS[0], uses=("project 7 was restored from it",)),
        *(Candidate(version_id=2, version_num=2, made_at=SUNDAYS[1], protections=("held by ann: audit",)),),
        *(Candidate(version_id=3, version_num=3, made_at=SUNDAYS[2]),),
        *(Candidate(version_id=4, version_num=4, made_at=SUNDAYS[3]),),
    ]

    decisions = decide(versions, RetentionPolicy(keep_last=1), NOW)

    assert kept(decisions) == [1, 2, 4]
    assert reasons_of(1, decisions) == ("project 7 was restored from it",)
    assert reasons_of(2, decisions) == ("held by ann: audit",)


def test_a_policy_may_be_that_what_is_used_stays():
    used, *others = made(*SUNDAYS[:2], uses=("project 7 was restored from it",))
    others += [Candidate(version_id=9, version_num=9, made_at=SUNDAYS[-1])]
    policy = RetentionPolicy(keep_used=True)

    decisions = decide([used, *others], policy, NOW)

    assert reasons_of(1, decisions) == ("project 7 was restored from it", "keep_used")
    check_removals(decisions, policy)


def test_no_versions_are_no_fault():
    decisions = decide([], RetentionPolicy(keep_last=1), NOW)

    check_removals(decisions, RetentionPolicy(keep_last=1))
    assert decisions == ()


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [{}, {"keep_last": 0}, {"keep_last": "0", "keep_titles": []}])
def test_a_policy_without_rules_is_refused(rules):
    with pytest.raises(ConfigurationError, match="has no rule"):
        RetentionPolicy.parse(rules)


@pytest.mark.parametrize("allow", ["nothing", "half"])
def test_rules_that_keep_nothing_are_refused_whatever_is_allowed(allow):
    policy = RetentionPolicy(keep_titles="relaese *")
    decisions = decide(made(*SUNDAYS), policy, NOW)

    with pytest.raises(RetentionRefusedError, match="keeps none of 12 versions") as caught:
        check_removals(decisions, policy, allow)
    assert caught.value.context["version_nums"] == list(range(11, 0, -1))


def test_more_than_half_go_if_that_is_allowed_alone():
    policy = RetentionPolicy(keep_last=5)
    decisions = decide(made(*SUNDAYS), policy, NOW)

    with pytest.raises(RetentionRefusedError, match=r"remove 7 of 12 versions.*allow='half'"):
        check_removals(decisions, policy)
    check_removals(decisions, policy, "half")
    check_removals(decide(made(*SUNDAYS), RetentionPolicy(keep_last=6), NOW), policy)


def test_a_zone_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match="no time zone 'Mars'"):
        decide(made(*SUNDAYS), RetentionPolicy(keep_last=1), NOW, "Mars")


# --- how a policy is written --------------------------------------------------------------------------------


def test_a_policy_is_read_as_people_and_templates_write_it():
    policy = RetentionPolicy.parse(
        {
            "keep_last": "3",
            "keep_within": "3H7d",
            "keep_daily": 7,
            "keep_weekly": " unlimited ",
            "keep_monthly": None,
            "keep_yearly": 0,
            "keep_titles": "release *",
            "keep_used": "True",
        }
    )

    assert policy == RetentionPolicy(
        keep_last=3,
        keep_within=Span(days=7, hours=3),
        keep_daily=7,
        keep_weekly="unlimited",
        keep_titles=("release *",),
        keep_used=True,
    )
    assert RetentionPolicy.parse(policy.as_dict()) == policy
    assert str(policy) == (
        "keep_last 3; keep_within 7d3h; keep_daily 7; keep_weekly unlimited; keep_titles 'release *'; "
        "keep_used"
    )


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"keep_lost": 3}, "has no keep_lost; it has: keep_last, keep_within"),
        ({"keep_last": -1}, "keep_last must be a whole number.*or it is 'unlimited'"),
        ({"keep_daily": "all"}, "keep_daily must be"),
        ({"keep_last": True}, "keep_last must be"),
        ({"keep_within": "1w"}, "keep_within must be years, months, days and hours such as 2y5m7d3h"),
        ({"keep_within": "7d7d"}, "keep_within must be"),
        ({"keep_within": "0d"}, "keep_within must be"),
        ({"keep_within": ""}, "keep_within must be"),
        ({"keep_within": 7}, "keep_within must be"),
        ({"keep_titles": 7}, "a list of patterns, not 7"),
        ({"keep_titles": [" "]}, "holds ' '"),
        ({"keep_used": "yes"}, "keep_used is true or false"),
        ("keep_last=3", "A policy is a mapping, not a str"),
    ],
)
def test_what_is_no_rule_is_refused(rules, why):
    with pytest.raises(ConfigurationError, match=why):
        RetentionPolicy.parse(rules)


@pytest.mark.parametrize("years", [2020, 999_999])
def test_a_span_may_reach_back_before_all_calendars(years):
    decisions = decide(made(*SUNDAYS), RetentionPolicy(keep_within=Span(years=years)), NOW, "Europe/Rome")

    assert len(kept(decisions)) == 12


def test_a_month_before_the_last_of_a_longer_one_is_the_last_of_the_shorter():
    assert Span(months=1).before(pendulum.datetime(2020, 3, 31)) == pendulum.datetime(2020, 2, 29)


def test_a_moment_at_the_end_of_all_calendars_is_one():
    moments = [pendulum.datetime(1, 1, 1), pendulum.datetime(9999, 12, 31, 23)]
    policy = RetentionPolicy(keep_daily=3, keep_within=Span(days=1))

    assert kept(decide(made(*moments), policy, pendulum.datetime(9999, 12, 31, 23), "Pacific/Apia")) == [1, 2]
