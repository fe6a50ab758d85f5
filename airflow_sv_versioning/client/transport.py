"""Calls of the platform's REST API: retries, error mapping, paging, multipart.

A method ``projects.info`` is a POST to ``{server}/public/api/v3/projects.info`` with the token in
``x-api-key``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from requests import RequestException
from requests_toolbelt import MultipartEncoder, MultipartEncoderMonitor

from airflow_sv_versioning.client.address import normalize_server_address, workers_for
from airflow_sv_versioning.client.connections import Interruption
from airflow_sv_versioning.client.decoding import Count, Id, NotJsonError, decode, prove, read_record
from airflow_sv_versioning.client.errors import Reply, error_parts, no_json, redirection, refusal
from airflow_sv_versioning.client.failures import no_answer
from airflow_sv_versioning.client.features import explained, may_be_lacking
from airflow_sv_versioning.client.in_flight import OverdueError
from airflow_sv_versioning.client.listing import Page, Way, by_numbers, list_whole
from airflow_sv_versioning.client.parts import parts_by_id, parts_by_name
from airflow_sv_versioning.client.retry import TRANSIENT_STATUSES, Failure, RetryPolicy
from airflow_sv_versioning.client.session import (
    MAX_ANSWER_BYTES,
    TIMEOUTS_IN_ALL,
    Answer,
    Opened,
    Session,
    TooLargeError,
)
from airflow_sv_versioning.client.surroundings import Trust, find_proxy
from airflow_sv_versioning.exceptions import (
    ApiError,
    ConfigurationError,
    ConnectError,
    OutcomeUnknownError,
    SuperviselyError,
    TransportError,
)

logger = logging.getLogger(__name__)

# A connection that is cut loses at most one chunk.
CHUNK_BYTES = 64 * 1024
SHORT_PAGE = 500
# How soon a wait between two tries notices an interruption.
_SLEEP_SECONDS = 0.2
_SUBJECT_KEYS = ("id", "projectId", "datasetId", "imageId", "teamId", "workspaceId", "path", "name")

_JSON = {"Content-Type": "application/json"}
_UNASKED = ""

Body = Callable[[], tuple[Any, dict[str, str]]]
Check = Callable[[], None]
"""Raises where its caller wants to go no further."""


T = TypeVar("T")


@dataclass(frozen=True)
class Download:
    """An open download.

    :param start: the offset of the first byte that comes: the one asked for, or 0.
    :param end: the offset after the last byte, ``None`` where the server does not tell.
    :param chunks: the bytes.
    """

    start: int
    end: int | None
    chunks: Iterator[bytes]


class Transport:
    """Carry requests to one server for one token; may be shared by threads.

    :param server_address: with or without scheme and port.
    :param token: the API token; it is sent to this server and to no other host.
    :param timeout: seconds to wait for the next bytes of an answer.
    :param timeout_in_all: seconds that a request may take in all, beside what its body takes at a slow pace;
        by default ten times ``timeout``.
    :param max_answer_bytes: the most that is taken into memory of one answer.
    :param trust: whose certificates are believed; by default as the environment says.
    :param max_workers: requests that may run at the same time; by default as many as the server takes.
    :ivar interruption: ends requests under way and refuses later ones; a call that may have taken effect
        then ends with :class:`OutcomeUnknownError`, any other with :class:`CancelledError`.
    """

    def __init__(
        self,
        server_address: str,
        token: str,
        *,
        timeout: float = 60.0,
        timeout_in_all: float | None = None,
        trust: Trust | None = None,
        max_workers: int | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        token = token.strip()
        if not token:
            raise ConfigurationError("The API token is empty; copy it from your account page on the server.")
        # What cannot stand in a header would be quoted in the error of whoever tries to send it.
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ConfigurationError("The API token holds characters that no token has; copy it again.")
        self.server_url = normalize_server_address(server_address)
        self.identity = hashlib.sha256(f"{self.server_url}\n{token}".encode()).hexdigest()
        self.max_workers = max_workers or workers_for(self.server_url)
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._trust = trust or Trust.choose()
        self.interruption = Interruption()
        self._asking_version = threading.Lock()
        self._instance_version: str | None = _UNASKED
        self._session = Session(
            self.server_url,
            token,
            timeout=timeout,
            timeout_in_all=timeout_in_all or TIMEOUTS_IN_ALL * timeout,
            trust=self._trust,
            max_workers=self.max_workers,
            interruption=self.interruption,
            max_answer_bytes=max_answer_bytes,
        )

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    @property
    def instance_version(self) -> str | None:
        """The platform's version, asked for once; ``None`` where it is not told.

        Source: POST instance.version.
        """
        with self._asking_version:
            if self._instance_version is _UNASKED:
                # No more than a try: it is asked for by whoever has an error to tell already.
                _, answer = self._try("instance.version", _json_body(None), True, "", None)
                data = _decoded(answer) if isinstance(answer, Answer) else None
                version = data.get("version") if isinstance(data, dict) else None
                self._instance_version = version if isinstance(version, str) else None
            return self._instance_version

    def call(self, method: str, body: Any = None, shape: Any = Any, *, idempotent: bool = True) -> Any:
        """Call a method with a JSON body and return the decoded answer, as it came.

        :param shape: what the answer has to be for those who read it.
        :param idempotent: whether sending it twice does the same as sending it once.
        :raises UnexpectedAnswerError: the answer is not of that shape.
        :raises OutcomeUnknownError: a call that is not idempotent got no usable answer.
        """
        answer = self._answer(method, _json_body(body), idempotent, _subject(body))
        return self._proven(method, answer, shape, idempotent)

    def call_encoded(
        self, method: str, body: bytes, shape: Any = Any, *, idempotent: bool = True, subject: str = ""
    ) -> Any:
        """Call a method with a body that already is JSON; otherwise like :meth:`call`."""
        answer = self._answer(method, lambda: (body, dict(_JSON)), idempotent, subject)
        return self._proven(method, answer, shape, idempotent)

    def call_typed(
        self, method: str, body: Mapping[str, Any] | None, answer_type: type[T], *, idempotent: bool = True
    ) -> T:
        """Call a method and decode the answer as ``answer_type``; otherwise like :meth:`call`."""
        answer = self._answer(method, _json_body(body), idempotent, _subject(body))
        decoded: T = self._decode(method, answer, answer_type, idempotent)
        return decoded

    def call_record(
        self, method: str, body: Mapping[str, Any] | None, record_type: type[T], *, idempotent: bool = True
    ) -> T:
        """Call a method that answers with a record of the models; otherwise like :meth:`call`."""
        answer = self._answer(method, _json_body(body), idempotent, _subject(body))
        with _outcome(method, idempotent):
            return read_record(method, self._decode(method, answer, Any), record_type)

    def pages(
        self,
        method: str,
        body: Mapping[str, Any],
        per_page: int,
        entity_type: type[T],
        shape: Any = Any,
        way: Way = by_numbers,
    ) -> Iterator[list[T]]:
        """Stream a listing page by page.

        :param shape: what an entity has to be, where ``entity_type`` does not say it.
        :param way: how pages are asked for: by their numbers, or each by the last entity of the one before.
        :raises IncompleteListingError: the listing is not what it tells of itself.
        """
        ask = self._asking(method, entity_type, shape)
        return way(ask, body, per_page, f"{method}({_subject(body)})")

    def list_whole(
        self,
        method: str,
        body: Mapping[str, Any],
        entity_type: type[T],
        per_page: int = SHORT_PAGE,
        *,
        shape: Any = Any,
    ) -> list[T]:
        """Take a short listing as a whole, once more where it does not prove itself.

        :raises IncompleteListingError: the listing is not what it tells of itself.
        """
        return list_whole(lambda: self.pages(method, body, per_page, entity_type, shape))

    def list_records(self, method: str, body: Mapping[str, Any], record_type: type[T]) -> list[T]:
        """Take a short listing of records as a whole; see :meth:`list_whole`."""
        entities = self.list_whole(method, body, dict[str, Any], shape=_Entity)
        return [read_record(method, entity, record_type) for entity in entities]

    def count(self, method: str, body: Mapping[str, Any]) -> int:
        """Ask a listing how many entities it has."""
        return self.call_typed(method, {**body, "per_page": 1}, _Total).total

    def upload(
        self,
        method: str,
        fields: Callable[[], Sequence[tuple[str, Any]]],
        shape: Any = Any,
        *,
        params: Mapping[str, Any] | None = None,
        idempotent: bool = True,
        check: Check | None = None,
    ) -> Any:
        """Send a multipart form, streamed, and return the decoded answer.

        :param fields: makes the parts anew for every try; a part is a text or
            ``(file name, bytes or open file, content type)``.
        :param check: called all the while; what it raises ends the sending.
        """

        def body() -> tuple[Any, dict[str, str]]:
            encoder = MultipartEncoder(list(fields()))
            watched = MultipartEncoderMonitor(encoder, lambda _: check()) if check else encoder
            return watched, {"Content-Type": encoder.content_type}

        answer = self._answer(method, body, idempotent, _subject(params), params=params)
        return self._proven(method, answer, shape, idempotent)

    def multipart(self, method: str, body: Any) -> dict[int, bytes]:
        """Call a method that answers with one part an entity: entity id -> content.

        :raises TransportError: the answer is damaged or cut.
        :raises UnexpectedAnswerError: there are no parts, or two of one entity.
        """
        answer = self._answer(method, _json_body(body), True, _subject(body))
        return parts_by_id(method, answer.headers.get("Content-Type", ""), answer.content)

    def multipart_by_name(self, method: str, body: Any) -> dict[str, bytes]:
        """Call a method that answers with one part a content: its name, as the server gave it -> content.

        :raises TransportError: the answer is damaged or cut.
        :raises UnexpectedAnswerError: there are no parts, or two of one name.
        """
        answer = self._answer(method, _json_body(body), True, _subject(body))
        return parts_by_name(method, answer.headers.get("Content-Type", ""), answer.content)

    def get(self, method: str, params: Mapping[str, Any], shape: Any = Any) -> Any:
        """Call one of the few methods that are GET requests; returns the decoded answer, as it came."""
        return self._proven(method, self._answer(method, None, True, _subject(params), params=params), shape)

    def get_text(self, method: str, params: Mapping[str, Any]) -> str:
        """Call a method that is a GET request and answers with plain text."""
        return self._answer(method, None, True, _subject(params), params=params).text

    @contextmanager
    def download(self, method: str, body: Any, offset: int) -> Iterator[Download]:
        """Open a download at a byte offset, once; the caller repeats, from where its copy ends.

        :raises TransportError: no answer, or the connection was cut before the end.
        """
        subject = _subject(body)
        try:
            data, headers = _json_body(body)()
            with self._session.open(method, data, headers, offset) as opened:
                if opened.status_code >= 300:
                    raise self._error(method, opened.whole(), subject)
                yield _download(method, opened, offset)
            self.interruption.check()
        except RequestException as error:
            self.interruption.check()
            raise self._no_answer(method, subject, error, idempotent=True) from error

    def wait(self, tries_made: int, failure: Failure | None = None) -> bool:
        """Sleep before the next try; ``False`` when the tries are used up.

        :raises CancelledError: the client was interrupted.
        """
        if tries_made >= self._policy.tries:
            return False
        self.pause(self._policy.delay(tries_made, failure or Failure()))
        return True

    def pause(self, seconds: float) -> None:
        """Sleep.

        :raises CancelledError: the client was interrupted.
        """
        seconds_left = seconds
        while seconds_left > 0:
            self.interruption.check()
            self._sleep(min(seconds_left, _SLEEP_SECONDS))
            seconds_left -= _SLEEP_SECONDS
        self.interruption.check()

    def _answer(
        self,
        method: str,
        body: Body | None,
        idempotent: bool,
        subject: str,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        tries = 0
        while True:
            tries += 1
            failure, error = self._try(method, body, idempotent, subject, params)
            if isinstance(error, Answer):
                return error
            # What somebody must set right first is not asked for again.
            if isinstance(error, ConfigurationError):
                raise error
            if not self._policy.may_repeat(failure, idempotent=idempotent) or not self.wait(tries, failure):
                if isinstance(error, ApiError) and may_be_lacking(method, error):
                    raise explained(method, error, self.instance_version)
                raise error
            logger.debug("%s failed, try %d: %s", method, tries, error)

    def _try(
        self, method: str, body: Body | None, idempotent: bool, subject: str, params: Mapping[str, Any] | None
    ) -> tuple[Failure, SuperviselyError | Answer]:
        data, headers = body() if body else (None, {})
        try:
            answer = self._session.send(method, data, headers, params=params)
        except RequestException as cause:
            error = self._no_answer(method, subject, cause, idempotent=idempotent)
            error.__cause__ = cause
            if not isinstance(error, OutcomeUnknownError):
                self.interruption.check()
            if isinstance(cause, TooLargeError | OverdueError):
                # It would be as large, and take as long, once more.
                return Failure(answer_is_useless=True), error
            return Failure(sent=not isinstance(error, ConnectError)), error
        if idempotent:
            # An answer that does not tell its length ends with the connection, as if it were whole.
            self.interruption.check()
        if answer.status_code < 300:
            return Failure(), answer
        refusal = self._error(method, answer, subject)
        text, _ = error_parts(_decoded(answer))
        failure = Failure(answer.status_code, True, text, _retry_after(answer))
        if not idempotent and answer.status_code in TRANSIENT_STATUSES - {429}:
            unknown = OutcomeUnknownError(
                f"{refusal.message} Whether {method} took effect is unknown.", method=method
            )
            unknown.__cause__ = refusal
            return failure, unknown
        return failure, refusal

    def _no_answer(
        self, method: str, subject: str, cause: RequestException, *, idempotent: bool
    ) -> SuperviselyError:
        what = f"{method}({subject}) at {self.server_url}"
        return no_answer(what, self.server_url, cause, self._trust, idempotent=idempotent)

    def _error(self, method: str, answer: Answer, subject: str) -> SuperviselyError:
        if answer.redirects_to:
            return redirection(method, answer.status_code, answer.redirects_to, self.server_url)
        reply = Reply(method, subject, answer.status_code, _decoded(answer), answer.text)
        return refusal(reply, self.server_url, find_proxy(self.server_url))

    def _proven(self, method: str, answer: Answer, shape: Any, idempotent: bool = True) -> Any:
        value = self._decode(method, answer, Any, idempotent)
        with _outcome(method, idempotent):
            prove(method, value, shape)
        return value

    def _decode(self, method: str, answer: Answer, answer_type: Any, idempotent: bool = True) -> Any:
        with _outcome(method, idempotent):
            try:
                return decode(method, answer.content, answer_type)
            except NotJsonError as error:
                raise no_json(method, answer.text, self.server_url) from error

    def _asking(self, method: str, entity_type: Any, shape: Any) -> Callable[[Mapping[str, Any]], Page[Any]]:
        def ask(request: Mapping[str, Any]) -> Page[Any]:
            page = self.call_typed(method, request, Page[entity_type])
            if shape is not Any:
                prove(method, page.entities, list[shape])
            return page

        return ask


class _Entity(msgspec.Struct):
    id: Id


class _Total(msgspec.Struct):
    total: Count


@contextmanager
def _outcome(method: str, idempotent: bool) -> Iterator[None]:
    """Of a write with a useless answer nobody knows whether it landed."""
    try:
        yield
    except TransportError as error:
        if idempotent:
            raise
        raise OutcomeUnknownError(
            f"{error.message} Whether {method} took effect is unknown.", method=method
        ) from error


def _json_body(body: Any) -> Body:
    try:
        data = json.dumps({} if body is None else body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"The request cannot be written as JSON: {error}.") from error
    return lambda: (data, dict(_JSON))


def _download(method: str, opened: Opened, offset: int) -> Download:
    start = offset if opened.status_code == 206 else 0
    if start and not opened.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        raise TransportError(f"{method} continued a download at another place than was asked for.")
    length = opened.headers.get("Content-Length", "")
    end = start + int(length) if length.isdigit() else None
    return Download(start, end, opened.chunks(CHUNK_BYTES))


def _subject(body: Any) -> str:
    if not isinstance(body, Mapping):
        return ""
    return ", ".join(f"{key}={body[key]}" for key in _SUBJECT_KEYS if body.get(key) is not None)


def _decoded(answer: Answer) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _retry_after(answer: Answer) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
