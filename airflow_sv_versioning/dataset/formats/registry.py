"""The formats that there are, by their names."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from airflow_sv_versioning.dataset.formats.format import Format
from airflow_sv_versioning.exceptions import ConfigurationError

_HERE = __name__.rpartition(".")[0]
# Name -> module and class; loaded when it is asked for.
_PLACES = {
    "coco": (f"{_HERE}.coco", "CocoFormat"),
    "yolo": (f"{_HERE}.yolo", "YoloFormat"),
    "parquet": (f"{_HERE}.parquet.format", "ParquetFormat"),
}

FORMATS = tuple(_PLACES)


def find_format(name: Any) -> Format:
    """Find a format by its name.

    :raises ConfigurationError: there is none of this name.
    """
    if name not in FORMATS:
        raise ConfigurationError(f"format is {name!r}; choose one of {', '.join(FORMATS)}.")
    module, class_name = _PLACES[name]
    return cast(Format, getattr(import_module(module), class_name)())
