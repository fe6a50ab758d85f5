"""Moments as callers and servers write them, and their age for people; pendulum knows the calendar."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    import pendulum

# A year, a month or an hour alone could be read as a moment, but is rather a mistake, such as a version's
# number; a slash makes a period of two moments.
_NAMES_A_DAY = re.compile(r"\d{4}-?(\d\d-?\d\d|\d{3}|W\d\d)[^/]*", re.ASCII)


def now() -> pendulum.DateTime:
    """Tell the time, in UTC."""
    import pendulum

    return pendulum.now("UTC")


def from_seconds(seconds: Any) -> pendulum.DateTime:
    """Read a moment written as seconds since 1970.

    :raises ValueError: it is no such moment.
    :raises TypeError: it is no number.
    """
    import pendulum

    try:
        return pendulum.from_timestamp(float(seconds))
    except (OverflowError, OSError) as error:
        raise ValueError(f"{seconds!r} is no moment") from error


def parse_moment(argument: str, value: Any) -> pendulum.DateTime:
    """Read a moment as UTC: a datetime, or ISO 8601 text that names a day; one without a zone is in UTC.

    A day or a week alone is where it begins.

    :raises ConfigurationError: it is no moment.
    """
    import pendulum

    if not isinstance(value, str | datetime):
        raise ConfigurationError(f"{argument} must be a time, not {type(value).__name__}.")
    try:
        read = _parse_text(value.strip()) if isinstance(value, str) else pendulum.instance(value, tz="UTC")
        return read.in_timezone("UTC")
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{argument} is {str(value)!r}, not an ISO 8601 time such as 2026-01-05T10:00:00Z or 2026-01-05."
        ) from error


def find_zone(name: str) -> pendulum.Timezone:
    """Find a time zone by its name, such as ``Europe/Berlin`` or ``UTC``.

    :raises ConfigurationError: there is none of this name.
    """
    import pendulum

    try:
        return pendulum.timezone(str(name))
    except (ValueError, OSError) as error:
        raise ConfigurationError(
            f"There is no time zone {str(name)!r}; give a name such as Europe/Berlin or UTC."
        ) from error


def start_of_day(zone: str, moment: datetime) -> pendulum.DateTime:
    """Find where the day of a moment begins in a time zone; in UTC.

    :param zone: its name, such as ``Europe/Berlin`` or ``UTC``.
    :raises ConfigurationError: there is no such zone.
    """
    import pendulum

    there = pendulum.instance(moment, tz="UTC").in_timezone(find_zone(zone))
    # Where clocks go forward at midnight, pendulum's `start_of` ends up in the day before.
    return pendulum.datetime(there.year, there.month, there.day, tz=there.timezone).in_timezone("UTC")


def since_text(moment: datetime, at: datetime | None = None) -> str:
    """Write since when something is so, for people: ``since 14:02 UTC (3 hours)``.

    :param at: what is the present, by default now.
    """
    began, present = _in_order(moment, at)
    clock = began.format("HH:mm" if began.date() == present.date() else "YYYY-MM-DD HH:mm")
    return f"since {clock} UTC ({_age(began, present)})"


def ago_text(moment: datetime, at: datetime | None = None) -> str:
    """Write how long ago something was, for people: ``3 weeks ago``.

    :param at: what is the present, by default now.
    """
    return f"{_age(*_in_order(moment, at))} ago"


def _parse_text(text: str) -> pendulum.DateTime:
    import pendulum

    read = pendulum.parse(text, tz="UTC") if _NAMES_A_DAY.fullmatch(text) else None
    if not isinstance(read, pendulum.DateTime):
        raise ValueError(f"{text!r} names no day")
    return read


def _in_order(moment: datetime, at: datetime | None) -> tuple[pendulum.DateTime, pendulum.DateTime]:
    """Take what lies in the future for now: clocks differ."""
    import pendulum

    present = pendulum.instance(at or now(), tz="UTC").in_timezone("UTC")
    return min(pendulum.instance(moment, tz="UTC").in_timezone("UTC"), present), present


def _age(began: pendulum.DateTime, present: pendulum.DateTime) -> str:
    return present.diff_for_humans(began, absolute=True, locale="en")
