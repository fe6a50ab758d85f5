"""Digests of what projects hold: equal exactly where a comparison finds nothing, in any process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from airflow_sv_versioning.compare.cells import compared_columns
from airflow_sv_versioning.compare.fingerprint import fingerprint
from airflow_sv_versioning.snapshot.canonical import canonical_json
from tests.versioning.compare.shapes import mask_in_space
from tests.versioning.compare.states import SAME, State, compare
from tests.versioning.compare.test_single_changes import (
    FIGURE,
    IMAGES,
    ITEM,
    OBJECT,
    OTHER,
    TYPES,
    VIDEOS,
    VOLUMES,
    WITH_OBJECTS,
    made,
    row_of,
)

# Whoever has to change these changes digests that people have written down: see `_SCHEME`.
KNOWN = {
    IMAGES: "fa67dffba364942ff85e4a2d7bc38e76254dbde065202cff572f7f30c9947644",
    VIDEOS: "8aadea852ed01554c4feb98a55cc3543943bbaaadaeb50da65ac416b2c910c56",
    VOLUMES: "4ba4ee014c698522a6c9b560e92637cd377791c6c52e971bcbf8118ac44c858d",
}


def digest(state: State, folder: Path) -> str:
    return fingerprint(state.write(folder)).content_digest


def with_all(project_type: str) -> State:
    """Make a project that has what the simple one lacks."""
    state = made(project_type)
    state.info |= {"readme": "# Текст", "custom_data": {"a": 1}, "settings": {"groupImages": True}}
    row_of(state, "figures", FIGURE).update(meta='{"b":1,"a":2.0}', priority=7)
    if project_type == IMAGES:
        row_of(state, IMAGES, OTHER)["parent_src_image_id"] = ITEM
    elif project_type == VIDEOS:
        state.tables["objects"].append({**row_of(state, "objects", OBJECT), "src_video_id": OTHER})
    else:
        row_of(state, "figures", FIGURE).update(geometry_type="mask_3d", geometry_json=None)
        state.masks[FIGURE] = mask_in_space(0, 0)
    return state


@pytest.mark.parametrize("project_type", TYPES)
def test_a_digest_is_the_same_in_every_process(project_type, tmp_path: Path):
    found = fingerprint(with_all(project_type).write(tmp_path / "side"))

    assert found.content_digest == KNOWN[project_type]
    assert found.classes == {"car": 2, "tree": 1}


@pytest.mark.parametrize("project_type", TYPES)
def test_the_order_of_datasets_items_and_tags_does_not_count(project_type, tmp_path: Path):
    state = with_all(project_type)
    other = state.copy()
    for table in ("datasets", project_type, "tags"):
        other.tables[table].reverse()

    assert digest(other, tmp_path / "other") == digest(state, tmp_path / "state")


def _told(project_type: str) -> dict[str, Callable[[State], object]]:
    return {
        "the colour of a class": lambda state: state.meta["classes"][0].pop("color"),
        "what the platform finds out of a file": lambda state: state.items[0].update(
            {"frames_count": 5} if project_type == VIDEOS else {"meta": None}
        ),
    }


@pytest.mark.parametrize("what", _told(VIDEOS))
def test_what_one_side_does_not_tell_makes_other_digests_of_equal_sides(what, tmp_path: Path):
    for project_type in WITH_OBJECTS:
        before, after = made(project_type), made(project_type)
        _told(project_type)[what](after)
        sides = before.write(tmp_path / project_type), after.write(tmp_path / f"{project_type} after")

        assert compare(*sides, SAME).diff.equal
        assert len({fingerprint(side).content_digest for side in sides}) == 2


@pytest.mark.parametrize("project_type", TYPES)
def test_two_items_of_one_path_are_told_apart(project_type, tmp_path: Path):
    """No platform has them; archives may."""
    before, after = made(project_type), made(project_type)
    for state, contents in ((before, "ab"), (after, "ba")):
        for row, content in zip(state.items, contents, strict=False):
            row.update(name="one.file", src_dataset_id=1, hash=f"{content}=", link=None)
    sides = before.write(tmp_path / "before"), after.write(tmp_path / "after")

    assert not compare(*sides, SAME).diff.equal
    assert len({fingerprint(side).content_digest for side in sides}) == 2


def test_geometry_that_is_not_decoded_is_in_the_same_spelling_as_other():
    random = Random(1)
    texts = [_outline(random) for _ in range(3000)]
    rows = pa.table({"geometry": [None, *texts]})

    (written,) = compared_columns(rows, ["geometry"])

    assert written.to_pylist() == [None, *map(canonical_json, texts)]


def _outline(random: Random) -> str:
    numbers = [_number(random) for _ in range(2 * random.randint(0, 3))]
    points = [f"[{x},{y}]" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    return f'{{"points":{{"exterior":[{",".join(points)}],"interior":[]}}}}'


def _number(random: Random) -> str:
    """Write a number in any way that JSON allows."""
    whole = random.choice(["0", "7", "10", "123456", "1234567", str(random.randrange(10**20))])
    digits = "".join(random.choice("0009") for _ in range(random.randint(1, 12)))
    fraction = random.choice(["", ".0", ".00", ".5", ".25", f".{digits}"])
    text = f"{random.choice(['', '-'])}{whole}{fraction}{random.choice(['', '', '', 'e1', 'E-3'])}"
    assert isinstance(json.loads(text), (int, float))
    return text
