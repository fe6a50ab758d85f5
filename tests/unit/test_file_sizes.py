import pytest

from airflow_sv_versioning.client.errors import Reply, refusal
from airflow_sv_versioning.client.file_sizes import check_team_file, size_limit, size_text, team_file_limit
from airflow_sv_versioning.exceptions import FileTooLargeError, RequestRejectedError

GB = 1 << 30


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        ('{"details":{"type":"FileSize","sizeLimit":1073741824}}', GB),
        ('{"details":{"errors":[{"name":"FileSize"}],"sizeLimit":314572800}}', 300 << 20),
        ('{"error":"FileSize","details":{"sizeLimit":"25mb"}}', 25 << 20),
        ('{"error":"File too large"}', 0),
        ('{"details":{"type":"FileSize","sizeLimit":null}}', 0),
        ('{"error":"FileSizes are fine","sizeLimit":7}', None),
        ('{"error":"no such image"}', None),
        ("", None),
    ],
)
def test_the_limit_is_found_in_an_answer(answer: str, limit: int | None):
    assert size_limit(answer) == limit


@pytest.mark.parametrize(
    ("size", "text"),
    [(300 << 20, "300 MB"), (GB, "1 GB"), (10 * GB, "10 GB"), (GB * 3 // 2, "1.5 GB"), (999, "999 bytes")],
)
def test_sizes_are_written_for_people(size: int, text: str):
    assert size_text(size) == text


@pytest.mark.parametrize("status", [400, 403, 413])
def test_a_file_that_is_too_large_is_told_with_its_limit_whatever_the_status(status: int):
    text = '{"error":"Bad Request","details":{"message":"too much","type":"FileSize","sizeLimit":314572800}}'
    body = {"error": "Bad Request", "details": {"message": "too much", "type": "FileSize"}}
    error = refusal(Reply("videos.bulk.upload", "", status, body, text), "https://sv.example.com")

    assert isinstance(error, FileTooLargeError)
    assert error.message.endswith("too much. The team's plan takes at most 300 MB.")
    assert error.context["limit_bytes"] == 300 << 20


def test_a_proxy_that_takes_no_large_requests_is_not_the_plan():
    error = refusal(
        Reply("videos.bulk.upload", "", 413, None, "<h1>Too Large</h1>"), "https://sv.example.com"
    )
    assert type(error) is RequestRejectedError


@pytest.mark.parametrize(("plan", "limit"), [("community", 10 * GB), ("pro", 100 * GB), (None, None)])
def test_archives_are_refused_before_they_are_sent_where_the_limit_is_known(plan, limit):
    assert team_file_limit(plan) == limit
    check_team_file("/a.tar.zst", limit or 1 << 50, plan)
    if limit is not None:
        with pytest.raises(FileTooLargeError, match=rf"/a\.tar\.zst has .* GB\. .*{size_text(limit)} with"):
            check_team_file("/a.tar.zst", limit + 1, plan)
