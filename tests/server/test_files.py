"""Team Files."""

import itertools
import os
from typing import Any

import pytest
import requests

from tests.support.api import Api, Project, details_of
from tests.support.media import hash_of

_numbers = itertools.count()
CONTENT = b"0123456789"


@pytest.fixture
def folder() -> str:
    return f"/tests/{os.getpid()}-{next(_numbers)}"


def paths(api: Api, path: str, recursive: bool = True) -> list[str]:
    return [
        file["path"]
        for file in api.call("file-storage.list", {"teamId": 1, "path": path, "recursive": recursive})
    ]


def download(api: Api, path: str, **headers: str) -> requests.Response:
    return api.post("file-storage.download", {"teamId": 1, "path": path}, headers=headers)


def test_a_file_has_every_member_that_clients_read(api: Api, folder: str):
    stored = api.upload_file(f"{folder}/", "map.json", b"{}")
    assert (stored["path"], stored["name"], stored["isDir"]) == (f"{folder}/map.json", "map.json", False)
    assert stored["meta"] == {"mime": "application/json", "ext": "json", "size": 2}
    assert stored["hash"] == hash_of(b"{}")
    assert stored == api.call("file-storage.info", {"id": stored["id"]})
    assert requests.get(stored["fullStorageUrl"], timeout=30).content == b"{}"


def test_a_changed_address_opens_nothing(api: Api, folder: str):
    url = api.upload_file(f"{folder}/", "a.bin", CONTENT)["fullStorageUrl"]
    signature = url.split("/storage/")[1].split("/")[0]
    answer = requests.get(url.replace(signature, "0" * len(signature)), timeout=30)
    assert answer.status_code == 404
    details_of(answer)


@pytest.mark.parametrize("suffix", ["", "/"])
def test_the_path_of_a_file_lists_that_file(api: Api, folder: str, suffix: str):
    api.upload_file(f"{folder}/", "a.bin", CONTENT)
    api.upload_file(f"{folder}/", "a.bin.backup", CONTENT)
    for recursive in (True, False):
        assert paths(api, f"{folder}/a.bin{suffix}", recursive) == [f"{folder}/a.bin"]


def test_folders_are_listed_deep_or_one_level(api: Api, folder: str):
    for name in ("a/b/c.bin", "a/d.bin", "e.bin"):
        where, _, file_name = f"{folder}/{name}".rpartition("/")
        api.upload_file(f"{where}/", file_name, CONTENT)
    api.upload_file(f"{folder}-other/", "f.bin", CONTENT)
    assert paths(api, folder) == [f"{folder}/a/b/c.bin", f"{folder}/a/d.bin", f"{folder}/e.bin"]
    assert paths(api, f"{folder}/a/", recursive=False) == [f"{folder}/a/b/", f"{folder}/a/d.bin"]
    assert paths(api, f"{folder}/nowhere") == []


def test_pages_of_a_folder_end_with_a_token_for_the_next(api: Api, folder: str):
    for name in "abcde":
        api.upload_file(f"{folder}/", name, CONTENT)
    api.upload_file(f"{folder}/sub/", "f", CONTENT)
    body: dict[str, Any] = {"teamId": 1, "path": f"{folder}/", "recursive": False, "limit": 4}
    first = api.call("file-storage.v2.list", body)
    second = api.call("file-storage.v2.list", {**body, "continuationToken": first["continuationToken"]})
    assert [entity["name"] for entity in first["entities"] + second["entities"]] == [*"abcde", "sub"]
    assert second["continuationToken"] is None
    folders = api.call("file-storage.v2.list", {**body, "files": False})["entities"]
    assert [(entity["name"], entity["type"]) for entity in folders] == [("sub", "folder")]


def test_an_upload_replaces_what_is_there_with_a_new_id(api: Api, folder: str):
    old = api.upload_file(f"{folder}/", "a.bin", b"old")
    new = api.upload_file(f"{folder}/", "a.bin", b"new")
    assert new["id"] != old["id"]
    assert download(api, f"{folder}/a.bin").content == b"new"
    assert len(paths(api, folder)) == 1
    api.refuse("file-storage.info", {"id": old["id"]}, status=404)


def test_many_files_in_one_upload_are_answered_in_order(api: Api, folder: str):
    parts: list[tuple[str, Any]] = []
    for name in ("z.txt", "a.txt", "empty.txt"):
        parts += [
            ("name", (None, name)),
            ("path", (None, f"{folder}/")),
            ("file", (name, b"" if "e" in name else CONTENT)),
        ]
    answer = api.session.post(api.url("file-storage.bulk.upload?teamId=1"), files=parts, timeout=30)
    assert [file["name"] for file in answer.json()] == ["z.txt", "a.txt", "empty.txt"]
    assert download(api, f"{folder}/empty.txt").content == b""


def test_a_raw_body_is_a_file(api: Api, folder: str):
    content = os.urandom(3 << 20)
    answer = api.session.post(
        api.url("file-storage.upload"),
        params={"teamId": "1", "path": f"{folder}/raw.bin"},
        data=content,
        headers={"content-type": "application/octet-stream"},
        timeout=30,
    )
    assert answer.json()["hash"] == hash_of(content)
    assert download(api, f"{folder}/raw.bin").content == content


@pytest.mark.parametrize(
    ("header", "expected", "shown"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-99", CONTENT, "bytes 0-9/10"),
    ],
)
def test_a_range_is_partial_content(api: Api, folder: str, header: str, expected: bytes, shown: str):
    url = api.upload_file(f"{folder}/", "a.bin", CONTENT)["fullStorageUrl"]
    for answer in (
        download(api, f"{folder}/a.bin", range=header),
        requests.get(url, headers={"range": header}, timeout=30),
    ):
        assert answer.status_code == 206
        assert answer.content == expected
        assert answer.headers["content-range"] == shown
        assert int(answer.headers["content-length"]) == len(expected)


@pytest.mark.parametrize("header", ["bytes=0-1,4-5", "bytes=x", "lines=1-2", "bytes=5-2", "bytes=-"])
def test_a_range_that_makes_no_sense_is_ignored(api: Api, folder: str, header: str):
    api.upload_file(f"{folder}/", "a.bin", CONTENT)
    answer = download(api, f"{folder}/a.bin", range=header)
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_a_range_behind_the_end_is_refused(api: Api, folder: str):
    api.upload_file(f"{folder}/", "a.bin", CONTENT)
    answer = download(api, f"{folder}/a.bin", range="bytes=10-")
    assert answer.status_code == 416
    details_of(answer)


def test_a_download_carries_its_checksum_and_is_not_compressed(api: Api, folder: str):
    content = b"a" * 100_000
    api.upload_file(f"{folder}/", "a.txt", content)
    answer = download(api, f"{folder}/a.txt")
    assert answer.headers["x-content-checksum-sha256"] == hash_of(content)
    assert answer.headers["content-length"] == str(len(content))
    assert "content-encoding" not in answer.headers


def test_files_and_folders_are_removed(api: Api, folder: str):
    for name in ("a", "b", "sub/c", "sub/d", "subway"):
        where, _, file_name = f"{folder}/{name}".rpartition("/")
        api.upload_file(f"{where}/", file_name, CONTENT)
    api.call("file-storage.remove", {"teamId": 1, "path": f"{folder}/sub"})
    api.call("file-storage.bulk.remove", {"teamId": 1, "paths": [f"{folder}/a", f"{folder}/nothing"]})
    assert paths(api, folder) == [f"{folder}/b", f"{folder}/subway"]
    api.refuse("file-storage.download", {"teamId": 1, "path": f"{folder}/a"}, status=404)


@pytest.mark.parametrize("path", ["/../a", "/a/../../b", "/", ""])
def test_a_path_that_is_no_file_is_refused(api: Api, path: str):
    answer = api.session.post(
        api.url("file-storage.upload"),
        params={"teamId": "1", "path": path},
        data=CONTENT,
        headers={"content-type": "application/octet-stream"},
        timeout=30,
    )
    assert answer.status_code == 400
    details_of(answer)


def test_an_unknown_team_has_no_files(api: Api):
    api.refuse("file-storage.list", {"teamId": 99, "path": "/"}, status=404)


def test_files_do_not_change_a_project(api: Api, project: Project, folder: str):
    before = api.stamp(project.id)
    api.upload_file(f"{folder}/", "a", CONTENT)
    assert api.stamp(project.id) == before
