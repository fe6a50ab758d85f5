"""The README as PyPI shows it: alone, so that each of its links must say the whole address."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
LINKS = re.findall(r"\]\(([^)#][^)]*)\)", (ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def urls() -> dict[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]


@pytest.mark.parametrize("link", LINKS)
def test_a_link_says_the_whole_address_and_what_it_leads_to_is_there(link: str, urls: dict[str, Any]) -> None:
    assert link.startswith("https://")
    for kind in ("blob", "raw"):
        place = f"{urls['Source']}/{kind}/main/"
        if link.startswith(place):
            assert (ROOT / link.removeprefix(place).partition("#")[0]).exists()
            return
    assert not link.startswith(urls["Source"])


def test_the_project_tells_where_to_read_report_and_look(urls: dict[str, Any]) -> None:
    assert {"Documentation", "Source", "Changelog", "Issues"} <= urls.keys()
    assert all(url.startswith(urls["Source"]) for url in urls.values())
