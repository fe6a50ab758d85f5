"""Numbers of classes: by their names, and those that an earlier export gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_sv_versioning.dataset.destination import open_destination
from airflow_sv_versioning.dataset.destination_errors import destination_errors
from airflow_sv_versioning.dataset.formats.registry import find_format
from airflow_sv_versioning.dataset.staging import MANIFEST
from airflow_sv_versioning.exceptions import ConfigurationError


def number_classes(names: Iterable[str], earlier: Mapping[str, int], first: int) -> dict[str, int]:
    """Give each class its number.

    :param earlier: numbers that stay, also those of classes that are no more; new classes go last.
    :param first: the number of the first class of all.
    """
    numbers = dict(sorted(earlier.items(), key=lambda entry: entry[1]))
    following = max(numbers.values(), default=first - 1) + 1
    for number, name in enumerate(sorted(set(names) - numbers.keys()), following):
        numbers[name] = number
    return numbers


def read_category_ids(value: Any, first: int) -> dict[str, int]:
    """Read numbers that a caller wants to be kept.

    :param value: class name -> number; or where an earlier export is, whose numbers are moved if its format
        begins to count elsewhere; or ``None``.
    :param first: the lowest number that can be.
    :raises ConfigurationError: there is no export, or the numbers are none.
    """
    if value is None:
        return {}
    numbers = value if isinstance(value, Mapping) else _of_export(value, first)
    for name, number in numbers.items():
        if not isinstance(name, str) or isinstance(number, bool) or not isinstance(number, int):
            raise ConfigurationError(
                f"category_ids gives {name!r} the number {number!r}; each class name has a whole number."
            )
        if number < first:
            raise ConfigurationError(
                f"category_ids gives {name!r} the number {number}; the lowest is {first}."
            )
    if twice := _given_twice(numbers):
        raise ConfigurationError(f"category_ids gives the classes {twice} the same number.")
    return dict(numbers)


def _of_export(location: Any, first: int) -> dict[str, int]:
    where = str(location).rstrip("/")
    if isinstance(location, str) and where.endswith(f"/{MANIFEST}"):
        location = where.removesuffix(f"/{MANIFEST}")
    destination = open_destination(location)
    with destination_errors(destination.url):
        manifest = destination.find_manifest()
    numbers, made = (manifest or {}).get("category_ids"), (manifest or {}).get("export")
    if not isinstance(numbers, Mapping) or not isinstance(made, Mapping):
        raise ConfigurationError(
            f"category_ids names {where}, where no whole export is; name the folder with its {MANIFEST}."
        )
    moved = first - find_format(made.get("format")).first_category_id
    return {name: number + moved if isinstance(number, int) else number for name, number in numbers.items()}


def _given_twice(numbers: Mapping[str, int]) -> str:
    names: dict[int, list[str]] = {}
    for name, number in numbers.items():
        names.setdefault(number, []).append(name)
    return next((" and ".join(map(repr, same)) for same in names.values() if len(same) > 1), "")
