"""Hold what is told to OpenLineage against its own classes, which are made of its specification."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs" / "openlineage"
_BASE = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
# What all facets have, and those of datasets that are made.
_SPEC = {"$defs": {"OutputDatasetFacet": {"type": "object", "required": ["_producer", "_schemaURL"]}}}


def check_event(event: Mapping[str, Any]) -> None:
    """Build an event of the official classes, which refuse what they do not know; ours, of its schema."""
    from openlineage.client import event_v2

    run, job = (dict(event[name]) for name in ("run", "job"))
    facets = [*_facets(run), *_facets(job)]
    datasets = [("inputFacets", dict(entry)) for entry in event["inputs"]]
    datasets += [("outputFacets", dict(entry)) for entry in event["outputs"]]
    for key, dataset in datasets:
        facets += [*_facets(dataset), *dataset.pop(key, {}).items()]
        event_v2.Dataset(**dataset)
    members = {**event, "run": event_v2.Run(**run), "job": event_v2.Job(**job)}
    assert members.pop("schemaURL").startswith("https://openlineage.io/spec/2-0-2/OpenLineage.json#")
    event_v2.RunEvent(**{**members, "eventType": event_v2.RunState(event["eventType"])})
    for name, facet in facets:
        check_facet(name, facet)


def _facets(holder: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from holder.pop("facets", {}).items()


def check_facet(name: str, facet: Mapping[str, Any]) -> None:
    """Build a facet of the official class that its schema names; those of Airflow's provider are its own."""
    assert facet["_producer"].startswith("https://")
    schema_url = facet["_schemaURL"]
    if name.startswith("supervisely_"):
        _check_own(name, facet)
    elif schema_url.startswith("https://openlineage.io/spec/facets/"):
        kind = _classes()[schema_url.rpartition("/")[2]]
        kind(**{key: value for key, value in facet.items() if not key.startswith("_")})


def _classes() -> dict[str, Any]:
    from openlineage.client import generated

    modules = [
        importlib.import_module(f"{generated.__name__}.{module.name}")
        for module in pkgutil.iter_modules(generated.__path__)
    ]
    return {name: kind for module in modules for name, kind in inspect.getmembers(module, inspect.isclass)}


def _check_own(name: str, facet: Mapping[str, Any]) -> None:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    url = facet["_schemaURL"].partition("#")[0]
    schema = json.loads((DOCS / url.partition("/docs/openlineage/")[2]).read_text())
    assert schema["$id"] == url
    registry: Registry[Any] = Registry().with_resource(_BASE, DRAFT202012.create_resource(_SPEC))
    Draft202012Validator(schema, registry=registry).validate({name: facet})
    known = schema["$defs"][facet["_schemaURL"].rpartition("/")[2]]["allOf"][1]["properties"]
    assert {key for key in facet if not key.startswith("_")} <= known.keys()
