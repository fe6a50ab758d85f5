"""Requests of somebody who wants the server to fail, or a browser to run what was uploaded."""

import base64
import json
import stat
from pathlib import Path

import pytest
import requests

from airflow_sv_versioning.server.routes import call
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.api import Api, Project, details_of, png
from tests.support.types import Patch

DEEP = 100_000


def token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "after",
    [
        "no token",
        "é",
        token("5"),
        token("[1]"),
        token("[[1], 2]"),
        token('[{"a": 1}, 2]'),
        token(f"[1, {10**30}]"),
        token(f"[{10**30}, 1]"),
        token('["a", 1, 2]'),
        token("[" * DEEP),
    ],
    ids=lambda after: after[:20],
)
def test_a_token_of_no_listing_is_refused(api: Api, project: Project, after: str):
    api.refuse("datasets.list", {"projectId": project.id, "pagination_mode": "token", "after": after})


@pytest.mark.parametrize("page", [0, -1, 10**12, 10**18, 2**63, "\N{FULLWIDTH DIGIT ONE}"])
def test_a_page_that_cannot_be_is_refused(api: Api, page: object):
    api.refuse("projects.list", {"workspaceId": 1, "page": page, "per_page": 1000})


@pytest.mark.parametrize(
    "wanted",
    ["bytes=" + "9" * 5000 + "-", "bytes=0-" + "9" * 5000, "bytes=--1", "bytes=1-0", "lines=0-1", "²"],
)
def test_a_range_that_means_nothing_gets_the_whole_file(api: Api, wanted: str):
    url = api.upload_file("/ranges/", "a.bin", b"0123456789")["fullStorageUrl"]

    answer = requests.get(url, headers={"range": wanted.encode()}, timeout=30)

    assert (answer.status_code, answer.content) == (200, b"0123456789")


@pytest.mark.parametrize(
    "body",
    ["[" * DEEP, '{"id":' * DEEP, '{"id":' + "[" * DEEP + "]" * DEEP + "}"],
    ids=["lists", "objects", "whole"],
)
def test_a_body_nested_without_end_is_refused(api: Api, body: str):
    answer = api.session.post(api.url("projects.info"), data=body, timeout=60)

    assert answer.status_code == 400
    details_of(answer)


def test_a_parameter_nested_without_end_is_a_text(api: Api):
    answer = api.session.get(api.url("projects.info"), params={"id": "[" * 20_000}, timeout=60)

    assert answer.status_code == 400


def test_a_body_without_end_is_refused_before_it_fills_the_memory(api: Api, monkeypatch: Patch):
    monkeypatch.setattr(call, "MAX_BODY", 1 << 20)

    answer = api.session.post(
        api.url("projects.info"), data=(b" " * (1 << 16) for _ in range(32)), timeout=60
    )

    assert answer.status_code == 413
    details_of(answer)


@pytest.mark.parametrize(
    "name", ["page.html", "page.htm", "drawing.svg", "feed.xml", "page.xhtml", "code.js"]
)
def test_what_a_browser_would_run_is_served_as_bytes(api: Api, name: str):
    url = api.upload_file("/run/", "data.bin", b"<script>alert(1)</script>")["fullStorageUrl"]

    answer = requests.get(url.replace("data.bin", name), timeout=30)

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_picture_is_still_shown_as_one(api: Api):
    url = api.upload_file("/run/", "picture.png", png())["fullStorageUrl"]

    assert requests.get(url, timeout=30).headers["content-type"] == "image/png"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_read_what_a_server_keeps(tmp_path: Path):
    data = tmp_path / "data"
    with EmbeddedServer(data) as server, Api(server.info) as api:
        api.upload(png())
        assert {path: mode(path) & 0o077 for path in data.rglob("*") if path.is_file()} == {
            path: 0 for path in data.rglob("*") if path.is_file()
        }
    assert mode(data) == 0o700


def test_a_folder_of_an_older_server_becomes_private(tmp_path: Path):
    data = tmp_path / "data"
    with EmbeddedServer(data):
        pass
    data.chmod(0o755)
    (data / "server.sqlite").chmod(0o644)

    with EmbeddedServer(data):
        pass

    assert (mode(data), mode(data / "server.sqlite")) == (0o700, 0o600)


def test_a_folder_that_holds_other_things_keeps_its_mode(tmp_path: Path):
    (tmp_path / "mine.txt").write_text(json.dumps("mine"))
    tmp_path.chmod(0o755)

    with EmbeddedServer(tmp_path):
        assert mode(tmp_path) == 0o755
        assert mode(tmp_path / "server.sqlite") == 0o600
