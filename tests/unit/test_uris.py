"""URIs of versions; those of projects are held by the tests of assets."""

import pytest

from airflow_sv_versioning.client.uris import VersionUri


@pytest.mark.parametrize("server", ["app.example.com", "127.0.0.1:8080"])
def test_a_uri_of_a_version_is_read_as_it_was_written(server: str):
    uri = VersionUri(server, 42, 311)

    assert str(uri) == f"supervisely://{server}/projects/42/versions/311"
    assert VersionUri.parse(str(uri)) == uri


def test_a_server_is_the_same_however_it_is_spelled():
    assert VersionUri.parse("supervisely://ann@App.example.com/projects/42/versions/311") == VersionUri(
        "app.example.com", 42, 311
    )


@pytest.mark.parametrize(
    "uri", ["supervisely://x/projects/42", "supervisely://x/projects/42/versions", "supervisely:///projects/42/versions/311",
            "supervisely://x/projects/42/versions/0", "supervisely://x/projects/42/versions/one",
            "supervisely://x/versions/311/projects/42", "supervisely://x/projects/42/versions/311/1",
            "https://x/projects/42/versions/311", "projects/42/versions/311", ""]
)  # fmt: skip
def test_a_uri_that_names_no_version_is_refused(uri: str):
    with pytest.raises(ValueError, match="is no version: write supervisely://"):
        VersionUri.parse(uri)
