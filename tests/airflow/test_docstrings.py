"""Docstrings are pages of documentation: they render, and speak of every argument."""

import inspect
import re
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import roles

from airflow_sv_versioning.get_provider_info import get_provider_info

PACKAGE = "airflow_sv_versioning"
INFO = get_provider_info()
LISTED = [entry for kind in ("hooks", "operators", "sensors", "triggers") for entry in INFO[kind]]
MODULES = [
    *(module for entry in LISTED for module in entry["python-modules"]),
    f"{PACKAGE}.assets",
    f"{PACKAGE}.links",
]


def _reference(name: str, rawtext: str, text: str, *more: Any) -> tuple[list[nodes.Node], list[Any]]:
    """Stand in for Sphinx: what a cross reference names must be there."""
    path = text.lstrip("~").removesuffix("()")
    if path.startswith(PACKAGE):
        module, _, member = path.rpartition(".")
        assert hasattr(import_module(module), member), text
    return [nodes.literal(rawtext, text)], []


for _role in ("class", "meth", "func", "attr"):
    roles.register_local_role(_role, _reference)


def _public(module: str) -> list[Any]:
    return [
        found
        for name, found in vars(import_module(module)).items()
        if not name.startswith("_") and getattr(found, "__module__", "") == module and inspect.getdoc(found)
    ]


PUBLIC = [found for module in MODULES for found in _public(module)]


@pytest.mark.parametrize("found", PUBLIC, ids=lambda found: found.__qualname__)
def test_a_docstring_renders(found: Any) -> None:
    members = [found, *(m for n, m in vars(found).items() if not n.startswith("_") and callable(m))]

    for text in filter(None, map(inspect.getdoc, members)):
        complaints = StringIO()
        publish_doctree(text, settings_overrides={"report_level": 2, "warning_stream": complaints})
        assert complaints.getvalue() == "", text


@pytest.mark.parametrize(
    "found",
    [found for found in PUBLIC if "Operator" in found.__name__ or "Sensor" in found.__name__],
    ids=lambda found: found.__qualname__,
)
def test_a_docstring_speaks_of_every_argument(found: type) -> None:
    told = {name for base in found.__mro__[:-1] for name in re.findall(r":param (\w+):", base.__doc__ or "")}
    taken = {
        name
        for base in found.__mro__
        if base.__module__.startswith(PACKAGE)
        for name in inspect.signature(base.__init__).parameters  # type: ignore[misc]
    }

    assert taken - {"self", "args", "kwargs"} <= told
