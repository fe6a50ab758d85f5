"""Periods of the calendar, and spans of time as rules write them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.runtime.moments import from_seconds

_PART = re.compile(r"([0-9]{1,6})([ymdh])")
_UNITS = {"y": "years", "m": "months", "d": "days", "h": "hours"}


@dataclass(frozen=True)
class Span:
    """How far back in the calendar: two years, five months, seven days and three hours is ``2y5m7d3h``."""

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0

    @classmethod
    def parse(cls, argument: str, value: object) -> Span:
        """Read a span: numbers with ``y``, ``m``, ``d`` and ``h``, each at most once; a month is an ``m``.

        :raises ConfigurationError: it is none, or it has no length.
        """
        text = str(value).strip().lower()
        parts = _PART.findall(text)
        units = [unit for _, unit in parts]
        if "".join(map("".join, parts)) != text or len(set(units)) < len(units) or not text.strip("0ymdh"):
            raise ConfigurationError(
                f"{argument} must be years, months, days and hours such as 2y5m7d3h, but it is {value!r}."
            )
        return cls(**{_UNITS[unit]: int(number) for number, unit in parts})

    def before(self, moment: datetime) -> datetime | None:
        """Go back in the calendar of a moment's zone; ``None`` where that is before all calendars.

        A month before the 31st is the last day of a shorter one. A time that clocks showed twice, or never,
        is the earlier of those that it could be.
        """
        import pendulum

        try:
            there = pendulum.instance(moment.replace(tzinfo=None), tz=None).subtract(
                years=self.years, months=self.months, days=self.days
            )
            local = datetime.combine(there.date(), there.time(), moment.tzinfo)
            seconds = min(local.replace(fold=fold).timestamp() for fold in (0, 1))
            return from_seconds(seconds).subtract(hours=self.hours)
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return "".join(f"{number}{name[0]}" for name, number in asdict(self).items() if number)


@dataclass(frozen=True)
class Periods:
    """One kind of period.

    :param format: writes the name of a moment's period.
    :param is_of_utc: whether all zones count it alike.
    """

    format: str
    is_of_utc: bool = False

    def name_of(self, moment: datetime) -> str:
        """Name the period of a moment, by the calendar of its zone."""
        import pendulum

        return f"{moment.astimezone(pendulum.UTC) if self.is_of_utc else moment:{self.format}}"


HOURS = Periods("%Y-%m-%dT%H UTC", is_of_utc=True)
DAYS = Periods("%Y-%m-%d")
WEEKS = Periods("%G-W%V")
MONTHS = Periods("%Y-%m")
YEARS = Periods("%Y")


def moment_in(zone: tzinfo, moment: datetime) -> datetime:
    """Tell a moment in a zone, or in its own where that zone's calendar does not reach so far."""
    try:
        # Not pendulum's: its records of ten thousand moments take a second.
        return datetime.fromtimestamp(moment.timestamp(), zone)
    except (OverflowError, ValueError):
        return moment
