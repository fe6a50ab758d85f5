"""Ids and version numbers as people, templates and command lines write them."""

from __future__ import annotations

from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError

# The platform keeps ids as signed numbers of 64 bits.
_MAX_ID = 2**63 - 1
_QUOTED = 80


def check_id(argument: str, value: Any, advice: str = "") -> int:
    """Take an id: a positive whole number, or its text in plain digits.

    :param argument: its name, for the message.
    :param advice: what to look at, for the end of the message.
    :raises ConfigurationError: it is something else.
    """
    if not (number := _read_digits(value)):
        raise _refusal(argument, "a positive whole number below 2^63", value, advice)
    return number


def check_count(argument: str, value: Any, advice: str = "") -> int:
    """Take a whole number that is not negative, or its text in plain digits.

    :raises ConfigurationError: it is something else.
    """
    if (number := _read_digits(value)) is None:
        raise _refusal(argument, "a whole number, 0 or more and below 2^63", value, advice)
    return number


def _read_digits(value: Any) -> int | None:
    text = "" if isinstance(value, bool | float) else str(value).strip()
    digits = text.lstrip("0") or text[:1]
    # Python reads many alphabets' digits, and refuses thousands of them in its own way.
    if not (text.isascii() and text.isdigit() and 0 < len(digits) < 20 and int(digits) <= _MAX_ID):
        return None
    return int(digits)


def _refusal(argument: str, wanted: str, value: Any, advice: str) -> ConfigurationError:
    end = f"; {advice}." if advice else "."
    return ConfigurationError(f"{argument} must be {wanted}, but it is {repr(value)[:_QUOTED]}{end}")
