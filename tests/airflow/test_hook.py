import inspect
import re
import sys
from types import ModuleType
from typing import Any

import pytest
from airflow.sdk import Connection

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.get_provider_info import get_provider_info
from airflow_sv_versioning.hooks.connection import client_arguments
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from tests.support.proxy import Reply
from tests.support.types import Client, Patch, Server, SetConnection, Wire

TOKEN = "a-token-of-some-length"
FORM = get_provider_info()["connection-types"][0]


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "https://x.example"}, "https://x.example"),
        ({"host": "https://x.example/"}, "https://x.example"),
        ({"host": "https://x.example:8443/base"}, "https://x.example:8443/base"),
        ({"host": "x.example"}, "https://x.example"),
        ({"host": "x.example", "port": 8443}, "https://x.example:8443"),
        ({"host": "http://x.example/base", "port": 8080}, "http://x.example:8080/base"),
        ({"host": "http://x.example:8080", "port": 8080}, "http://x.example:8080"),
        ({"host": "x.example", "schema": "http"}, "http://x.example"),
        ({"host": "https://x.example", "schema": "http"}, "https://x.example"),
        ({"host": "x.example", "schema": "base", "port": 8443}, "https://x.example:8443/base"),
        ({"host": "127.0.0.1", "port": 5000}, "http://127.0.0.1:5000"),
        ({"host": "http://[::1]", "port": 5000}, "http://[::1]:5000"),
        ({"host": "::1", "port": 5000}, "http://[::1]:5000"),
        ({"host": "2001:db8::1"}, "https://[2001:db8::1]"),
        ({"host": "2001:db8::1/base", "port": 8443}, "https://[2001:db8::1]:8443/base"),
        ({"host": "x.example", "port": "8443"}, "https://x.example:8443"),
        ({"host": "x.example", "schema": "HTTP"}, "http://x.example"),
        ({"host": "HTTPS://x.example", "schema": "http"}, "https://x.example"),
    ],
)
def test_the_address_may_be_spread_over_the_connection(fields, url, set_connection: SetConnection):
    set_connection(password=TOKEN, **fields)

    with SuperviselyHook() as hook:
        assert hook.client.server_url == url


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        (f"supervisely://:{TOKEN}@x.example:8443/base", "https://x.example:8443/base"),
        (f"supervisely://http://:{TOKEN}@x.example:8443", "http://x.example:8443"),
        (f"supervisely://:{TOKEN}@[::1]:5000", "http://[::1]:5000"),
        (f"supervisely://:{TOKEN}@[2001:db8::1]:5000/base", "https://[2001:db8::1]:5000/base"),
        (f"supervisely://:{TOKEN}@https%3A%2F%2Fx.example%3A8443%2Fbase", "https://x.example:8443/base"),
    ],
)
def test_the_uri_form_of_a_connection_works(uri: str, url: str, monkeypatch: Patch):
    monkeypatch.setenv("AIRFLOW_CONN_SUPERVISELY_DEFAULT", f"{uri}/?verify_ssl=false&timeout=5&max_workers=3")

    with SuperviselyHook() as hook:
        assert hook.get_conn().server_url == url
        assert hook.client.max_workers == 3


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"verify_ssl": "maybe"}, "verify_ssl .* true or false"),
        ({"timeout": "soon"}, "timeout .* number of seconds"),
        ({"timeout": 0}, "timeout .* above 0"),
        ({"timeout": "nan"}, "timeout .* above 0"),
        ({"timeout": True}, "timeout .* number of seconds"),
        ({"timeout": 10**400}, "timeout .* number of seconds"),
        ({"timeout": 10**9}, "timeout .* at most 86400"),
        ({"timeout": "\uff13\uff10"}, "timeout .* number of seconds"),
        ({"timeout": [30]}, "timeout .* number of seconds"),
        ({"max_workers": 0}, "max_workers .* whole number from 1"),
        ({"max_workers": 1.5}, "max_workers .* whole number from 1"),
        ({"max_workers": True}, "max_workers .* whole number from 1"),
        ({"max_workers": 10**9}, "max_workers .* whole number from 1 to 256"),
        ({"max_workers": "\u00b2"}, "max_workers .* whole number from 1"),
        ({"max_workers": "9" * 5000}, "max_workers .* whole number from 1"),
        ({"ca_file": True}, "ca_file .* path of a file"),
        ({"trusted_stamps": "videos, films"}, "trusted_stamps .* list of some of images, videos, volumes"),
        ({"trusted_stamps": 1}, "trusted_stamps .* list of some of images, videos, volumes"),
        ({"ca_file": "/nowhere.pem"}, "CA file /nowhere.pem .* cannot be used"),
        ([1, 2], "extra .* must be a JSON object"),
        ("[1, 2]", "extra .* must be a JSON object"),
        ("verify_ssl=false", "extra .* must be a JSON object"),
        ('"text"', "extra .* must be a JSON object"),
        ("7", "extra .* must be a JSON object"),
    ],
)
def test_an_extra_that_cannot_work_is_named(extra: Any, message: str, set_connection: SetConnection):
    set_connection(host="x.example", password=TOKEN, extra=extra)

    with pytest.raises(ConfigurationError, match=message):
        _ = SuperviselyHook().client


@pytest.mark.parametrize("types", [["videos", "volumes"], "videos, volumes"])
def test_stamps_are_trusted_as_a_list_or_as_the_text_of_a_form(types: Any, set_connection: SetConnection):
    set_connection(host="x.example", password=TOKEN, extra={"trusted_stamps": types})

    with SuperviselyHook() as hook:
        assert hook.client.trusted_stamps == {"videos", "volumes"}


@pytest.mark.parametrize(
    "extra", [{"max_workers": None, "timeout": "", "ca_file": ""}, None, "null", "", " ", "{}"]
)
def test_an_empty_extra_means_the_default(extra: Any, set_connection: SetConnection):
    set_connection(host="x.example", password=TOKEN, extra=extra)

    with SuperviselyHook() as hook:
        assert hook.client.max_workers == 8


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"password": TOKEN}, "has no host; set it to the server's address"),
        ({"host": "x.example"}, "has no password; set it to the API token"),
        ({"host": "x.example:1", "port": 2, "password": TOKEN}, "port 1 in its host and 2 as port"),
        ({"host": "ftp://x.example", "password": TOKEN}, "not an HTTP address"),
        ({"host": "https://x.example/projects/7", "password": TOKEN}, "write https://x.example"),
        ({"host": "x.example", "port": 70000, "password": TOKEN}, "port .* whole number from 1 to 65535"),
        ({"host": "x.example", "port": "many", "password": TOKEN}, "cannot read .* AIRFLOW_CONN_"),
        ({"host": "x.example", "password": 12345}, "cannot read .* password are texts"),
        ({"host": ["x.example"], "password": TOKEN}, "cannot read .* host and password are texts"),
    ],
)
def test_a_connection_that_cannot_work_says_what_to_do(fields, message, set_connection: SetConnection):
    set_connection(**fields)

    with pytest.raises(ConfigurationError, match=message):
        _ = SuperviselyHook().client


@pytest.mark.parametrize(("password", "token"), [(1234567, "1234567"), (f" {TOKEN}\n", TOKEN)])
def test_a_password_of_digits_alone_is_a_token(password: Any, token: str):
    """As a backend of secrets may give it; Airflow itself cannot read it from the environment."""
    assert (
        client_arguments(Connection(conn_id="x", host="x.example", password=password), mask=False)["token"]
        == token
    )


@pytest.mark.parametrize("fields", [{"password": True}, {"password": ["x"]}, {"host": True}, {"schema": 1.5}])
def test_what_cannot_be_a_text_is_named(fields: dict[str, Any]):
    given = {"host": "x.example", "password": TOKEN, **fields}

    with pytest.raises(
        ConfigurationError, match=f"The {next(iter(fields))} of connection 'x' must be a text"
    ):
        client_arguments(Connection(conn_id="x", **given), mask=False)


def test_an_unknown_key_of_the_extra_is_warned_of(set_connection: SetConnection, caplog):
    set_connection(host="x.example", password=TOKEN, extra={"verify_tls": False})

    with SuperviselyHook() as hook, caplog.at_level("WARNING"):
        assert hook.client.server_url == "https://x.example"

    assert "'verify_tls' in its extra, which means nothing here (did you mean 'verify_ssl'?)" in caplog.text


def test_a_missing_connection_is_named_with_what_to_do(airflow_db: None):
    hook = SuperviselyHook("nowhere")

    with pytest.raises(ConfigurationError, match="no connection 'nowhere'; add one of type 'Supervisely'"):
        _ = hook.client


def test_nothing_is_read_before_the_first_use(monkeypatch: Patch):
    monkeypatch.setattr(SuperviselyHook, "get_connection", lambda conn_id: pytest.fail("read too early"))

    with SuperviselyHook("nowhere"):
        pass


def test_a_closed_hook_opens_again(connection: None):
    hook = SuperviselyHook()
    with hook:
        first = hook.client
        assert hook.client is first
    with hook:
        assert hook.client is not first


def test_the_token_is_masked_in_logs(monkeypatch: Patch, set_connection: SetConnection):
    masked: list[str] = []
    monkeypatch.setattr("airflow_sv_versioning.hooks.connection.mask_secret", masked.append)
    set_connection(host="x.example", password=f" {TOKEN}\n")

    with SuperviselyHook() as hook:
        _ = hook.client

    assert masked == [TOKEN]


def test_the_test_button_tells_whom_the_token_belongs_to(connection: None, server: Server, client: Client):
    works, message = SuperviselyHook().test_connection()

    assert works
    assert client.accounts.get_me().login in message
    assert server.url in message
    assert "sv-versioning doctor" in message
    assert server.token not in message


def test_the_test_button_tells_of_a_wrong_token(server: Server, set_connection: SetConnection):
    set_connection(host=server.url, password=TOKEN)

    works, message = SuperviselyHook().test_connection()

    assert not works
    assert "Check the API token" in message
    assert TOKEN not in message


def test_the_test_button_tells_of_a_server_that_is_down(one_try: None, set_connection: SetConnection):
    # Nothing listens on the port that is reserved for nothing.
    set_connection(host="http://127.0.0.1:1", password=TOKEN)

    works, message = SuperviselyHook().test_connection()

    assert not works
    assert "cannot connect" in message
    assert TOKEN not in message


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, {}, b"<html><title>404 Not Found</title></html>"),
        Reply(404, {}, b'{"detail": "Not Found"}'),
        Reply(405, {}, b"Method Not Allowed"),
        Reply(501, {}, b"<html>Unsupported method</html>"),
        Reply(200, {}, b"<html><title>Welcome to nginx!</title></html>"),
        Reply(200, {}, b""),
        Reply(204, {}, b""),
        Reply(200, {}, b'{"status": "ok"}'),
        Reply(200, {}, b"null"),
    ],
)
def test_the_test_button_tells_of_a_web_server_that_is_no_supervisely(reply, proxy: Wire, one_try: None):
    proxy.always("users.me", lambda _: reply)

    works, message = SuperviselyHook().test_connection()

    assert not works
    assert re.search(f"Is ({proxy.url}|the host of the connection) a Supervisely server", message)


def test_the_test_button_tells_of_a_missing_connection(airflow_db: None):
    works, message = SuperviselyHook("nowhere").test_connection()

    assert not works
    assert "add one of type 'Supervisely'" in message


class _Field:
    """What Airflow 3.1 puts in the place of wtforms' fields."""

    def __init__(self, label: str, description: str = "", default: Any = None) -> None:
        self.declared = {"label": label, "description": description, "default": default}


class _BooleanField(_Field):
    kind = "boolean"


class _IntegerField(_Field):
    kind = "integer"


class _StringField(_Field):
    kind = "string"


def test_the_form_of_airflow_3_1_agrees_with_the_declaration(monkeypatch: Patch):
    wtforms = ModuleType("wtforms")
    wtforms.__dict__.update(BooleanField=_BooleanField, IntegerField=_IntegerField, StringField=_StringField)
    monkeypatch.setitem(sys.modules, "wtforms", wtforms)

    widgets = SuperviselyHook.get_connection_form_widgets()
    behaviour = SuperviselyHook.get_ui_field_behaviour()

    assert {
        name: {
            "label": field.declared["label"],
            "description": field.declared["description"],
            "type": [field.kind, "null"],
            "default": field.declared["default"],
        }
        for name, field in widgets.items()
    } == {
        name: {
            "label": field["label"],
            "description": field["description"],
            "type": field["schema"]["type"],
            "default": field["schema"]["default"],
        }
        for name, field in FORM["conn-fields"].items()
    }
    assert behaviour == {
        "hidden_fields": FORM["ui-field-behaviour"]["hidden-fields"],
        "relabeling": FORM["ui-field-behaviour"]["relabeling"],
        "placeholders": FORM["ui-field-behaviour"]["placeholders"],
    }


def test_the_form_shows_the_defaults_of_the_client():
    parameters = inspect.signature(Client).parameters

    assert {name: field["schema"]["default"] for name, field in FORM["conn-fields"].items()} == {
        name: parameters[name].default for name in FORM["conn-fields"]
    }


def test_the_class_and_the_declaration_agree():
    assert FORM["connection-type"] == SuperviselyHook.conn_type
    assert FORM["hook-name"] == SuperviselyHook.hook_name
    assert FORM["hook-class-name"] == f"{SuperviselyHook.__module__}.{SuperviselyHook.__qualname__}"
    assert SuperviselyHook.conn_name_attr in inspect.signature(SuperviselyHook).parameters
