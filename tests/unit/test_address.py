import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.address import normalize_server_address
from airflow_sv_versioning.exceptions import ConfigurationError


@pytest.mark.parametrize(
    ("written", "complete"),
    [
        ("https://app.supervisely.com", "https://app.supervisely.com"),
        ("https://app.supervisely.com/", "https://app.supervisely.com"),
        ("  app.supervisely.com ", "https://app.supervisely.com"),
        ("sly.example:8443/base/", "https://sly.example:8443/base"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("HTTP://Host", "http://Host"),
        ("LOCALHOST:8000", "http://LOCALHOST:8000"),
        ("::1", "http://[::1]"),
        ("2001:db8::1/base", "https://[2001:db8::1]/base"),
        ("http://2001:db8::1", "http://[2001:db8::1]"),
        ("my_server:80", "https://my_server:80"),
        ("bücher.example", "https://bücher.example"),
        ("x.example.:", "https://x.example."),
    ],
)
def test_an_address_is_completed(written: str, complete: str) -> None:
    assert normalize_server_address(written) == complete


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "   ",
            "ftp://host",
            "http://",
            "http://host:port",
            "two words",
            "https://me:token@host",
            "me@host",
        ),
        *(
            "a..b",
            "x." + "a" * 64,
            ".".join(["a" * 60] * 5),
            "ex*mple",
            "-a-",
            "x%20y",
            "host:0",
            "host:\uff18\uff10",
        ),
        *("[::1", "http://[zz]", "https://https://host", "//host", "https:host", "\u2488.example"),
    ],
)
def test_an_address_that_cannot_work_is_refused(written: str) -> None:
    with pytest.raises(ConfigurationError):
        normalize_server_address(written)


@pytest.mark.parametrize(
    "written",
    [
        "https://x.example/projects/42/versions",
        "https://x.example/?token=s3cret",
        "https://x.example/workspaces/7#s3cret",
        "https://x.example/public/api/v3",
        "x.example/login",
    ],
)
def test_the_address_of_a_page_is_refused_with_that_of_its_server(written: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write https://x\.example\.$") as caught:
        normalize_server_address(written)
    assert "s3cret" not in str(caught.value)


def test_credentials_in_an_address_are_not_repeated_in_the_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        normalize_server_address("https://me:s3cret@host")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "  ", "two words", "tokén", "line\nbreak"])
def test_a_token_that_cannot_be_sent_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SuperviselyClient("http://localhost", token)
    assert not token.strip() or token not in str(caught.value)
