"""Which of one side is which of the other, where ids or names alone would tell it wrongly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from airflow_sv_versioning.compare.fingerprint import fingerprint
from tests.versioning.compare.shapes import geometry
from tests.versioning.compare.states import NOBODY, SAME, TURNED, Line, compare, counts
from tests.versioning.compare.test_single_changes import (
    BELOW,
    FIGURE,
    ITEM,
    LINKED,
    OBJECT,
    OTHER,
    OTHER_OBJECT,
    SECOND,
    TAG,
    TWIN,
    TYPES,
    VIDEOS,
    WITH_OBJECTS,
    both,
    changed,
    figure,
    line,
    made,
    removed,
    row_of,
)


@pytest.mark.parametrize("project_type", TYPES)
def test_items_that_swap_their_names_are_renamed_where_ids_tell_them(project_type, tmp_path: Path) -> None:
    before, after = made(project_type), made(project_type)
    one, other = (row_of(after, project_type, number) for number in (ITEM, LINKED))
    one["name"], other["name"] = other["name"], one["name"]
    written = before.write(tmp_path / "before")

    found = compare(written, after.write(tmp_path / "after"), SAME)
    elsewhere = compare(written, after.numbered(TURNED.number).write(tmp_path / "elsewhere"), TURNED)

    assert found.lines == Counter([line("items.renamed"), line("items.renamed", item=LINKED)])
    assert elsewhere.diff.items.replaced == 2


@pytest.mark.parametrize("project_type", TYPES)
def test_what_nobody_knows_the_content_of_is_equal_to_nothing(project_type, tmp_path: Path) -> None:
    before, after = made(project_type), made(project_type)
    for state, name in ((before, "one.file"), (after, "another.file")):
        row_of(state, project_type, OTHER).update(hash=None, link=None, name=name)

    found = compare(before.write(tmp_path / "before"), after.write(tmp_path / "after"), SAME)

    assert counts(found.diff) == {"items.removed": 1, "items.added": 1}


@pytest.mark.parametrize("project_type", TYPES)
def test_a_renamed_dataset_counts_what_it_lost_under_its_new_name(project_type, tmp_path: Path) -> None:
    before, after = made(project_type), made(project_type)
    changed("datasets", BELOW, name="new name")(after)
    removed(items=[OTHER])(after)

    found = compare(before.write(tmp_path / "before"), after.write(tmp_path / "after"), SAME)

    assert found.lines == Counter([Line("items.removed", (OTHER, None))])
    assert sorted(found.diff.by_dataset) == ["top", "top/new name"]
    assert found.diff.by_dataset["top/new name"].items_removed == 1


@pytest.mark.parametrize("project_type", WITH_OBJECTS)
def test_objects_that_go_through_the_same_frames_are_told_by_what_stayed(
    project_type, tmp_path: Path
) -> None:
    before, after = made(project_type), made(project_type)
    for state in (before, after):
        row_of(state, "objects", OTHER_OBJECT)["class_name"] = "car"
        state.tables["figures"].append(figure(state, 34, OTHER_OBJECT, 5))
    for number, place in ((SECOND, 1), (34, 5)):
        row_of(after, "figures", number)["geometry_json"] = geometry("polygon", place, shift=2)

    found = compare(
        before.write(tmp_path / "before"), after.numbered(TURNED.number).write(tmp_path / "after"), TURNED
    )

    assert found.lines == Counter(line("figures.reshaped", both(number)) for number in (SECOND, 34))


def test_a_video_whose_object_is_shared_no_more_is_told_beside_the_one_that_lost_it(tmp_path: Path) -> None:
    before, after = made(VIDEOS), made(VIDEOS)
    shared = {"src_object_id": OTHER_OBJECT, "src_video_id": OTHER, "class_name": "tree"}
    before.tables["objects"].append(shared)

    found = compare(before.write(tmp_path / "before"), after.write(tmp_path / "after"), SAME)

    assert found.lines == Counter(
        [
            line("objects.removed", (OTHER_OBJECT, None), item=OTHER),
            line("objects.attributes", both(OTHER_OBJECT), member="shared"),
        ]
    )


@pytest.mark.parametrize("project_type", WITH_OBJECTS)
def test_ids_that_a_reader_gave_mean_nothing(project_type, tmp_path: Path) -> None:
    before, after = made(project_type), made(project_type)
    # The first of each is gone, so that the others get the numbers that these had.
    removed(objects=[OBJECT], figures=[FIGURE, SECOND], tags=[TAG, TWIN])(after)
    for state in (before, after):
        for table, key, first in (("objects", "src_object_id", 2**40), ("figures", "src_figure_id", 2**41)):
            new = {row[key]: first + place for place, row in enumerate(state.tables[table])}
            for rows in state.tables.values():
                for row in rows:
                    row.update({name: new[row[name]] for name in (key, "owner_id") if row.get(name) in new})

    found = compare(before.write(tmp_path / "before"), after.write(tmp_path / "after"), SAME)

    gone = {"objects.removed": 1, "figures.removed": 2, "tags.removed": 2}
    assert counts(found.diff) == {**gone, "items.changed": 1}
    assert {told.thing for told in found.lines} == {NOBODY}


@pytest.mark.parametrize("project_type", WITH_OBJECTS)
def test_of_objects_that_look_alike_the_order_of_their_figures_tells(project_type, tmp_path: Path) -> None:
    state = made(project_type)
    place = "frame_index" if project_type == VIDEOS else "slice_index"
    row_of(state, "objects", OTHER_OBJECT)["class_name"] = "car"
    owners = ((OBJECT, 0), (OTHER_OBJECT, 0), (OTHER_OBJECT, 1), (OBJECT, 1))
    figures = [figure(state, 31 + n, owner, 5) | {place: where} for n, (owner, where) in enumerate(owners)]
    state.tables |= {"figures": figures, "tags": []}
    sides = state.write(tmp_path / "one"), state.numbered(TURNED.number).write(tmp_path / "other")

    assert compare(*sides, TURNED).diff.equal
    assert len({fingerprint(side).content_digest for side in sides}) == 1
