"""The pages for people: links lead somewhere, examples import what is there, methods are the code's."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.archive.formats import FORMATS
from airflow_sv_versioning.cli import build_parser
from airflow_sv_versioning.vault.backup import MediaBackup
from airflow_sv_versioning.versioning.results import CreateResult, RestoreResult
from tests.versioning.platform.request_list import read_list

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CLIENT = ROOT / "airflow_sv_versioning" / "client"
PAGES = sorted(DOCS.rglob("*.md"))
WRITTEN = [*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_METHOD = re.compile(r"[a-z][\w-]*(?:\.[a-z][\w-]*)+")


def _title(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    """Make the anchors of a page's headings as GitHub does."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=_title)
def test_links_are_relative_and_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        place, _, anchor = link.partition("#")
        if place.startswith("https://"):
            # Links of this repository's own would lead to another state of it.
            assert "airflow-sv-versioning/" not in place, link
            continue
        there = (page.parent / place).resolve() if place else page
        assert there.exists(), link
        assert not anchor or anchor in _anchors(there), link


def test_files_and_folders_that_pages_name_are_there() -> None:
    folders = [ROOT / name for name in ("airflow_sv_versioning", "dags", "docs", "tests")]
    there = [
        f"/{path.relative_to(ROOT).as_posix()}" for folder in folders for path in (folder, *folder.rglob("*"))
    ]
    known = "\n".join(place for place in there if "__pycache__" not in place) + "\n"

    pages = [path for path in WRITTEN if path.name != "CHANGELOG.md"]
    named = {
        (_title(page), name)
        for page in pages
        for name in re.findall(r"`([\w/]+(?:\.py|/))`", page.read_text(encoding="utf-8"))
    }
    assert {(page, name) for page, name in named if f"/{name.rstrip('/')}\n" not in known} == set()


def test_the_index_leads_to_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")

    listed = {(DOCS / link).resolve() for link in _LINK.findall(index)}
    assert {
        _title(page) for page in PAGES if page.name != "README.md" and page.resolve() not in listed
    } == set()


def _examples(language: str) -> Iterator[tuple[str, str]]:
    for page in WRITTEN:
        for number, (found, text) in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8"))):
            if found == language:
                yield f"{_title(page)}:{number}", text


@pytest.mark.parametrize(("where", "text"), list(_examples("python")))
def test_an_example_imports_what_is_there(where: str, text: str) -> None:
    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    for node in imported:
        if node.module and node.module.startswith("airflow_sv_versioning"):
            for alias in node.names:
                exec(f"from {node.module} import {alias.name}")


@pytest.mark.parametrize(("where", "text"), list(_examples("console")))
def test_an_example_is_a_command_that_there_is(where: str, text: str) -> None:
    for line in re.findall(r"^\$ sv-versioning (.+)$", text, re.MULTILINE):
        build_parser().parse_args(shlex.split(line, comments=True))


@pytest.mark.parametrize(
    ("member", "result"),
    [
        ("preview_project_id", CreateResult),
        ("source_project_id", RestoreResult),
        ("copied_bytes", MediaBackup),
    ],
)
def test_shown_json_is_what_a_result_becomes(member: str, result: Any) -> None:
    (shown,) = [json.loads(text) for _, text in _examples("json") if f'"{member}"' in text]

    made = result(**{field.name: shown[field.name] for field in fields(result)})
    assert made.as_dict().keys() == shown.keys()


def _methods(text: str) -> set[str]:
    """Take the methods out of what docstrings say after ``Source:``."""
    return {
        method for told in re.findall(r"(?:POST|GET) ([^\n`]+)", text) for method in _METHOD.findall(told)
    }


def test_the_protocol_tells_every_method_that_the_client_calls_and_no_other() -> None:
    modules = [path.read_text(encoding="utf-8") for path in CLIENT.glob("*.py")]
    called = {method for text in modules for method in _methods(text)}
    rows = re.findall(r"^\| (`[^|]+) \|", (DOCS / "protocol.md").read_text(encoding="utf-8"), re.MULTILINE)
    told = {method for row in rows for method in re.findall(r"`([a-z][\w-]*(?:\.[\w-]+)+)`", row)}

    files = {name for name in told if name.endswith((".json", ".jsonl"))}
    assert called - told == set()
    assert told - files - called == set()


def test_the_protocol_tells_members_that_are_sent() -> None:
    sent: dict[str, set[str]] = {}
    for (method, path), values in read_list().members.items():
        # Fields to filter by are values.
        sent.setdefault(method, set()).update(re.findall(r"\w+", " ".join((path, *values))))
    page = (DOCS / "protocol.md").read_text(encoding="utf-8")

    strange = {
        (method, member)
        for method, request in re.findall(r"^\| `([\w.-]+)`(?: \(GET\))? \| ([^|]*) \|", page, re.MULTILINE)
        for member in re.findall(r"`(\w+)`", request.split("**")[0])
        if method in sent and member not in sent[method]
    }
    assert strange == set()


def test_the_protocol_tells_every_format_of_archives() -> None:
    page = (DOCS / "protocol.md").read_text(encoding="utf-8")

    told = re.findall(r"^\| (images|videos|volumes) \| (v[\d.]+) \|", page, re.MULTILINE)
    assert sorted(told) == sorted(FORMATS)
