"""Any versions and any policy, against a slow decision of the tests' own, where clocks go strange ways.

Rome changes by an hour, Lord Howe by half of one, and Apia had no 30th of December 2011.
"""

from calendar import monthrange
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_sv_versioning.vault.retention.decide import decide
from airflow_sv_versioning.vault.retention.periods import Span
from airflow_sv_versioning.vault.retention.policy import RetentionPolicy
from airflow_sv_versioning.vault.retention.rules import Candidate

NOW = datetime(2026, 4, 30, tzinfo=timezone.utc)
# Around changes of clocks, and the day that never was.
CHANGES = [
    ("Europe/Rome", datetime(2019, 10, 27, 1, tzinfo=timezone.utc)),
    ("Europe/Rome", datetime(2026, 3, 29, 1, tzinfo=timezone.utc)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=timezone.utc)),
    ("Australia/Lord_Howe", datetime(2025, 10, 4, 15, 30, tzinfo=timezone.utc)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=timezone.utc)),
]
COUNTS = st.one_of(st.integers(0, 6), st.just("unlimited"))
MINUTES = st.one_of(st.integers(-180, 180), st.integers(-2 * 525_600, 525_600 * 16))
# On a busy machine any single case may take its time.
many_cases = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
some_cases = settings(many_cases, max_examples=40)
SPANS = st.builds(Span, st.integers(0, 2), st.integers(0, 14), st.integers(0, 40), st.integers(1, 60))


@st.composite
def cases(draw):
    """Make a zone, versions around a change of its clocks and at any time before now, and a policy."""
    zone, change = draw(st.sampled_from(CHANGES))
    moments = [change + timedelta(minutes=minutes) for minutes in draw(st.lists(MINUTES, max_size=20))]
    titles = st.sampled_from(["release", "nightly"])
    versions = [
        Candidate(version_id=number, version_num=number, title=draw(titles), made_at=moment)
        for number, moment in enumerate(moments, 1)
    ]
    rules = draw(
        st.fixed_dictionaries(
            {f"keep_{word}": COUNTS for word in ("last", "hourly", "daily", "weekly", "monthly", "yearly")}
            | {"keep_within": st.none() | SPANS}
        )
    )
    return zone, versions, RetentionPolicy(**rules, keep_titles="rel*")


@many_cases
@given(cases())
def test_what_is_kept_is_what_a_naive_decision_keeps(case):
    zone, versions, policy = case

    assert kept_numbers(decide(versions, policy, NOW, zone)) == naive(versions, policy, ZoneInfo(zone))


@some_cases
@given(cases())
def test_deciding_again_over_what_is_kept_removes_nothing_more(case):
    zone, versions, policy = case
    left = [decision.version for decision in decide(versions, policy, NOW, zone) if decision.keep]

    assert all(decision.keep for decision in decide(left, policy, NOW, zone))


@some_cases
@given(cases(), st.randoms(use_true_random=False))
def test_every_version_has_one_decision_whatever_the_order(case, randomness):
    zone, versions, policy = case
    decisions = decide(versions, policy, NOW, zone)

    assert decide(randomness.sample(versions, len(versions)), policy, NOW, zone) == decisions
    assert sorted(decision.version.version_num for decision in decisions) == [v.version_num for v in versions]
    assert all(decision.keep != (decision.reasons == ("no rule keeps it",)) for decision in decisions)


@some_cases
@given(cases(), st.integers(1, 9))
def test_a_rule_that_keeps_more_removes_nothing_that_stayed(case, more):
    zone, versions, policy = case
    rules = policy.as_dict()
    wider = {
        name: rule + more if isinstance(rule, int) and not isinstance(rule, bool) else rule
        for name, rule in rules.items()
    }

    narrow = kept_by_full_rules(decide(versions, policy, NOW, zone))
    assert narrow <= kept_numbers(decide(versions, RetentionPolicy.parse(wider), NOW, zone))


@pytest.mark.parametrize("day", [29, 31])
def test_the_days_beside_the_one_that_never_was_are_neighbours(day):
    apia = ZoneInfo("Pacific/Apia")
    moments = [datetime(2011, 12, 29, 23, 30, tzinfo=apia), datetime(2011, 12, 31, 0, 30, tzinfo=apia)]
    versions = [Candidate(version_id=n, version_num=n, made_at=moment) for n, moment in enumerate(moments)]

    decisions = decide(versions, RetentionPolicy(keep_daily=2), NOW, "Pacific/Apia")

    assert [f"2011-12-{day}" in reason for decision in decisions for reason in decision.reasons].count(
        True
    ) == 1


def test_a_day_before_the_first_after_the_day_that_never_was_loses_nobody():
    apia = ZoneInfo("Pacific/Apia")
    moments = [datetime(2011, 12, 29, 23, 30, tzinfo=apia), datetime(2011, 12, 31, 10, tzinfo=apia)]
    versions = [Candidate(version_id=n, version_num=n, made_at=moment) for n, moment in enumerate(moments)]

    decisions = decide(versions, RetentionPolicy(keep_within=Span(days=1)), NOW, "Pacific/Apia")

    assert kept_numbers(decisions) == {0, 1}


# --- the naive decision -------------------------------------------------------------------------------------


def kept_numbers(decisions):
    return {decision.version.version_num for decision in decisions if decision.keep}


def kept_by_full_rules(decisions):
    """What stays for another reason than that it is the oldest and a rule is not full."""
    return {
        decision.version.version_num
        for decision in decisions
        if decision.keep and any("the oldest" not in reason for reason in decision.reasons)
    }


def naive(versions, policy, zone):
    past = sorted((v for v in versions if v.made_at <= NOW), key=lambda v: (v.made_at, v.version_num))
    kept = {v.version_num for v in versions if NOW - v.made_at < timedelta(days=7)}
    kept |= {v.version_num for v in [*versions[-1:], *past[-1:]]}
    kept |= {v.version_num for v in past if fnmatch(v.title, "rel*")}
    kept |= {v.version_num for v in past[-many(policy.keep_last) :]} if policy.keep_last else set()
    if policy.keep_within and past:
        begin = back(past[-1].made_at, policy.keep_within, zone)
        kept |= {v.version_num for v in past if v.made_at > begin}
    for rule, period in PERIODS.items():
        count = many(getattr(policy, rule))
        newest = {period(v.made_at, zone): v.version_num for v in past}
        kept |= set(list(newest.values())[-count:]) if count else set()
        if len(newest) < count:
            kept |= {v.version_num for v in past[:1]}
    return kept


PERIODS = {
    "keep_hourly": lambda moment, _: moment.replace(minute=0, second=0, microsecond=0),
    "keep_daily": lambda moment, zone: moment.astimezone(zone).date(),
    "keep_weekly": lambda moment, zone: moment.astimezone(zone).isocalendar()[:2],
    "keep_monthly": lambda moment, zone: (moment.astimezone(zone).year, moment.astimezone(zone).month),
    "keep_yearly": lambda moment, zone: moment.astimezone(zone).year,
}


def many(count):
    return 1_000_000 if count == "unlimited" else count


def back(moment, span, zone):
    there = moment.astimezone(zone).replace(tzinfo=None)
    months = there.year * 12 + there.month - 1 - 12 * span.years - span.months
    year, month = months // 12, months % 12 + 1
    there = there.replace(year=year, month=month, day=min(there.day, monthrange(year, month)[1]))
    there -= timedelta(days=span.days)
    begins = [there.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1)]
    return min(begins) - timedelta(hours=span.hours)
