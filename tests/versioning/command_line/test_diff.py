"""``sv-versioning diff`` against a real server: what it prints and writes, and how it ends."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.plain_projects import PlainProject, make_plain_project
from tests.support.projects import add_dataset, make_project, read_archive
from tests.support.proxy import first
from tests.support.types import Client, Run, Versions, Wire
from tests.support.video_projects import box

SIDE = "name project_id project_name version_id version_num archive_sha256 counts"
FIGURES = "added removed reshaped relabelled attributes reordered iou_mean iou_min"
ITEMS = "items_before items_after items_added items_removed items_changed"
SHAPE = {
    "format": "",
    "equal": "",
    "project_type": "",
    "before": SIDE,
    "after": SIDE,
    "datasets": "added removed renamed changed",
    "items": "added removed renamed moved replaced changed",
    "figures": FIGURES,
    "objects": FIGURES,
    "tags": "added removed changed",
    "by_class": {
        "name": "before after added removed reshaped relabelled_in relabelled_out iou_mean iou_min",
    },
    "by_dataset": {
        "name": f"{ITEMS} figures_before figures_after",
    },
    "by_tag": {"name": "before after added removed changed"},
    "project": "classes tags settings readme custom_data description",
    "coarse": "",
    "not_compared": "",
    "selection": "",
    "rules": "",
}
DEFINITION = "name change before after"
RULE = "rule broken value of message"


def words_of(entry: Any) -> str:
    return " ".join(entry) if isinstance(entry, dict) else ""


def shape_of(data: dict[str, Any]) -> dict[str, Any]:
    """Name the members of what was printed; what is by name is a sample of one."""
    return {
        name: {"name": words_of(next(iter(part.values())))} if name.startswith("by_") else words_of(part)
        for name, part in data.items()
    }


@pytest.fixture
def edited(client: Client, versions: Versions, project_id: int, photos: list[Path]) -> int:
    """A project with two versions: a box moved, one became another class, an image went, two came."""
    versions.create(project_id)
    [dataset] = client.datasets.list_all(project_id)
    [page] = client.images.iter_pages(dataset.id)
    meta = client.projects.get_meta(project_id)
    lemon, kiwi = (entry["id"] for entry in meta["classes"])
    figures = client.figures.list_for_items(dataset.id, [image["id"] for image in page])
    drawn = {(figure["entityId"], figure["classId"]): figure for figure in figures}
    smaller = {"points": {"exterior": [[1.25, 2.5], [9.75, 9.5]], "interior": []}}
    relabelled = drawn[page[1]["id"], kiwi]
    edit = client.transport.call
    edit("figures.editInfo", {"id": drawn[page[0]["id"], lemon]["id"], "geometry": smaller})
    # The platform has no call that changes a figure's class; people remove it and draw it again.
    edit("figures.bulk.remove", {"figureIds": [relabelled["id"]]})
    again = {name: relabelled[name] for name in ("entityId", "geometryType", "geometry")}
    client.figures.add(dataset.id, [{**again, "classId": lemon}])
    edit("images.bulk.remove", {"imageIds": [page[2]["id"]]})
    add_dataset(client, project_id, "more", photos[3:5])
    plum = {"title": "plum", "shape": "rectangle", "color": "#3300AA", "geometry_config": {}}
    client.projects.update_meta(project_id, {**meta, "classes": [*meta["classes"], plum]})
    versions.create(project_id)
    return project_id


def compare(run: Run, *arguments: object, ends_with: int = 0) -> dict[str, Any]:
    """Compare, and read the one object that is printed."""
    code, out, err = run("diff", *arguments, "--json")
    assert code == ends_with, err
    data: dict[str, Any] = json.loads(out)
    return data


def test_the_json_has_the_shape_that_the_page_tells(run: Run, edited: int):
    data = compare(run, edited, "--fail-if", "changes == 0")

    assert shape_of(data) == SHAPE
    assert words_of(data["project"]["classes"][0]) == DEFINITION
    assert words_of(data["rules"][0]) == RULE
    page = (Path(__file__).parents[3] / "docs" / "compare.md").read_text(encoding="utf-8")
    told = json.loads(page.split("```json\n")[1].split("```")[0])
    assert shape_of(told) == SHAPE
    assert words_of(told["project"]["classes"][0]) == DEFINITION
    assert words_of(told["rules"][0]) == RULE


def test_two_versions_are_compared_by_content(run: Run, edited: int):
    data = compare(run, edited, 1, 2)

    assert (data["format"], data["equal"], data["project_type"]) == ("sv-diff/1", False, "images")
    numbers = [(side["project_id"], side["version_num"]) for side in (data["before"], data["after"])]
    assert numbers == [(edited, 1), (edited, 2)]
    assert data["datasets"] == {"added": 1, "removed": 0, "renamed": 0, "changed": 0}
    assert {name: count for name, count in data["items"].items() if count} == {
        "added": 2,
        "removed": 1,
        "changed": 2,
    }
    figures = {name: count for name, count in data["figures"].items() if count}
    assert 0.5 < figures.pop("iou_min") == figures.pop("iou_mean") < 1
    assert figures == {"added": 4, "removed": 2, "reshaped": 1, "relabelled": 1}
    assert data["by_class"]["a kiwi"]["relabelled_out"] == data["by_class"]["lemon"]["relabelled_in"] == 1
    assert [entry["name"] for entry in data["project"]["classes"]] == ["plum"]
    assert data["rules"] == []
    # Without sides it is the version before the latest, and that.
    assert compare(run, edited) == data


def test_people_get_a_sentence_and_tables(run: Run, client: Client, edited: int):
    code, out, _ = run("diff", edited)

    name = client.projects.get(edited).name
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == (
        f"Version 2 against version 1 of project {edited} '{name}': +2 images, 1 removed, 2 changed; "
        "+4 figures, 2 removed, 1 relabelled (a kiwi 1), 1 reshaped; +2 tags, 1 removed; +1 dataset; "
        "of the project itself 1 class added."
    )
    rows = [line.split() for line in lines[1:] if line]
    assert rows[:3] == [
        ["BEFORE", "AFTER", "ADDED", "REMOVED", "RESHAPED", "RELABELLED", "IN", "RELABELLED", "OUT", "CLASS"],
        ["3", "5", "2", "1", "1", "1", "0", "lemon"],
        ["3", "3", "2", "1", "0", "0", "1", "a", "kiwi"],
    ]
    assert ["0", "2", "2", "0", "0", "0", "4", "more"] in rows
    assert ["3", "2", "0", "1", "2", "6", "4", "photos"] in rows
    assert ["3", "4", "2", "1", "0", "count"] in rows
    assert "  class 'plum' added: " in out
    assert "RULE" not in out


def test_equal_sides_are_said_to_be_equal(run: Run, client: Client, edited: int):
    code, out, _ = run("diff", edited, 2, "live")

    name = client.projects.get(edited).name
    assert (code, out) == (
        0,
        f"The live state against version 2 of project {edited} '{name}': nothing changed.\n",
    )


def test_a_rule_that_holds_changes_nothing(run: Run, edited: int):
    code, out, err = run("diff", edited, "--fail-if", "figures.removed > 90%", "class[lemon].after < 3")

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[-3:]] == ["STATE", "ok", "ok"]
    assert "rule is broken" not in err


def test_a_broken_rule_ends_with_5_after_all_is_printed_and_written(run: Run, edited: int, tmp_path: Path):
    page, table = tmp_path / "page.html", tmp_path / "changes.parquet"
    rules = ("--fail-if", "figures.removed > 2%", "--fail-if", "items.added == 0", "classes.added > 0")

    code, out, err = run("diff", edited, *rules, "--html", page, "--changes", table)

    assert code == 5
    assert [line.split()[0] for line in out.splitlines()[-4:]] == ["STATE", "BROKEN", "ok", "BROKEN"]
    assert err.splitlines()[-1].startswith("sv-versioning: 2 rules are broken. figures.removed > 2%: 2 of 6 ")
    assert "figures.removed &gt; 2%" in page.read_text(encoding="utf-8")
    assert pq.read_table(table).num_rows == 5

    data = compare(run, edited, *rules, ends_with=5)
    assert [(rule["rule"], rule["broken"], rule["value"], rule["of"]) for rule in data["rules"]] == [
        ("figures.removed > 2%", True, 2, 6),
        ("items.added == 0", False, 2, 3),
        ("classes.added > 0", True, 1, None),
    ]


def test_changes_are_rows_of_a_table(run: Run, edited: int, tmp_path: Path):
    table = tmp_path / "changes.parquet"

    compare(run, edited, "--changes", table)

    kinds = sorted(pq.read_table(table, columns=["kind"]).column("kind").to_pylist())
    assert kinds == ["figures.relabelled", "figures.reshaped", "items.added", "items.added", "items.removed"]
    assert list(tmp_path.iterdir()) == [table]


def test_options_say_what_is_the_same_figure(run: Run, edited: int):
    assert compare(run, edited)["figures"]["reshaped"] == 1
    assert compare(run, edited, "--tolerance", 1)["figures"]["reshaped"] == 0


def test_a_page_shows_what_changed(run: Run, edited: int, tmp_path: Path):
    page = tmp_path / "page.html"

    compare(run, edited, "--html", page)

    html = page.read_text(encoding="utf-8")
    assert "<svg" in html
    assert "plum" in html


def test_a_page_has_pictures_where_the_server_still_has_the_file(run: Run, edited: int, tmp_path: Path):
    page = tmp_path / "page.html"

    code, _, err = run("diff", edited, "--html", page, "--pictures", 3)

    # The first item is the one that was removed; those that came follow.
    assert code == 0
    assert page.read_text(encoding="utf-8").count("data:image/jpeg;base64,") == 2
    assert len([line for line in err.splitlines() if line.startswith("No picture of 'photos/")]) == 1


def test_an_archive_is_a_side(run: Run, client: Client, versions: Versions, project_id: int, tmp_path: Path):
    made = versions.create(project_id)
    archive = tmp_path / "kept.tar.zst"
    archive.write_bytes(read_archive(client, made))

    data = compare(run, project_id, archive, "latest")

    assert data["equal"]
    assert data["before"]["archive_sha256"] == data["after"]["archive_sha256"]
    assert (data["before"]["name"], data["before"]["project_id"]) == ("archive kept.tar.zst", None)


def test_the_project_as_it_is_now_is_a_side(run: Run, client: Client, edited: int):
    [dataset, *_] = client.datasets.list_all(edited)
    [page] = client.images.iter_pages(dataset.id)
    assert compare(run, edited, "latest", "live")["equal"]

    client.transport.call("images.bulk.remove", {"imageIds": [page[0]["id"]]})

    data = compare(run, edited, "id:" + str(compare(run, edited)["after"]["version_id"]), "live")
    assert data["items"]["removed"] == 1
    assert (data["after"]["name"], data["after"]["version_id"]) == ("live", None)


def test_a_restored_copy_is_what_its_version_was(run: Run, versions: Versions, edited: int):
    copy = versions.restore(edited, version_num=1).project_id

    data = compare(run, edited, 1, "live", "--other-project", copy)

    assert data["equal"], data
    assert [data[side]["project_id"] for side in ("before", "after")] == [edited, copy]


@pytest.mark.parametrize("project_type", ["videos", "volumes"])
def test_other_types_are_compared_alike(
    project_type: str, run: Run, client: Client, versions: Versions, tmp_path: Path
):
    project = PlainProject(client, project_type, tmp_path)
    project.add_project()
    project.add_figure()
    versions.create(project.id)
    assert compare(run, project.id, "latest", "live")["equal"]

    project.edit_figure(geometry=box(1, 1, 3, 4))

    out = run("diff", project.id, "latest", "live", "--pictures", 1, "--html", tmp_path / "page.html")[1]
    assert out.splitlines()[0].endswith(f": 1 {project_type[:-1]} changed; 1 figure reshaped.")


def test_two_types_are_not_compared(run: Run, client: Client, project_id: int, tmp_path: Path):
    other = make_plain_project(client, tmp_path, "videos", "a bare item")

    data = compare(run, project_id, "live", "live", "--other-project", other, ends_with=3)

    assert data["error"]["kind"] == "unsupported_project"


@pytest.mark.parametrize("damage", [b"", b"no archive at all"], ids=["empty", "something else"])
def test_a_damaged_archive_is_refused(damage: bytes, run: Run, project_id: int, tmp_path: Path):
    archive, table = tmp_path / "broken.tar.zst", tmp_path / "changes.parquet"
    archive.write_bytes(damage)

    data = compare(run, project_id, archive, "live", "--changes", table, ends_with=3)

    assert data["error"]["kind"] == "format"
    assert list(tmp_path.iterdir()) == [archive]


def test_half_an_archive_is_refused(
    run: Run, client: Client, versions: Versions, project_id: int, tmp_path: Path
):
    archive = tmp_path / "half.tar.zst"
    content = read_archive(client, versions.create(project_id))
    archive.write_bytes(content[: len(content) // 2])

    data = compare(run, project_id, archive, ends_with=3)

    assert data["error"]["kind"] in {"format", "integrity"}


def test_an_archive_that_is_not_there_is_a_usage_error(run: Run, project_id: int, tmp_path: Path):
    data = compare(run, project_id, tmp_path / "none.tar.zst", "live", ends_with=2)

    assert "none.tar.zst" in data["error"]["message"]


@pytest.mark.parametrize("side", ["7", "id:987654321", "2001-01-01", "previous"])
def test_a_version_that_there_is_not_is_an_error_for_good(
    side: str, run: Run, versions: Versions, project_id: int
):
    versions.create(project_id)

    data = compare(run, project_id, side, ends_with=3)

    assert data["error"]["kind"] == "version_not_found"


@pytest.mark.parametrize(
    "arguments",
    [
        ("yesterday-ish",),
        ("1", "2", "--fail-if", "figures.remved > 2%"),
        ("1", "2", "--changes", "/nowhere/at/all/changes.parquet"),
        ("1", "2", "--html", "/"),
        ("1", "2", "--pictures", "3"),
        ("1", "2", "--pictures", "many"),
        ("1", "2", "--html", "page.html", "--pictures", "201"),
        ("1", "2", "--tolerance", "-1"),
        ("1", "2", "--tolerance", "nan"),
        ("1", "2", "--match-iou", "0"),
        ("1", "2", "--match-iou", "1.5"),
        ("1", "2", "--other-project", "0"),
    ],
    ids=" ".join,
)
def test_a_wrong_argument_is_a_usage_error_before_anything_is_read(
    arguments: tuple[str, ...], run: Run, wire: Wire
):
    code, out, err = run("diff", 7, *arguments, "--server", wire.url)

    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("sv-versioning: ")
    assert wire.requests == []


def test_a_name_that_neither_side_has_is_a_usage_error(run: Run, edited: int, tmp_path: Path):
    table = tmp_path / "changes.parquet"

    data = compare(run, edited, "--fail-if", "class[melon].after < 1", "--changes", table, ends_with=2)

    assert "'melon'" in data["error"]["message"]
    assert not table.exists()


def test_a_project_that_never_stands_still_is_to_be_tried_later(
    run: Run,
    wire: Wire,
    client: Client,
    versions: Versions,
    project_id: int,
    photos: list[Path],
):
    versions.create(project_id)
    numbers = count()
    # Each reading lists the datasets once, and finds one more than that before.
    wire.always(
        "datasets.list", first(lambda: add_dataset(client, project_id, f"late {next(numbers)}", photos[3:4]))
    )
    now = (project_id, "latest", "live", "--server", wire.url)

    data = compare(run, *now, ends_with=4)
    assert (data["error"]["kind"], data["error"]["transient"]) == ("project_changed", True)

    assert compare(run, *now, "--accept-changing")["datasets"]["added"] > 1


def test_images_that_were_uploaded_again_are_the_same(run: Run, client: Client, photos: list[Path]):
    one, other = make_project(client, photos[:2]), make_project(client, photos[:2])

    data = compare(run, one, "live", "live", "--other-project", other)

    assert data["equal"], data
    assert set(data["by_class"]) == {"lemon", "a kiwi"}
