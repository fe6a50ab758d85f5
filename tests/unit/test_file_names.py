"""Files of a data set: each item has one of its own, on every disk."""

import os
import random
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from airflow_sv_versioning.dataset.file_names import MAX_NAME_BYTES, MAX_PATH_BYTES, find_renamed

ESCAPED = re.compile(r".*~[0-9a-f]{8}(\.[A-Za-z0-9]+)?")


def names_of(paths: Iterable[str]) -> list[str]:
    """Name the files of items, given as ``dataset/path/name``; a ``//`` begins a name that has a ``/``."""
    split = [_parts(path) for path in paths]
    renamed = find_renamed(lambda: split)
    return [renamed.get(place, "/".join(parts)) for place, parts in enumerate(split)]


def _parts(path: str) -> tuple[str, str]:
    dataset, _, name = path.partition("//") if "//" in path else path.rpartition("/")
    return dataset, name


@pytest.mark.parametrize(
    "path",
    ["a/b.jpg", "a b/c (1).jpg", "été/Größe 1,5 €.jpeg", "x/[1] & #2 %41.png", "猫/犬.jpg", "v1.2/no suffix"],
)
def test_a_name_that_every_disk_takes_stays(path: str):
    assert names_of([path]) == [path]


@pytest.mark.parametrize(
    "name",
    [
        "..", ".", "", "...", " ", "../up.jpg", "/etc/passwd", "a\\b.jpg", "a\0b.jpg", "a\nb.jpg",
        "a\x7fb.jpg",
        "a:b.jpg", "what?.jpg", "con", "NUL.jpg", "com1.tar.gz", "lpt³.png", "end.", "end ", " begin.jpg",
        ".hidden.jpg", "a\u2028b.jpg", "a\u0085b.jpg", "n" * 256, "n" * 252 + ".j", "é" * 126 + ".jpeg",
    ],
)  # fmt: skip
def test_an_unsafe_name_is_another_one_of_the_same_suffix(name: str, tmp_path: Path):
    [found] = names_of([f"cats//{name}"])

    folder, _, file = found.partition("/")
    assert folder == "cats"
    assert ESCAPED.fullmatch(file)
    if name.endswith((".jpg", ".png", ".gz", ".jpeg")):
        assert file.endswith(name[name.rindex(".") :])
    (tmp_path / file).touch()
    assert os.listdir(tmp_path) == [file]


@pytest.mark.parametrize(
    "dataset", ["..", "a/../b", "", "a//b", "a/ b", "aux", "images", "a/Images/b", "a:b"]
)
def test_an_unsafe_folder_is_another_one(dataset: str):
    [found] = names_of([f"{dataset}//x.jpg"]) if "//" not in dataset else [_named(dataset, "x.jpg")]

    *folders, file = found.split("/")
    assert file == "x.jpg"
    assert any(ESCAPED.fullmatch(folder) for folder in folders)
    assert {"", "..", "images"}.isdisjoint(folder.lower() for folder in folders)


def _named(dataset: str, name: str) -> str:
    return find_renamed(lambda: [(dataset, name)])[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a/x.jpg", "a/x.jpg"),
        ("a/X.jpg", "a/x.JPG"),
        ("a/caf\u00e9.jpg", "a/cafe\u0301.jpg"),
        ("a/x.jpg", "a/x.png"),
        ("A/x.jpg", "a/x.jpg"),
        ("a/Straße.jpg", "a/STRASSE.jpg"),
    ],
)
def test_of_two_names_that_clash_the_second_is_another_one(first: str, second: str):
    first, second = sorted((first, second))
    found = names_of([second, first])

    assert found[1 if first != second else 0] == first
    other = found[0 if first != second else 1]
    assert ESCAPED.fullmatch(other)
    assert other.rpartition(".")[2] == second.rpartition(".")[2]


@pytest.mark.parametrize("dataset", ["a/x.jpg", "a/x.txt", "A/X.JPG/deep"])
def test_a_file_never_stands_where_a_folder_is(dataset: str):
    [file, within] = names_of(["a/x.jpg", f"{dataset}/y.jpg"])

    assert ESCAPED.fullmatch(file)
    assert within == f"{dataset}/y.jpg"


def test_what_another_name_would_be_is_given_to_nobody_twice():
    [_, escaped] = names_of(["a/x.jpg", "a/x.png"])

    paths = ["a/x.jpg", "a/x.png", escaped]
    found = names_of(paths)

    assert found[2] == escaped
    assert len(set(found)) == 3


def test_names_rest_neither_on_the_order_of_items_nor_on_their_number():
    generator = random.Random(17)
    words = ["a", "A", "images", "x.jpg", "X.png", "..", "con", "é", "e\u0301", "b.txt", "b"]
    paths = [
        ("/".join(generator.choices(words, k=generator.randint(1, 3))), generator.choice(words))
        for _ in range(400)
    ]
    paths = list(dict.fromkeys(paths))

    def named(order: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
        renamed = find_renamed(lambda: order)
        return {path: renamed.get(place, "/".join(path)) for place, path in enumerate(order)}

    found = named(paths)

    assert found == named(paths[::-1]) == named(sorted(paths))
    stems = [
        name.rpartition(".")[0].lower() if "." in name.rpartition("/")[2] else name.lower()
        for name in found.values()
    ]
    assert len(set(stems)) == len(paths)


def test_a_path_fits_into_every_bucket():
    deep = "/".join(["d" * 100] * 9)

    found = names_of([f"{deep}/x.jpg", f"{deep}/y.jpg", f"{'e' * 250}/{'e' * 250}/{'n' * 250}.jpg"])

    assert len(set(found)) == 3
    for name in found:
        assert len(name.encode()) <= MAX_PATH_BYTES
        assert all(len(part.encode()) <= MAX_NAME_BYTES for part in name.split("/"))
