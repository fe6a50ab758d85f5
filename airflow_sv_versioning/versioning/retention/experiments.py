"""Records of experiments in files, as ``experiment_file`` of the create operator writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.vault.backends import storage_errors


def read_experiments(places: Iterable[Any]) -> list[Any]:
    """Read the records in files, and in all ``*.json`` below folders or prefixes of buckets.

    :param places: paths of the standard library, of fsspec, or of Airflow's object storage.
    :raises ConfigurationError: there is nothing at a place, or a file holds no JSON.
    :raises VaultError: a storage failed; trying again may help.
    """
    return [record for place in places for record in _read(place)]


def _read(place: Any) -> Iterator[Any]:
    with storage_errors(f"The place of experiments {place}"):
        files = [place] if place.is_file() else sorted(place.glob("**/*.json"))
        if not files:
            raise ConfigurationError(
                f"There is no record of an experiment at {place}. Versions that experiments name would be "
                "taken for unused ones: correct the place, or leave it out."
            )
        for file in files:
            yield _record(file)


def _record(file: Any) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise ConfigurationError(f"{file} is no record of an experiment: {error}.") from error
