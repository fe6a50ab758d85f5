from collections.abc import Callable

import pytest

from airflow_sv_versioning.client.parts import parts_by_id
from airflow_sv_versioning.exceptions import TransportError, UnexpectedAnswerError

TYPE = "multipart/form-data; boundary=B42"
# The second holds what looks like a boundary, the third nothing.
CONTENTS = {1: b"\x89PNG\r\n\x1a\n\x00", 22: b"\r\n--B4\r\n--B41--\r\n", 3: b""}


def _part(name: str, content: bytes, header: str = "Content-Disposition") -> bytes:
    head = f'--B42\r\n{header}: form-data; name={name}; filename="x"\r\nContent-Type: image/png\r\n\r\n'
    return head.encode("latin-1") + content + b"\r\n"


PARTS = b"".join(_part(f'"{number}"', content) for number, content in CONTENTS.items())
BODY = PARTS + b"--B42--\r\n"


def _read(body: bytes, content_type: str = TYPE) -> dict[int, bytes]:
    return parts_by_id("a.method", content_type, body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (TYPE, BODY),
        (TYPE, b"\r\n" + BODY),
        (TYPE, BODY.removesuffix(b"\r\n")),
        (TYPE, BODY + b"what comes after the end counts nothing"),
        ('multipart/mixed; charset=utf-8; boundary="B42"', BODY),
        ("Multipart/Form-Data;Boundary=B42", BODY.replace(b"Content-Disposition", b"content-disposition")),
        (TYPE, BODY.replace(b'name="22"', b"name=22")),
        (TYPE, BODY.replace(b'; name="22"; filename="x"', b'; filename="name=\\"7\\""; name="22"')),
    ],
)
def test_each_part_comes_under_its_id(content_type: str, body: bytes) -> None:
    assert _read(body, content_type) == CONTENTS


@pytest.mark.parametrize("body", [b"", b"\r\n", b"--B42--", b"--B42--\r\n", b"\r\n--B42--"])
def test_an_answer_without_parts_is_none(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswerError, match="nothing of what was asked for"):
        _read(body)


def test_two_parts_of_one_entity_are_none() -> None:
    with pytest.raises(UnexpectedAnswerError, match="two parts of 22"):
        _read(PARTS + _part('"22"', b"other") + b"--B42--\r\n")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.replace(b"\r\n", b"\n"),
        lambda body: b"<h1>Bad gateway</h1>",
        lambda body: b"preamble\r\n" + body,
        lambda body: body.replace(b"B42", b"B43"),
        lambda body: body.replace(b'name="22"; ', b""),
        lambda body: body.replace(b"Content-Disposition", b"X-Disposition"),
        *(
            lambda body, name=name: PARTS + _part(name, b"") + b"--B42--\r\n"
            for name in ('""', '"-1"', '"1.0"', '"x1"', '"²"', '"1 2"', f'"{"9" * 20}"', f'"{"9" * 5000}"')
        ),
        lambda body: PARTS + b"--B42\r\n\r\nno headers\r\n--B42--\r\n",
        lambda body: PARTS + b"--B42\r\nno header\r\n\r\n\r\n--B42--\r\n",
        lambda body: PARTS + b"--B42\r\n" + b"X: 1\r\n" * 1000 + b"\r\n\r\n--B42--\r\n",
    ],
)
def test_what_is_damaged_is_an_error(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TransportError, match=r"^a\.method answered with "):
        _read(spoil(BODY))


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/; boundary="]
)
def test_what_is_of_no_parts_is_an_error(content_type: str) -> None:
    with pytest.raises(TransportError, match="not with parts"):
        _read(BODY, content_type)


def test_no_cut_goes_unseen() -> None:
    """A server that tells no length ends a cut answer as it ends a whole one."""
    for length in range(len(BODY.removesuffix(b"\r\n"))):
        with pytest.raises(TransportError):
            _read(BODY[:length])
