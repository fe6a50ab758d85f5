from datetime import date, datetime, timedelta, timezone

import pendulum
import pytest

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.runtime.moments import (
    ago_text,
    from_seconds,
    now,
    parse_moment,
    since_text,
    start_of_day,
)

TEN = pendulum.datetime(2026, 1, 5, 10)
MIDNIGHT = pendulum.datetime(2026, 1, 5)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        # As the platform, Airflow's templates `ts`, `ts_nodash`, `ds`, `ds_nodash`, and people write.
        ("2026-01-05T10:00:00.000Z", TEN),
        ("2026-01-05T10:00:00+00:00", TEN),
        ("20260105T100000", TEN),
        ("2026-01-05", MIDNIGHT),
        ("20260105", MIDNIGHT),
        ("20260105T100000Z", TEN),
        ("2026-01-05T10:00:00", TEN),
        (" 2026-01-05 12:00:00+02:00\n", TEN),
        ("2026-01-05T12:00:00+0200", TEN),
        ("2026-01-05T10:00:00.12Z", TEN.add(microseconds=120_000)),
        ("2026-01-05T10:00:00,5Z", TEN.add(microseconds=500_000)),
        ("2026-01-05T10:00:00.123456789Z", TEN.add(microseconds=123_456)),
        ("2026-01-05T10", TEN),
        ("2026-W02", MIDNIGHT),
        ("2026-W02-1", MIDNIGHT),
        ("2026W021T100000Z", TEN),
        ("2026-005", MIDNIGHT),
        (datetime(2026, 1, 5, 10, tzinfo=timezone.utc), TEN),
        (datetime(2026, 1, 5, 12, tzinfo=timezone(timedelta(hours=2))), TEN),
        (datetime(2026, 1, 5, 10), TEN),
        (TEN.in_timezone("Europe/Berlin"), TEN),
    ],
)
def test_moments_are_read_in_many_spellings(given: object, moment: pendulum.DateTime) -> None:
    read = parse_moment("as_of", given)

    assert (read, read.timezone_name) == (moment, "UTC")


@pytest.mark.parametrize(
    "given",
    [
        "",
        "yesterday",
        "now",
        # Rather a version's number than a year.
        "2026",
        "2026-01",
        "10:00",
        "P1D",
        "2026-01-05/2026-01-06",
        "2026-01-05/10:00:00Z",
        "2026-02-30",
        "2026-1-5",
        "2026-01-05T10:00:00Z and more",
        # Before the first year that there is, in UTC.
        "0001-01-01T00:00:00+14:00",
        7,
        None,
        date(2026, 1, 5),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_what_is_no_moment_is_refused(given: object) -> None:
    with pytest.raises(ConfigurationError, match="as_of"):
        parse_moment("as_of", given)


@pytest.mark.parametrize(
    ("began", "since", "ago"),
    [
        ("2026-01-05T09:59:55Z", "since 09:59 UTC (a few seconds)", "a few seconds ago"),
        ("2026-01-05T08:00:00+01:00", "since 07:00 UTC (3 hours)", "3 hours ago"),
        ("2026-01-04T23:00:00Z", "since 2026-01-04 23:00 UTC (11 hours)", "11 hours ago"),
        ("2025-12-15", "since 2025-12-15 00:00 UTC (3 weeks)", "3 weeks ago"),
        # By a clock that goes fast.
        ("2026-01-05T10:05:00Z", "since 10:00 UTC (a few seconds)", "a few seconds ago"),
    ],
)
def test_ages_are_written_for_people(began: str, since: str, ago: str) -> None:
    assert since_text(parse_moment("began", began), TEN) == since
    assert ago_text(parse_moment("began", began), TEN) == ago


def test_ages_are_told_in_english_whatever_the_locale() -> None:
    pendulum.set_locale("de")
    try:
        assert ago_text(now().subtract(days=3)) == "3 days ago"
    finally:
        pendulum.set_locale("en")


@pytest.mark.parametrize("seconds", ["soon", 1e300, float("nan"), float("inf"), None, [], {}])
def test_what_is_no_number_of_seconds_is_refused(seconds: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        from_seconds(seconds)


def test_seconds_are_counted_from_1970() -> None:
    assert from_seconds(TEN.timestamp()) == TEN


@pytest.mark.parametrize(
    ("zone", "moment", "began"),
    [
        ("UTC", TEN, MIDNIGHT),
        ("Europe/Berlin", TEN, MIDNIGHT.subtract(hours=1)),
        ("America/New_York", MIDNIGHT.add(hours=1), MIDNIGHT.subtract(hours=19)),
        ("Pacific/Kiritimati", TEN, TEN),
        # Clocks went from midnight to one.
        ("Africa/Cairo", pendulum.datetime(2026, 4, 24, 12), pendulum.datetime(2026, 4, 23, 22)),
        ("UTC", datetime(2026, 1, 5, 10), MIDNIGHT),
    ],
)
def test_a_day_begins_at_midnight_in_its_zone(zone: str, moment: datetime, began: pendulum.DateTime) -> None:
    assert start_of_day(zone, moment) == began


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc/passwd", "None"])
def test_a_zone_that_is_not_there_is_refused(zone: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no time zone '{zone}'"):
        start_of_day(zone, TEN)
