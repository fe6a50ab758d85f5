"""Every kind of failure has the one shape, and none of them is the server's fault."""

import socket
import ssl

import pytest
import requests

from tests.support.api import Api, Project, details_of

INFO_METHODS = [
    "users.info",
    "teams.info",
    "workspaces.info",
    "projects.info",
    "projects.meta",
    "datasets.info",
    "images.info",
    "images.download",
    "figures.info",
    "advanced.object_classes.info",
    "file-storage.info",
    "tasks.info",
    "tasks.log.download",
]


@pytest.mark.parametrize("method", INFO_METHODS)
def test_an_unknown_id_is_not_found(api: Api, method: str):
    details = api.refuse(method, {"id": 99_999_999}, status=404)
    assert "99999999" in details["message"]


def test_an_unknown_method_is_not_found(api: Api):
    details = api.refuse("projects.frobnicate", {}, status=404)
    assert "projects.frobnicate" in details["message"]


@pytest.mark.parametrize("token", [None, "", "wrong", "ünïcode".encode()])
def test_a_missing_or_wrong_token_is_unauthorized(api: Api, token: str | bytes | None):
    headers = {} if token is None else {"x-api-key": token}
    for method in ("users.me", "projects.frobnicate", "file-storage.bulk.upload"):
        answer = requests.post(api.url(method), json={}, headers=headers, timeout=30)
        assert answer.status_code == 401
        details_of(answer)


def test_a_body_that_is_not_json_is_refused(api: Api):
    for body in (b"{", b'{"id": NaN}', b'{"name": "\\ud800"}', b"\xff\xfe"):
        answer = api.session.post(api.url("projects.info"), data=body, timeout=30)
        assert answer.status_code == 400
        details_of(answer)


@pytest.mark.parametrize("body", [[], "text", 7, {}, {"id": None}, {"id": "one"}, {"id": 1.5}, {"id": 2**70}])
def test_a_malformed_id_is_refused(api: Api, body: object):
    api.refuse("projects.info", body)


def test_a_multipart_body_that_is_not_multipart_is_refused(api: Api):
    api.refuse("images.bulk.upload", {})


def test_a_multipart_body_that_is_cut_short_is_refused(api: Api):
    head = b'--B\r\nContent-Disposition: form-data; name="0-file"; filename="0"\r\n\r\n'
    answer = api.session.post(
        api.url("images.bulk.upload"),
        data=head + b"half a fi",
        headers={"content-type": "multipart/form-data; boundary=B"},
        timeout=30,
    )
    assert answer.status_code == 400
    details_of(answer)


def test_a_write_is_no_get(api: Api):
    answer = api.session.get(api.url("projects.add"), params={"workspaceId": "1", "name": "got"}, timeout=30)
    assert answer.status_code == 404
    details_of(answer)


def test_a_path_outside_of_the_api_is_not_found(api: Api):
    for path in ("/favicon.ico", "/storage/0/0/a.png", "/public/api/v3/"):
        answer = api.session.get(api.info.url + path, timeout=30)
        assert answer.status_code == 404
        details_of(answer)


def test_the_root_says_what_this_is(api: Api):
    answer = requests.get(api.info.url + "/", timeout=30)
    assert answer.status_code == 200
    assert "Supervisely" in answer.json()["service"]


def test_a_tls_client_is_turned_away_and_the_next_call_works(api: Api):
    host, port = api.info.url.removeprefix("http://").split(":")
    context = ssl.create_default_context()
    with socket.create_connection((host, int(port)), timeout=30) as connection, pytest.raises(ssl.SSLError):
        context.wrap_socket(connection, server_hostname=host)
    assert api.call("instance.version")["version"]


def test_reading_methods_answer_get_with_a_query_string(api: Api, project: Project):
    answer = api.session.get(api.url("projects.info"), params={"id": project.id}, timeout=30)
    assert answer.json()["id"] == project.id
