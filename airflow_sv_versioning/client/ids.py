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
    text = "" if isinstance(value, bool | float) else str(value).strip()
    digits = text.lstrip("0")
    # Python reads many alphabets' digits, and refuses thousands of them in its own way.
    if not (text.isascii() and text.isdigit() and 0 < len(digits) < 20 and int(digits) <= _MAX_ID):
        raise ConfigurationError(
            f"{argument} must be a positive whole number below 2^63, but it is {repr(value)[:_QUOTED]}"
            + (f"; {advice}." if advice else ".")
        )
    return int(digits)
