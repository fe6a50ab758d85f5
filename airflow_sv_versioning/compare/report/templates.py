"""The page's templates, its style sheet and its script, which lie beside this file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("airflow_sv_versioning.compare.report", "pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["number"] = "{:,}".format
    return environment


def writer(name: str, **fixed: Any) -> Callable[..., str]:
    """Make what writes one template; names and values are escaped.

    :param fixed: values that it always gets.
    """
    template = _environment().get_template(name)

    def write(**values: Any) -> str:
        return template.render(**fixed, **values)

    return write


def script_digest() -> str:
    """Name the page's script as a content security policy does: no other script runs on the page."""
    environment = _environment()
    # What the page has between its tags is what is digested.
    script = environment.get_template("script.js").render()
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"
