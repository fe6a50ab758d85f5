"""Check and convert what callers pass in."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError

# Source: the platform's limit for a version's description; its title is held to the same.
MAX_TEXT = 255


# Control characters, halves of characters, ends of lines and paragraphs.
_NO_NAME = {"Cc", "Cs", "Zl", "Zp"}


def counts_text(counts: Mapping[str, int]) -> str:
    """Write counts for people: ``3 datasets, 1,200 images, 450 tags``."""
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def check_text(argument: str, value: Any) -> str | None:
    """Take a text that the platform can store.

    :raises ConfigurationError: it is not a text, or longer than 255 characters.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(f"{argument} must be a text, not {type(value).__name__}.")
    if any(unicodedata.category(character) == "Cs" for character in value):
        # Halves of characters: what the shell passes on of bytes that are no UTF-8.
        raise ConfigurationError(f"{argument} is {value!r}, which holds bytes that are no text.")
    if len(value) > MAX_TEXT:
        raise ConfigurationError(
            f"{argument} has {len(value)} characters; the platform takes {MAX_TEXT}. Shorten it."
        )
    return value


def check_name(argument: str, value: Any) -> str:
    """Take a name that a project can have: one line, not blank, at most 255 characters.

    :raises ConfigurationError: it is none.
    """
    name = check_text(argument, value)
    if name is None or not name.strip():
        raise ConfigurationError(f"{argument} is blank; give a name, or leave the argument out.")
    if any(unicodedata.category(character) in _NO_NAME for character in name):
        raise ConfigurationError(
            f"{argument} is {name!r}; a name is one line, without tabs and other control characters."
        )
    return name


def description_text(value: Any) -> Any:
    """Write a dict, or an object with ``as_dict``, as JSON; leave anything else for the check."""
    as_dict = getattr(value, "as_dict", None)
    if as_dict is not None:
        value = as_dict() if callable(as_dict) else as_dict
    if not isinstance(value, Mapping):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"description cannot be written as JSON: {error}.") from error


def check_choice(argument: str, value: str, choices: Sequence[str]) -> None:
    """Refuse a word that is none of the choices.

    :raises ConfigurationError: with the choices.
    """
    if value not in choices:
        raise ConfigurationError(f"{argument} is {value!r}; choose one of {', '.join(choices)}.")
