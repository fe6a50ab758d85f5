"""A comparison as a page: what it says, and that nothing of a project breaks it or makes it large."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_sv_versioning.compare.records import (
    Change,
    ClassDiff,
    DatasetCounts,
    DatasetDiff,
    Definition,
    FigureCounts,
    ItemCounts,
    ItemDiff,
    ItemFacts,
    ProjectDiff,
    SideFacts,
    TagCounts,
    TagDiff,
    VersionDiff,
)
from airflow_sv_versioning.compare.report import Report

TWO_MB = 2_000_000
BEFORE = SideFacts("version 3", 42, "Streets", 311, 3, "ab" * 32, {"images": 1203, "figures": 900})
AFTER = SideFacts("live", 42, "Streets", counts={"images": 1320, "figures": 910})
NOTHING = VersionDiff("images", BEFORE, AFTER)
VOID = {"meta", "input", "img"}


class _Page(HTMLParser):
    """What a page consists of; fails where its tags do not match.

    :ivar texts: without styles and scripts.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, self.getpos()
        self._part(tag)

    def _part(self, tag: str) -> None:
        """Keep apart what stands apart on the page."""
        if tag not in {"b", "bdi", "i"}:
            self._texts.append(" ")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in {"style", "script"}:
            self._texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self._texts).split())

    def values(self, name: str) -> list[str]:
        return [value or "" for attribute, value in self.attributes if attribute == name]


def _page(
    diff: VersionDiff, items: Sequence[ItemDiff] = (), report: Report | None = None, **more: Any
) -> _Page:
    report = report or Report()
    for item in items:
        report.add(item)
    return _Page(report.page(diff, **more))


def _facts(number: int = 1, name: str | None = None, dataset: str = "berlin/day") -> ItemFacts:
    return ItemFacts(number, dataset, name or f"frame {number}.jpg", 1280, 720)


def _changed(*changes: Change, number: int = 1) -> ItemDiff:
    return ItemDiff(_facts(number), _facts(number), changes, figures=5)


def _rectangle(left: int, top: int, right: int, bottom: int) -> str:
    return json.dumps({"points": {"exterior": [[left, top], [right, bottom]], "interior": []}})


def _reshaped(class_name: str = "car", **more: Any) -> Change:
    types = {"geometry_type_before": "rectangle", "geometry_type_after": "rectangle"}
    facts = {**types, "iou": 0.824, "shift_px": 12.34, **more}
    return Change(
        "figures.reshaped",
        class_before=class_name,
        class_after=class_name,
        before=_rectangle(10, 10, 50, 50),
        after=_rectangle(20, 10, 60, 50),
        **facts,
    )


def _jpeg(side: int = 64) -> bytes:
    file = BytesIO()
    Image.effect_noise((side, side), 90).save(file, "JPEG")
    return file.getvalue()


def test_the_headline_is_a_sentence() -> None:
    diff = VersionDiff(
        "images",
        BEFORE,
        AFTER,
        DatasetCounts(added=1),
        ItemCounts(added=120, removed=3, changed=1),
        FigureCounts(relabelled=50),
        tags=TagCounts(removed=1),
        by_class={
            name: ClassDiff(before=90, after=90 - out, relabelled_out=out)
            for name, out in (("bus", 14), ("car", 31), ("dog", 2), ("cat", 2), ("van", 1))
        },
        project=ProjectDiff(
            tags=(Definition("a", "added"), Definition("b", "removed")),
            readme=(Definition("readme", "changed", "old", "new"),),
        ),
    )
    page = _page(diff)

    assert (
        "+120 images, 3 removed, 1 changed; 50 figures relabelled (car 31, bus 14, cat 2, and 2 more); "
        "1 tag removed; +1 dataset; of the project itself 1 tag added, 1 tag removed, the readme changed."
    ) in page.text
    assert "version 3 → live" in page.text
    assert "1,320 was 1,203" in page.text


def test_nothing_changed_is_a_page_of_its_own() -> None:
    page = _page(NOTHING)

    assert "Nothing changed." in page.text
    assert "Both sides hold the same: datasets, images," in page.text
    assert "ab" * 32 in page.text
    assert not {"nav", "form"} & set(page.tags)


def test_equal_as_far_as_it_was_compared_is_told_so() -> None:
    page = _page(VersionDiff("images", BEFORE, AFTER, not_compared=("figures.custom_data",)))

    assert "Both sides hold the same in all that could be compared: " in page.text
    assert "figures.custom_data" in page.text


def test_only_the_project_itself_changed() -> None:
    project = ProjectDiff(settings=(Definition("multiView", "changed", False, True),))
    page = _page(VersionDiff("images", BEFORE, AFTER, project=project))

    assert "Of the project itself 1 setting changed." in page.text
    assert "changed setting multiView false true" in page.text
    assert "form" not in page.tags


def test_classes_are_listed_by_how_much_they_changed() -> None:
    by_class = {
        "few": ClassDiff(before=100, after=99, removed=1),
        "still": ClassDiff(before=7, after=7),
        "many": ClassDiff(
            before=10, after=15, added=4, relabelled_in=1, reshaped=3, iou_mean=0.876, iou_min=0.5
        ),
        "fresh": ClassDiff(after=2, added=2),
    }
    page = _page(VersionDiff("images", BEFORE, AFTER, by_class=by_class))

    assert "1 more class has the figures they had" not in page.text
    assert "1 more class has as many figures as before" in page.text
    assert re.findall(r"(many|few|still|fresh) ([^a-z]+)", page.text)[:3] == [
        ("many", "10 15 +50 % 4 0 3 1 0 0.88 0.50 "),
        ("fresh", "0 2 "),
        ("few", "100 99 \N{MINUS SIGN}1.0 % 0 1 0 0 0 \N{EN DASH} \N{EN DASH} W"),
    ]


def test_the_tree_of_datasets_counts_what_lies_below() -> None:
    by_dataset = {
        "streets/night/rain": DatasetDiff(items_before=4, items_after=6, items_added=2, figures_after=9),
        "streets/night": DatasetDiff(items_before=3, items_after=2, items_removed=1),
        "parks": DatasetDiff(items_before=8, items_after=8),
    }
    page = _page(VersionDiff("images", BEFORE, AFTER, by_dataset=by_dataset))

    minus = "\N{MINUS SIGN}1"
    assert f"parks 8 0 0 0 0 streets 8 +2 {minus} 0 0 → 9 night 8 +2 {minus} 0 0 → 9" in page.text
    assert "rain 6 +2 0 0 0 → 9" in page.text
    assert page.tags.count("details") == 2


def test_a_card_shows_outlines_before_and_after_at_the_size_of_the_item() -> None:
    page = _page(NOTHING, [_changed(_reshaped())])

    assert "berlin/day/frame 1.jpg" in page.text
    assert "1 ~ reshaped car IoU 0.82 · moved 12.3 px · rectangle" in page.text
    assert "0 0 1280 720" in page.values("viewbox")
    assert re.search(r'<g class="before"[^>]*><path d="M10 10 50 10 50 50 10 50Z"/></g>', page.html)
    assert re.search(r'<g class="after"[^>]*><path d="M20 10 60 10 60 50 20 50Z"/></g>', page.html)


def test_frames_of_a_video_have_a_picture_each() -> None:
    changes = [_reshaped(frame_from=frame) for frame in (7, 7, 9, 11, 13, 15)]
    page = _page(VersionDiff("videos", BEFORE, AFTER), [_changed(*changes)])

    assert [
        f"frame {frame}" in re.findall(r"<figcaption>(.*?)<", page.html) for frame in (7, 9, 11, 13, 15)
    ] == [
        *[True] * 4,
        False,
    ]
    assert "showing 4 of 5 frames" in page.text
    slices = _page(VersionDiff("volumes", BEFORE, AFTER), [_changed(*changes)])
    assert "slice 7" in slices.text


def test_outlines_of_an_item_of_unknown_size_are_drawn_around_them() -> None:
    item = ItemFacts(1, "ds", "volume.nrrd")
    page = _page(NOTHING, [ItemDiff(item, item, (_reshaped(),))])

    assert "6 6 59 49" in page.values("viewbox")


def test_an_outline_that_stayed_is_drawn_once() -> None:
    shape = _rectangle(1, 2, 3, 4)
    change = Change(
        "figures.relabelled", class_before="car", class_after="bus", geometry_type_after="rectangle"
    )
    told = Change(
        "figures.relabelled",
        class_before="car",
        class_after="bus",
        geometry_type_before="rectangle",
        geometry_type_after="rectangle",
        before=shape,
        after=shape,
    )
    page = _page(NOTHING, [_changed(told, change)])

    assert page.html.count('<g class="same" data-n') == 1
    assert "not drawn" not in page.text
    assert "→ relabelled car → bus" in page.text


def test_a_figure_on_another_frame_is_drawn_on_both() -> None:
    page = _page(VersionDiff("videos", BEFORE, AFTER), [_changed(_reshaped(frame_from=3, frame_to=1200))])

    assert re.findall(r"<figcaption>(.*?)<", page.html) == ["frame 3", "frame 1,200"]
    assert "rectangle frame 3 → 1,200" in page.text


@pytest.mark.parametrize("kind", ["figures.added", "figures.removed", "figures.reshaped"])
def test_a_shape_that_is_due_and_not_told_is_missed(kind: str) -> None:
    types = {"geometry_type_before": "polygon", "geometry_type_after": "polygon"}
    page = _page(NOTHING, [_changed(Change(kind, class_after="car", **types))])  # type: ignore[arg-type]

    assert "not drawn: its geometry is not told" in page.text


def test_what_happened_to_an_item_and_to_values_is_told() -> None:
    moved = ItemDiff(
        _facts(name="old.jpg"),
        _facts(name="new.jpg", dataset="munich"),
        (
            Change("items.renamed"),
            Change("items.moved"),
            Change(
                "items.changed", member="custom_data", before='{"a": 1, "b": 2}', after='{"a": 1, "b": 3}'
            ),
            Change("tags.changed", tag="weather", before='"sunny"', after='"rain"', frame_from=2, frame_to=8),
            Change("items.replaced", before="12e5", after="77"),
            Change("figures.reordered"),
            Change("figures.added", count=4000),
        ),
    )
    gone, new = ItemDiff(_facts(2), None, (), figures=1), ItemDiff(None, _facts(3), (), figures=14)
    page = _page(NOTHING, [moved, gone, new])

    for text in (
        "munich/new.jpg was berlin/day/old.jpg 1280 \N{MULTIPLICATION SIGN} 720",
        "≠ changed custom data b 2 3",
        "≠ changed tag weather sunny rain frames 2\N{EN DASH}8",
        "≠ replaced content 12e5 77",
        "≠ reordered figures",
        "+ added 4,000 times",
        "Removed with 1 figure.",
        "Added with 14 figures.",
    ):
        assert text in page.text


def test_the_page_can_be_filtered_by_class_and_kind() -> None:
    items = [_changed(_reshaped("car"), Change("tags.added", tag="a")), _changed(_reshaped("bus"), number=2)]
    page = _page(NOTHING, items)

    assert page.html.count('data-k="figures.reshaped') == 2
    assert [value for value in page.values("data-c") if value] == ["0", "1"]
    assert '<option value="0">car</option>' in page.html
    assert {"figures.reshaped", "tags.added"} <= set(page.values("value"))
    assert "figures reshaped 2" in page.text
    # It does nothing where scripts are off, and is not shown then.
    assert '<form class="filters" hidden>' in page.html


def test_what_is_cut_is_told() -> None:
    items = [_changed(*[_reshaped()] * 40, number=number) for number in range(9)]
    page = _page(NOTHING, items, Report(items=4))

    assert "showing 4 of 9 changed images: the first, as many as there is room for" in page.text
    assert "and more: 16 figures reshaped" in page.text
    assert page.tags.count("article") == 4


def test_rules_are_told_the_broken_ones_first() -> None:
    judgements = [
        ("items.added > 9", False, "items.added > 9: 3 items were added"),
        ("classes.removed > 0", True, "classes.removed > 0: 1 class was removed"),
    ]
    page = _page(NOTHING, judgements=judgements)

    assert "✕ 1 of 2 rules broken" in page.text
    assert "✕ broken classes.removed > 0 1 class was removed ✓ kept items.added > 9 3 items" in page.text
    assert "✓ all 2 rules are kept" in _page(NOTHING, judgements=judgements[:1] * 2).text


def test_the_first_items_get_their_pictures() -> None:
    asked = []

    def picture(item: ItemFacts) -> bytes | None:
        asked.append(item.item_id)
        return {1: _jpeg(), 2: None, 3: b"GIF89a", 4: _jpeg() + bytes(300_000)}[item.item_id]

    items = [_changed(_reshaped(), number=number) for number in range(1, 6)]
    page = _page(NOTHING, items, Report(pictures_count=4), pictures=picture)

    assert asked == [1, 2, 3, 4]
    address = f"data:image/jpeg;base64,{b64encode(_jpeg()).decode()[:20]}"
    assert [value.startswith(address) for value in page.values("href") if value.startswith("data")] == [True]
    assert "Its picture is neither JPEG nor PNG." in page.text
    assert "Its picture is too large for this page." in page.text


def test_a_picture_of_a_video_stands_beside_outlines_of_its_frames() -> None:
    diff = VersionDiff("videos", BEFORE, AFTER)
    page = _page(diff, [_changed(_reshaped(frame_from=3))], pictures=lambda _: _jpeg())

    assert page.tags.count("img") == 1
    assert "image" not in page.tags


def test_a_class_has_its_own_colour_or_one_that_its_name_always_gets() -> None:
    diff = VersionDiff(
        "images", BEFORE, AFTER, by_class={"car": ClassDiff(0, 1, 1), "bus": ClassDiff(0, 1, 1)}
    )
    page = _page(diff, report=Report(colours={"car": "#12ab9F", "bus": "red;background:url(//evil)"}))

    assert "--c:#12ab9F" in page.values("style")
    assert "evil" not in page.html
    assert page.html == _page(diff, report=Report(colours={"car": "#12ab9F"})).html


def _hostile() -> list[str]:
    return [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "</style></script><b>",
        "{{ 7 * 7 }}{% include 'x' %}",
        "long" * 2500,
        "\u202egnp.exe\u2066\u200f",
        "\x00\x01\x1b[31m\u2028\ud800",
        "a" + "\u0301" * 500,
        "",
        "/" * 500,
    ]


def _hostile_diff(names: Sequence[str]) -> tuple[VersionDiff, list[ItemDiff]]:
    definitions = tuple(Definition(name, name, name, {name: [name]}) for name in names)
    side = SideFacts(names[0], 1, names[1], archive_sha256=names[2], counts={names[0]: 1})
    diff = VersionDiff(
        "images",
        side,
        side,
        by_class={name: ClassDiff(0, 1, 1, relabelled_out=1) for name in names},
        by_dataset={name: DatasetDiff(0, 1, 1) for name in names},
        by_tag={name: TagDiff(0, 1, 1) for name in names},
        figures=FigureCounts(relabelled=len(names)),
        project=ProjectDiff(definitions, definitions, readme=(Definition("readme", "changed", *names[:2]),)),
        not_compared=tuple(names),
    )
    items = []
    for name in names:
        item = ItemFacts(1, name, name, -5, 10**30, name)
        change = Change("tags.changed", name, None, None, None, None, name, name, name, name)
        drawn = Change(
            "figures.added", class_after=name, geometry_type_after=name, after=name, frame_from=10**30
        )
        values = Change("items.changed", member="meta", before="[" * 50_000, after=json.dumps({name: name}))
        items.append(ItemDiff(item, item, (change, drawn, values)))
    return diff, items


def test_nothing_of_a_project_becomes_part_of_the_page() -> None:
    diff, items = _hostile_diff(_hostile())
    page = _page(diff, items, judgements=[(name, True, name) for name in _hostile()])

    assert page.tags.count("script") == 1
    assert page.tags.count("style") == 1
    assert "img" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "{{ 7 * 7 }}" in page.text
    assert "(no name)" in page.text
    assert "-5" not in page.text
    # Nothing that is unseen, turns the direction around, or piles up.
    assert not re.search("[\x00-\x08\x0b-\x1f\u200f\u2028\u202e\u2066\ud800]", page.html)
    assert "\u0301" * 5 not in page.html
    assert "long" * 100 not in page.html


def _assert_no_network(page: _Page) -> None:
    loaded = [
        value for name in ("src", "href", "xlink:href", "action", "srcset") for value in page.values(name)
    ]
    assert [value for value in loaded if not value.startswith(("#", "data:image/"))] == []
    assert "link" not in page.tags
    styles = "".join([*page.values("style"), *re.findall(r"<style>(.*?)</style>", page.html, re.DOTALL)])
    assert "url(" not in styles
    assert "@import" not in styles
    assert not re.search(r"https?:|fetch|XMLHttp|import\(", page.html)


def test_the_page_needs_no_network_and_lets_no_other_script_run() -> None:
    page = _page(NOTHING, [_changed(_reshaped())], pictures=lambda _: _jpeg())

    _assert_no_network(page)
    (script,) = re.findall(r"<script>(.*?)</script>", page.html, re.DOTALL)
    (policy,) = [value for value in page.values("content") if value.startswith("default-src 'none'")]
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy


@pytest.mark.parametrize("letter", ["'", "\U0001f6a6"])
def test_a_page_has_at_most_2_mb_whatever_there_is(letter: str, tmp_path: Path) -> None:
    def name(number: int) -> str:
        return f"{number} {letter * 900}"

    item = _facts(name=name(0), dataset=name(1))
    changes = tuple(_reshaped(name(number), tag=name(number)) for number in range(30))
    report = Report(items=50_000)
    for _ in range(50_000):
        report.add(ItemDiff(item, item, changes, 5))
    definitions = tuple(Definition(name(n), "changed", {name(n): name(n)}, {}) for n in range(3_000))
    diff = VersionDiff(
        "images",
        BEFORE,
        AFTER,
        items=ItemCounts(changed=50_000),
        by_class={name(n): ClassDiff(n, n + 1, 1, iou_mean=0.5) for n in range(300)},
        by_dataset={f"{name(n % 7)}/{name(n)}": DatasetDiff(n, n, 0, 0, n % 5) for n in range(2_000)},
        by_tag={name(n): TagDiff(n, n + 1, 1) for n in range(3_000)},
        project=ProjectDiff(settings=definitions),
        not_compared=tuple(map(name, range(3_000))),
    )
    path = tmp_path / "report.html"
    report.write(path, diff, [(name(n), True, name(n)) for n in range(300)])

    assert 600_000 < path.stat().st_size <= TWO_MB
    page = _Page(path.read_text(encoding="utf-8"))
    _assert_no_network(page)
    for noun in (
        "changed images",
        "classes that changed",
        "tags that changed",
        "datasets",
        "changes",
        "columns",
    ):
        assert re.search(rf"showing [\d,]+ of [\d,]+ {noun}", page.text)


def test_an_item_of_many_changes_has_a_bounded_card() -> None:
    ring = [[number % 97, number % 89] for number in range(600)]
    shape = json.dumps({"points": {"exterior": ring, "interior": []}})
    change = Change(
        "figures.reshaped",
        geometry_type_before="polygon",
        geometry_type_after="polygon",
        before=shape,
        after=shape.replace("1", "2"),
    )
    page = _page(NOTHING, [_changed(*[change] * 5_000)])

    assert len(page.html) < 100_000
    assert "not drawn: the picture is full" in page.text
    assert "and more: 4,976 figures reshaped" in page.text


def test_a_readme_is_compared_by_line() -> None:
    old = "\n".join(f"line {number}" for number in range(1000))
    readme = (Definition("readme", "changed", old, old.replace("line 5\n", "line five\n")),)
    page = _page(VersionDiff("images", BEFORE, AFTER, project=ProjectDiff(readme=readme)))

    assert "\N{MINUS SIGN} line 5 + line five" in page.text
    # Beyond some hundred lines it is not looked.
    assert "and 600 more" in page.text
