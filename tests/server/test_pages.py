"""The pages for people: what addresses and buttons lead to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.api import Api, Project


@pytest.fixture
def browser(shared_server: EmbeddedServer) -> Iterator[Browser]:
    with Browser(shared_server) as opened:
        yield opened


@pytest.fixture
def visitor(browser: Browser) -> Browser:
    """A browser that has logged in."""
    browser.log_in()
    return browser


class Browser(requests.Session):
    """What a person does at the pages."""

    def __init__(self, server: EmbeddedServer) -> None:
        super().__init__()
        self.info = server.info
        self.headers["accept"] = "text/html,*/*;q=0.8"

    def open(self, path: str) -> requests.Response:
        return self.get(self.info.url + path, timeout=30)

    def log_in(self, token: str | None = None, wanted: str = "/projects") -> requests.Response:
        form = {"token": self.info.token if token is None else token, "next": wanted}
        return self.post(f"{self.info.url}/login", data=form, timeout=30)

    def table(self, path: str) -> list[list[str]]:
        answer = self.open(path)
        assert answer.status_code == 200, answer.text
        return Table.read(answer.text)


class Table(HTMLParser):
    """The texts of a page's table, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_in_cell = False

    @classmethod
    def read(cls, text: str) -> list[list[str]]:
        parser = cls()
        parser.feed(text)
        return parser.rows

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self._is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        if self._is_in_cell:
            self.rows[-1][-1] += data


def path_of(answer: requests.Response) -> str:
    return urlsplit(answer.url).path


def commit(api: Api, project: Project, title: str) -> int:
    reserved = api.call("projects.versions.reserve", {"projectId": project.id})
    file = api.upload_file(f"/system/versions/{project.id}/", f"{reserved['id']}.tar.zst", b"archive")
    stamp = {"projectUpdatedAt": api.stamp(project.id), "teamFileId": file["id"], "title": title}
    api.call("projects.versions.commit", {**reserved, **stamp})
    return int(reserved["id"])


def record(api: Api, project: Project, entries: object) -> None:
    api.upload_file(f"/system/versions/{project.id}/", "versions.json", json.dumps(entries).encode())


def test_a_browser_shows_the_token_once_and_gets_where_it_wanted(project: Project, browser: Browser):
    wanted = f"/projects/{project.id}/versions"

    asked = browser.open(wanted)
    assert path_of(asked) == "/login"
    assert f'value="{wanted}"' in asked.text
    assert path_of(browser.log_in(wanted=wanted)) == wanted
    assert path_of(browser.open(wanted)) == wanted


def test_a_wrong_token_opens_nothing(project: Project, browser: Browser):
    assert browser.log_in(token="guessed").status_code == 401
    assert path_of(browser.open(f"/projects/{project.id}/datasets")) == "/login"


def test_the_cookie_opens_no_method_and_no_script_reads_it(visitor: Browser):
    cookies: Any = visitor.cookies
    [cookie] = cookies

    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.value != visitor.info.token
    answer = requests.post(
        f"{visitor.info.url}/public/api/v3/users.me", headers={"x-api-key": str(cookie.value)}, timeout=30
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "wanted",
    ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "", "/projects\r\nx: y"],
)
def test_a_login_leads_to_no_other_place(browser: Browser, wanted: str):
    assert path_of(browser.log_in(wanted=wanted)) == "/projects"


def test_projects_are_listed_with_their_counts(api: Api, visitor: Browser):
    project = api.project(name="counted <b>project</b>")
    image_id = api.image(project)
    api.figure(project, image_id)
    api.figure(project, image_id)
    commit(api, project, "first")

    [row] = [row for row in visitor.table("/projects") if row[0] == str(project.id)]

    assert row[1:8] == ["counted <b>project</b>", "images", "Workspace", "1", "1", "2", "1"]
    assert "<b>project</b>" not in visitor.open("/projects").text


def test_datasets_are_listed_as_a_tree(api: Api, project: Project, visitor: Browser):
    api.call("datasets.add", {"projectId": project.id, "name": "inner", "parentId": project.dataset_id})
    api.figure(project, api.image(project))

    rows = visitor.table(f"/projects/{project.id}/datasets")

    assert [row[1:4] for row in rows[1:]] == [["first", "1", "1"], ["first / inner", "0", "0"]]


def test_versions_are_listed_with_what_their_client_recorded(api: Api, project: Project, visitor: Browser):
    first = commit(api, project, "first")
    api.image(project)
    second = commit(api, project, "second")
    record(api, project, {str(first): {"counts": {"images": 3, "figures": 9}}, "latest": second})

    rows = visitor.table(f"/projects/{project.id}/versions")

    assert [row[:3] for row in rows[1:]] == [["2", str(second), "second"], ["1", str(first), "first"]]
    assert [row[4] for row in rows[1:]] == ["not recorded", "3 images, 9 figures"]
    assert f'id="version-{first}"' in visitor.open(f"/projects/{project.id}/versions").text


def test_a_version_whose_archive_is_gone_says_so(api: Api, project: Project, visitor: Browser):
    version = commit(api, project, "first")
    path = f"/system/versions/{project.id}/{version}.tar.zst"
    api.call("file-storage.remove", {"teamId": 1, "path": path})

    assert visitor.table(f"/projects/{project.id}/versions")[1][5] == "gone from Team Files"


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[1]", b'{"1": 2, "2": {"counts": [1]}}', b"\xff", b"[" * 100_000]
)
def test_a_broken_map_hides_no_version(api: Api, project: Project, visitor: Browser, content: bytes):
    commit(api, project, "first")
    api.upload_file(f"/system/versions/{project.id}/", "versions.json", content)

    assert visitor.table(f"/projects/{project.id}/versions")[1][4] == "not recorded"


@pytest.mark.parametrize(
    "path", ["/projects/999999999", "/projects/x/versions", f"/projects/{10**30}/versions"]
)
def test_a_project_that_is_not_there_is_a_page_that_says_so(visitor: Browser, path: str):
    answer = visitor.open(path)

    assert answer.status_code == 404
    assert "<h1>404 Not Found</h1>" in answer.text


def test_pages_run_nothing_and_load_nothing(visitor: Browser):
    for path in ("/login", "/projects", "/projects/1/versions"):
        answer = visitor.open(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_root_leads_people_to_the_projects_and_tells_programs_what_this_is(visitor: Browser):
    assert path_of(visitor.open("/")) == "/projects"
    assert requests.get(visitor.info.url, timeout=30).json()["api"] == "/public/api/v3"
