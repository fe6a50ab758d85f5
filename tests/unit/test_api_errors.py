import pytest

from airflow_sv_versioning import exceptions
from airflow_sv_versioning.client.errors import Reply, error_parts, refusal, shown
from airflow_sv_versioning.exceptions import SuperviselyError


@pytest.mark.parametrize(
    ("status", "details", "kind", "transient"),
    [
        (401, {}, "authentication", False),
        (402, {}, "plan_required", False),
        (403, {}, "permission_denied", False),
        (404, {}, "not_found", False),
        (409, {}, "conflict", False),
        (403, {"type": "PLAN"}, "plan_required", False),
        (400, {"type": "NONUNIQUE"}, "conflict", False),
        (400, {"type": "OTHER"}, "request_rejected", False),
        (418, {}, "request_rejected", False),
        (408, {}, "server_error", True),
        (429, {}, "rate_limited", True),
        (500, {}, "server_error", True),
        (599, {}, "server_error", True),
    ],
)
def test_a_status_becomes_a_typed_error(status: int, details: dict, kind: str, transient: bool):
    error = refusal(
        Reply("projects.info", "id=7", status, {"error": "Bad", "details": details}, ""), "http://x"
    )
    assert (error.kind, error.transient, error.context["status_code"]) == (kind, transient, status)
    assert "projects.info(id=7)" in str(error)


GONE = "Dataset with datasetId 5 is either archived, doesn't exist or you don't have enough permissions"
INTERFACE = "The Labeling Interface is available only in the MAX package"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (GONE, "not_found"),
        ("Adding images by links is only available for PRO teams", "plan_required"),
        (INTERFACE, "plan_required"),
    ],
)
@pytest.mark.parametrize("status", [400, 402, 403, 404])
def test_what_the_platform_says_in_words_counts_whatever_the_status(status: int, text: str, kind: str):
    for body in ({"error": "Bad", "details": {"message": text}}, {"error": text}):
        assert refusal(Reply("m", "", status, body, ""), "http://x").kind == kind


@pytest.mark.parametrize("code", ["HASH_NOT_FOUND", "HASHES_NOT_FOUND"])
@pytest.mark.parametrize(("status", "kind"), [(404, "not_found"), (400, "request_rejected")])
def test_a_lost_file_is_not_a_lost_item(status: int, kind: str, code: str):
    text = f'{{"error":"Not Found","details":{{"type":"{code}","message":"2 hashes"}}}}'
    body = {"error": "Not Found", "details": {"type": code, "message": "2 hashes"}}
    error = refusal(Reply("videos.bulk.add", "", status, body, text), "http://x")

    assert error.kind == kind
    assert "2 hashes. The server has no file with one of the hashes" in error.message


def test_words_do_not_hide_that_the_token_is_wrong():
    assert refusal(Reply("m", "", 401, {"error": GONE}, ""), "http://x").kind == "authentication"


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ({"error": "E", "details": {"message": "M"}}, ("E", {"message": "M"})),
        ({"error": "E", "details": [{"message": "M"}]}, ("E", {"message": "M"})),
        ({"error": "E", "details": []}, ("E", {})),
        ({"error": "E", "details": "text"}, ("E", {})),
        (None, ("", {})),
        ([1], ("", {})),
    ],
)
def test_error_bodies_of_any_shape_are_read(body: object, parts: tuple):
    assert error_parts(body) == parts


def test_an_answer_that_is_not_json_is_quoted():
    reply = Reply("m", "", 502, None, "<html>upstream broke</html>")
    assert "upstream broke" in str(refusal(reply, "http://x"))


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("<html><head><title>Sign &amp; go</title></head><p>much more", "a web page ('Sign & go')"),
        ("<!doctype html><style>p {}</style><p>Oh\n no</p>", "a web page ('Oh no')"),
        ("upstream broke", "'upstream broke'"),
        ("", ""),
    ],
)
def test_a_page_is_quoted_by_what_it_says_to_people(text: str, quoted: str):
    assert shown(text) == quoted


def all_errors() -> list[type[SuperviselyError]]:
    found, stack = [], [SuperviselyError]
    while stack:
        cls = stack.pop()
        found.append(cls)
        stack += cls.__subclasses__()
    return [cls for cls in found if cls.__module__ == exceptions.__name__]


def test_every_error_has_a_kind_of_its_own():
    kinds = [cls.kind for cls in all_errors()]
    assert len(set(kinds)) == len(kinds)


KINDS = """
    api archive_missing authentication cache cancelled configuration conflict connect destination error
    file_too_large format incomplete_listing integrity link lossy_export media_absent missing_media
    not_found outcome_unknown outdated_instance permission_denied plan_required project_changed
    rate_limited remote_task_failed request_rejected restore_conflict restore_incomplete
    retention_refused rule_broken server_error snapshot transport unexpected_answer unsafe_archive
    unsupported_project vault version_busy version_not_found wait wait_timeout
"""


def test_the_kinds_are_those_that_scripts_know():
    assert sorted(cls.kind for cls in all_errors()) == KINDS.split()


def test_the_tree_in_the_docstring_is_the_tree():
    drawn = {}
    for line in (exceptions.__doc__ or "").splitlines():
        words = line.split()
        if words and words[0].endswith("Error"):
            drawn[words[0]] = len(line) - len(line.lstrip())
    real = {
        cls.__name__: 4 * len([b for b in cls.__mro__ if issubclass(b, SuperviselyError)])
        for cls in all_errors()
    }
    assert drawn == real
