"""What differs between project types stands in registries: a new type touches no chain of ifs."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from airflow_sv_versioning.archive.formats import FORMATS, written_versions
from airflow_sv_versioning.client.item_types import TYPES
from airflow_sv_versioning.project_types import PROJECT_TYPES, VERSIONED_TYPES
from airflow_sv_versioning.restore.placeholders import PLACEHOLDERS
from airflow_sv_versioning.restore.steps.filling import STEPS
from airflow_sv_versioning.snapshot.schemas import SCHEMAS

PACKAGE = Path(__file__).parents[2] / "airflow_sv_versioning"
# One a layer. The embedded server and the demo are programs of their own.
REGISTRIES = {
    "client/item_types.py",
    "snapshot/schemas/__init__.py",
    "archive/formats.py",
    "restore/placeholders/__init__.py",
    "restore/steps/filling.py",
    # What each format of data sets holds, type by type.
    *(f"dataset/formats/{name}.py" for name in ("coco", "yolo")),
    *(f"dataset/formats/parquet/{name}.py" for name in ("columns", "layout", "readme", "rows")),
}
MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in {"server", "demo"}
    and str(path.relative_to(PACKAGE)) not in REGISTRIES
]


def branches_on_types(source: str) -> list[int]:
    """List the lines that compare with the name of a type, or list things by several of them."""
    return sorted({line for node in ast.walk(ast.parse(source)) for line in _lines(node)})


def _lines(node: ast.AST) -> Iterator[int]:
    if isinstance(node, ast.Compare):
        parts = [node.left, *node.comparators]
        if any(_names(part) for part in parts):
            yield node.lineno
    elif isinstance(node, ast.match_case):
        if _names(node.pattern):
            yield node.pattern.lineno
    elif isinstance(node, ast.Dict):
        if sum(len(_names(key)) for key in node.keys if key) > 1:
            yield node.lineno
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)) and sum(map(len, map(_names, node.elts))) > 1:
        yield node.lineno


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value] if node.value in VERSIONED_TYPES else []
    # What is asked of a function is another matter: tables of items have the names of types, too.
    if isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.MatchValue, ast.MatchOr)):
        return [name for part in ast.iter_child_nodes(node) for name in _names(part)]
    return []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_registries_tell_project_types_apart(path: Path) -> None:
    assert branches_on_types(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "if kind == 'images': pass",
        "x = 1 if 'volumes' != kind else 2",
        "if kind in {'videos'}: pass",
        "if (kind, version) == ('videos', 2): pass",
        "match kind:\n    case 'images': pass",
        "match kind:\n    case 'images' | 'videos': pass",
        "found = {'images': 1, 'videos': 2}",
        "known = ('images', 'volumes')",
    ],
)
def test_such_a_branch_is_found(source: str) -> None:
    assert branches_on_types(source)


@pytest.mark.parametrize("source", ["read('images')", "{'images': rows, 'tags': tags}", "name = 'videos'"])
def test_a_table_of_that_name_is_none(source: str) -> None:
    assert branches_on_types(source) == []


@pytest.mark.parametrize("registry", [TYPES, SCHEMAS, PLACEHOLDERS, STEPS])
def test_every_registry_knows_every_type(registry: Iterable[str]) -> None:
    assert tuple(registry) == VERSIONED_TYPES


def test_every_type_has_a_newest_and_an_older_format() -> None:
    assert {project_type for project_type, _ in FORMATS} == set(VERSIONED_TYPES)
    assert [len(written_versions(project_type)) for project_type in VERSIONED_TYPES] == [2, 2, 2]


@pytest.mark.parametrize("known", PROJECT_TYPES.values(), ids=PROJECT_TYPES)
def test_the_table_of_items_tells_items_apart(known) -> None:
    assert SCHEMAS[known.name][known.name].key == (known.id_column,)
