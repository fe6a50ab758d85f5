"""The map of the house shows the house."""

import importlib.util
import sys
from itertools import combinations
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_architecture", DOCS / "draw_architecture.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Where frozen dataclasses look for their annotations.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_picture_shows_the_packages_and_imports_of_today(drawing: ModuleType) -> None:
    committed = drawing.PICTURE.read_text(encoding="utf-8")

    assert committed == drawing.draw(), "`make docs-picture` draws it anew; then look at it"


def test_no_package_hides_another(drawing: ModuleType) -> None:
    boxes = drawing.place(drawing.steps_of(drawing.read_imports()))

    for one, other in combinations(boxes.values(), 2):
        beside = one.right < other.left or other.right < one.left
        assert beside or one.top != other.top, f"give {one.name} or {other.name} other LANES"


def test_the_page_tells_of_every_package(drawing: ModuleType) -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")

    packages = {path.parent.name for path in drawing.PACKAGE.glob("*/__init__.py")}
    assert {name for name in packages if f"`{name}`" not in page} == set()
