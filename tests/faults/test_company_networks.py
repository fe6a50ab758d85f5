"""Certificates of the company's own, proxies, and pages that stand before the server."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from airflow_sv_versioning.client.links import Links, LinkState
from airflow_sv_versioning.client.surroundings import CA_VARIABLES
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    ConnectError,
    PlanRequiredError,
    RequestRejectedError,
    SuperviselyError,
    TransportError,
)
from tests.support.clients import impatient_client
from tests.support.forward_proxy import ForwardProxy, forward_proxy
from tests.support.media import serve_media
from tests.support.proxy import Reply, answer, redirect
from tests.support.tls import Authority
from tests.support.types import Client, Patch, Server, Wire

LOGIN = "<html><title>Sign in</title><form><input type=password></form></html>"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: Patch) -> None:
    """Nothing of the machine that the tests run on."""
    for name in (*CA_VARIABLES, "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def company(monkeypatch: Patch) -> Iterator[ForwardProxy]:
    """A proxy that the environment names."""
    with forward_proxy() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        yield proxy


def _ask(url: str, token: str = "token", **options) -> str:
    from airflow_sv_versioning.client import transport
    from airflow_sv_versioning.client.retry import RetryPolicy

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transport, "RetryPolicy", lambda: RetryPolicy(tries=1))
        with Client(url, token, **options) as client:
            return client.accounts.get_me().login


def _sentence(error: SuperviselyError) -> str:
    text = str(error)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


# --- certificates ---------------------------------------------------------------------------------


def test_a_ca_file_is_believed(tls: dict[str, str], server: Server, authority: Authority):
    assert _ask(tls["good"], server.token, ca_file=str(authority.file))


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_a_ca_file_of_the_environment_is_believed(
    variable, tls: dict[str, str], server: Server, authority: Authority, monkeypatch: Patch
):
    monkeypatch.setenv(variable, str(authority.file))

    assert _ask(tls["good"], server.token)


@pytest.mark.parametrize("variable", CA_VARIABLES)
@pytest.mark.parametrize("which", ["good", "expired", "other"])
def test_checking_can_be_switched_off_whatever_the_environment_says(
    variable, which, tls: dict[str, str], server: Server, monkeypatch: Patch, tmp_path: Path
):
    foreign = Authority.make(tmp_path, "foreign")
    monkeypatch.setenv(variable, str(foreign.file))

    assert _ask(tls[which], server.token, verify_ssl=False)


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_a_ca_file_that_was_asked_for_is_not_overruled(
    variable, tls: dict[str, str], server: Server, authority: Authority, monkeypatch: Patch, tmp_path: Path
):
    monkeypatch.setenv(variable, str(Authority.make(tmp_path, "foreign").file))

    assert _ask(tls["good"], server.token, ca_file=str(authority.file))


def test_an_unknown_ca_is_told_with_what_is_believed_and_what_to_do(
    tls: dict[str, str], monkeypatch: Patch, tmp_path: Path
):
    with pytest.raises(ConfigurationError, match=r"certifi.*ca_file") as public:
        _ask(tls["good"])
    foreign = Authority.make(tmp_path, "foreign").file
    monkeypatch.setenv("CURL_CA_BUNDLE", str(foreign))
    with pytest.raises(ConfigurationError, match=r"CURL_CA_BUNDLE.*--ca-file") as named:
        _ask(tls["good"])
    with pytest.raises(ConfigurationError, match=r"believed is .*foreign\.pem \(ca_file\)"):
        _ask(tls["good"], ca_file=str(foreign))

    assert "REQUESTS_CA_BUNDLE" in _sentence(public.value)
    assert str(foreign) in _sentence(named.value)


@pytest.mark.parametrize(
    ("which", "advice"), [("expired", "certificate renewed"), ("other", "name that the certificate is for")]
)
def test_a_certificate_that_no_ca_mends_is_told_so(which, advice, tls: dict[str, str], authority: Authority):
    with pytest.raises(ConfigurationError, match=advice) as raised:
        _ask(tls[which], ca_file=str(authority.file))

    assert "ca_file (--ca-file)" not in _sentence(raised.value)


def _no_certificate(folder: Path) -> Path:
    file = folder / "no-certificate.pem"
    file.write_text("hello")
    return file


@pytest.mark.parametrize("make", [_no_certificate, lambda folder: folder / "nowhere.pem"])
def test_a_ca_file_that_cannot_be_used_is_named_before_anything_is_sent(
    make, tls: dict[str, str], tmp_path: Path, monkeypatch: Patch
):
    file = make(tmp_path)
    with pytest.raises(ConfigurationError, match=rf"CA file {file} \(ca_file\) cannot be used"):
        Client("http://x.example", "token", ca_file=str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(ConfigurationError, match=rf"CA file {file} \(SSL_CERT_FILE\) cannot be used"):
        Client(tls["good"], "token")


def test_a_missing_bundle_of_the_environment_does_not_disturb_a_server_without_tls(
    server: Server, monkeypatch: Patch, tmp_path: Path
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))

    assert _ask(server.url, server.token)


def test_links_believe_what_the_client_believes(
    tls: dict[str, str], server: Server, authority: Authority, monkeypatch: Patch, tmp_path: Path
):
    link = f"{tls['good']}/photo.png"
    with Client(server.url, "t", private_links=True) as careful:
        # What is there, this machine cannot know; the server may.
        assert careful.links.check(link).state is LinkState.UNTRIED
    for options in ({"ca_file": str(authority.file)}, {"verify_ssl": False}):
        with Client(server.url, "t", private_links=True, **options) as client:
            assert client.links.check(link).state is LinkState.GONE

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    with (
        Client(server.url, "t", private_links=True) as client,
        pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE"),
    ):
        client.links.check(link)


def test_a_storage_behind_the_server_needs_certificates_too(
    wire: Wire, tls: dict[str, str], monkeypatch: Patch, tmp_path: Path
):
    """The bundle is missed where TLS begins: at the address that the server points to."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    wire.always("file-storage.download", redirect(f"{tls['good']}/archive"))

    with Client(wire.url, "token") as client, pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE"):
        client.files.download(1, "/archive", tmp_path / "copy")


def test_tls_to_a_server_without_it_says_http(server: Server):
    with pytest.raises(ConfigurationError, match=rf"speaks no TLS there: write {server.url}") as raised:
        _ask(server.url.replace("http:", "https:"))

    _sentence(raised.value)


def test_http_to_a_server_with_tls_says_https(tls: dict[str, str]):
    with pytest.raises(TransportError, match=f"speaks TLS there, write {tls['good']}") as raised:
        _ask(tls["good"].replace("https:", "http:"))

    _sentence(raised.value)


@pytest.mark.parametrize(
    "told",
    [
        "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>",
        "Client sent an HTTP request to an HTTPS server.\n",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
    ],
)
def test_a_server_that_says_it_wants_tls_is_understood(told, wire: Wire):
    wire.always("users.me", lambda _: Reply(400, {}, told.encode()))

    with pytest.raises(ConfigurationError, match=r"speaks TLS there\. Write https://"):
        _ask(wire.url)


# --- proxies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("secure", [True, False])
def test_requests_go_through_the_proxy_of_the_environment(
    secure, company: ForwardProxy, tls: dict[str, str], server: Server, authority: Authority
):
    url = tls["good"] if secure else server.url

    assert _ask(url, server.token, ca_file=str(authority.file))

    assert company.asked == [
        f"CONNECT {url.removeprefix('https://')}" if secure else f"POST {url}/public/api/v3/users.me"
    ]


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("given", ["", "me:wr0ng"])
def test_a_proxy_that_wants_a_login_is_named_without_that_of_the_environment(
    secure, given, company: ForwardProxy, tls, server: Server, authority: Authority, monkeypatch
):
    company.login = "me:right"
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, company.url(given))

    with pytest.raises(ConfigurationError, match=rf"{company.url()} asks for a login") as raised:
        _ask(tls["good"] if secure else server.url, ca_file=str(authority.file))

    assert "wr0ng" not in _sentence(raised.value)
    assert len(company.asked) == 1


@pytest.mark.parametrize("secure", [True, False])
def test_a_proxy_with_its_login_is_passed(
    secure, company: ForwardProxy, tls, server: Server, authority: Authority, monkeypatch
):
    company.login = "me:right"
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, company.url("me:right"))

    assert _ask(tls["good"] if secure else server.url, server.token, ca_file=str(authority.file))


def test_a_proxy_that_refuses_for_good_is_no_matter_for_a_retry(company: ForwardProxy, tls: dict[str, str]):
    company.refusal = 403
    with pytest.raises(ConfigurationError, match=rf"{company.url()} refuses .*403.*NO_PROXY"):
        _ask(tls["good"])

    company.refusal = 503
    with pytest.raises(ConnectError, match=rf"{company.url()} \(it answers 503"):
        _ask(tls["good"])


def test_a_page_of_the_proxy_is_told_as_such(company: ForwardProxy, server: Server):
    company.refusal = 403

    with pytest.raises(
        SuperviselyError, match=rf"status 403, through the proxy {company.url()}: a web page \('Gateway"
    ):
        _ask(server.url)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_that_is_down_is_named(name, server: Server, monkeypatch: Patch):
    monkeypatch.setenv(name, "http://me:s3cret@127.0.0.1:1")

    with pytest.raises(ConnectError, match=r"through the proxy http://127\.0\.0\.1:1") as raised:
        _ask(server.url)

    assert "s3cret" not in _sentence(raised.value)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://",
        "http://me:s3cret@[bad",
        "http://me:s3cret@h:99999",
        "ftp://me:s3cret@h:1",
        "http://a..b:1",
        "socks5://me:s3cret@h:1",
    ],
)
def test_a_proxy_that_cannot_be_one_is_named_without_its_login(proxy, server: Server, monkeypatch: Patch):
    monkeypatch.setenv("HTTP_PROXY", proxy)

    with pytest.raises(ConfigurationError, match=r"the proxy .* cannot be used .* Correct HTTP_PROXY") as bad:
        _ask(server.url)

    assert "s3cret" not in _sentence(bad.value)
    assert "s3cret" not in "".join(map(repr, _causes(bad.value)))


def test_a_proxy_written_with_tls_that_has_none_is_told(
    company: ForwardProxy, tls: dict[str, str], monkeypatch: Patch
):
    monkeypatch.setenv("HTTPS_PROXY", company.url().replace("http:", "https:"))

    with pytest.raises(ConfigurationError, match=r"speaks no TLS\. Write it with http://"):
        _ask(tls["good"])


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def test_a_proxy_opens_no_way_into_private_networks(company: ForwardProxy, client: Client):
    """What the proxy makes of a name, only the proxy knows."""
    with serve_media(b"picture") as host, closing(Links(client.transport)) as links:
        for name in (host.url, "http://public.example/photo.png", "https://public.example/photo.png"):
            answer = links.check(name)
            assert answer.state is LinkState.UNTRIED
            assert company.url() in answer.reason

        assert (company.asked, host.headers) == ([], [])


def test_allowed_links_go_through_the_proxy(company: ForwardProxy, client: Client):
    with serve_media(b"picture") as host, closing(Links(client.transport, allow_private=True)) as links:
        assert links.check(host.url).state is LinkState.ALIVE

    assert company.asked == [f"HEAD {host.url}"]


def test_a_link_that_the_proxy_refuses_is_not_taken_for_dead(
    company: ForwardProxy, client: Client, tls: dict[str, str]
):
    company.refusal = 403
    with closing(Links(client.transport, allow_private=True)) as links:
        answer = links.check(f"{tls['good']}/photo.png")

    assert (answer.state, answer.reason) == (LinkState.UNTRIED, "it answers 403 Forbidden")


@pytest.mark.parametrize("proxy", ["http://me:s3cret@[bad", "socks5://127.0.0.1:1", "http://127.0.0.1:1"])
def test_a_proxy_that_cannot_work_makes_no_link_dead(proxy, client: Client, monkeypatch: Patch):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with serve_media(b"picture") as host, closing(Links(client.transport, allow_private=True)) as links:
        answer = links.check(host.url)

    assert answer.state is LinkState.UNTRIED
    assert "s3cret" not in answer.reason


# --- what stands before the server ----------------------------------------------------------------


def test_a_login_page_with_a_good_status_is_told_as_one(wire: Wire):
    wire.always("users.me", lambda _: Reply(200, {"Content-Type": "text/html"}, LOGIN.encode()))

    with pytest.raises(ConfigurationError, match=r"web page \('Sign in'\).*wants people to log in") as raised:
        _ask(wire.url)

    _sentence(raised.value)


@pytest.mark.parametrize("body", [b"<html><title>Welcome to nginx!</title></html>", b"It works!", b""])
def test_another_page_with_a_good_status_is_told_as_one(body, wire: Wire):
    wire.always("users.me", lambda _: Reply(200, {}, body))

    with pytest.raises(TransportError, match=r"not JSON.* Is .* a Supervisely server") as raised:
        _ask(wire.url)

    _sentence(raised.value)


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("body", [b"<html><h1>Not Found</h1></html>", b'{"detail": "Not Found"}'])
def test_a_web_server_without_the_api_is_not_taken_for_the_platform(status, body, wire: Wire):
    wire.always("users.me", lambda _: Reply(status, {}, body))

    with pytest.raises(RequestRejectedError, match=r"Is http://.* a Supervisely server"):
        _ask(wire.url)


def test_a_request_that_is_too_large_for_what_stands_before_the_server_says_what_to_raise(wire: Wire):
    page = b"<html><title>413 Request Entity Too Large</title>\n<hr>nginx</html>"
    wire.always("users.me", lambda _: Reply(413, {}, page))

    with pytest.raises(RequestRejectedError, match="client_max_body_size") as raised:
        _ask(wire.url)

    assert "<" not in _sentence(raised.value)


def test_a_redirect_to_a_login_page_is_told_as_one(wire: Wire):
    location = "https://sso.example/login?state=s3cret"
    wire.always("users.me", lambda _: Reply(302, {"Location": location}))

    with pytest.raises(
        RequestRejectedError, match=r"the page https://sso\.example/login\. If people"
    ) as raised:
        _ask(wire.url)

    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("host", ["me:s3cret@127.0.0.1:1", "a..b", "[bad"])
def test_a_storage_that_cannot_be_reached_is_named_without_what_opens_it(host, wire: Wire, tmp_path: Path):
    wire.always("file-storage.download", redirect(f"http://{host}/archive?signature=s3cret"))

    with impatient_client(wire.url, "token", tries=1) as client, pytest.raises(SuperviselyError) as raised:
        client.files.download(1, "/archive", tmp_path / "copy")

    assert "s3cret" not in _sentence(raised.value)


@pytest.mark.parametrize("location", ["http://[bad", "http://a..b/", "//", "http://h:99999/"])
def test_a_redirect_to_no_address_is_told_as_one(location, wire: Wire):
    wire.always("users.me", lambda _: Reply(302, {"Location": location}))

    with pytest.raises(RequestRejectedError, match="redirects"):
        _ask(wire.url)


def test_a_redirect_to_the_same_server_by_tls_names_the_address_to_use(wire: Wire):
    wire.always("users.me", lambda _: Reply(308, {"Location": "https://x.example/public/api/v3/users.me"}))

    with pytest.raises(RequestRejectedError, match=r"redirects to https://x\.example; use"):
        _ask(wire.url)


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize(
    "details", [{"type": "PLAN"}, {"message": "This feature is only available for PRO teams"}]
)
def test_a_refusal_for_the_plan_is_told_as_one(status, details, wire: Wire):
    wire.always("users.me", lambda _: answer(status, {"error": "Forbidden", "details": details}))

    with pytest.raises(PlanRequiredError):
        _ask(wire.url)
