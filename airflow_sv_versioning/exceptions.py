"""Every error this package raises, in one tree.

.. code-block:: text

    SuperviselyError                 message, kind, transient, context
        ConfigurationError           also ValueError: bad connection, bad argument
        TransportError               no usable answer
            ConnectError             the request was provably not sent; always repeatable
            UnexpectedAnswerError    an answer of status 200 is not what the method promises
            IncompleteListingError   a listing is shorter or longer than it tells, or has something twice
            OutcomeUnknownError      a write may or may not have landed; read back before repeating
        LinkError                    media behind a link cannot be read from here
        ApiError                     status_code, method, details
            AuthenticationError      401
            PermissionDeniedError    403
                PlanRequiredError    the feature is not in this subscription
            NotFoundError            404, also LookupError
                VersionNotFoundError no such version in this project
            ConflictError            409, or 400 "name taken"
                VersionBusyError     another writer holds the reservation
            RateLimitedError         429
            RequestRejectedError     any other 4xx
                FileTooLargeError    a file is larger than the team's plan takes
                OutdatedInstanceError  the instance is older than the method
            ServerError              5xx
        SnapshotError
            FormatError              unreadable, or a newer format than we know
                UnsafeArchiveError   the archive tries what no genuine archive does
            IntegrityError           digest or count mismatch: expected, actual, where
            ArchiveMissingError      the version exists, its archive does not
            MissingMediaError        items whose media are gone
            MediaAbsentError         a vault does not hold this content
            VaultError          a vault cannot be read or written now
            CacheError               this machine's cache of versions cannot be used
            DestinationError         the destination of an export cannot be read or written now
            LossyExportError         a format cannot hold all that would be exported
            ProjectChangedError      the project did not stand still while it was read
            RestoreIncompleteError   a restore stopped half-way and its project was kept
            RestoreConflictError     what is to be restored does not fit the project that is there
            UnsupportedProjectError  a project type that cannot be versioned
        WaitError
            WaitTimeoutError         also TimeoutError
            RemoteTaskFailedError    a background task failed
        RuleBrokenError              a difference is beyond a rule that the user set
        RetentionRefusedError        more would be removed than can be meant, or other than was planned
        CancelledError               the caller asked to stop

``kind`` is a stable code for scripts and logs: the error's name, as ``plan_required``. ``transient`` says
whether the same call may succeed later, and alone decides whether Airflow retries.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, TypeVar

ApiErrorT = TypeVar("ApiErrorT", bound="ApiError")


class SuperviselyError(Exception):
    """Base of all errors of this package.

    :param message: what failed, on which ids, and what to do next.
    :param context: the ids and numbers of the message in machine-readable form.
    """

    kind: ClassVar[str] = "error"
    transient: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        if "kind" not in vars(cls):
            cls.kind = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Error")).lower()

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context

    def __str__(self) -> str:
        return self.message


class ConfigurationError(SuperviselyError, ValueError):
    """A connection, argument or environment variable has a value that cannot work."""


class TransportError(SuperviselyError):
    """The server gave no usable answer."""

    transient = True


class ConnectError(TransportError):
    """The request was provably not sent: no route, refused, unknown host, bad certificate."""


class UnexpectedAnswerError(TransportError):
    """An answer of status 200 lacks a member, has one of another type, or nothing of what it should have."""


class IncompleteListingError(TransportError):
    """A listing gave another number of entities than it tells of, or one of them twice, or has no end.

    ``context["is_moving"]`` says that what is listed changed meanwhile, and that no more than this explains
    the difference.
    """


class OutcomeUnknownError(TransportError):
    """A write may or may not have landed; read back before repeating it."""


class LinkError(SuperviselyError):
    """The media behind a link cannot be read by this machine.

    ``context["link"]`` is the link.
    """


class ApiError(SuperviselyError):
    """The server answered with an error status.

    :param status_code: HTTP status.
    :param method: API method, such as ``projects.info``.
    :param details: the ``details`` object of the answer, ``{}`` where it has none.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        method: str | None = None,
        details: dict[str, Any] | None = None,
        **context: Any,
    ) -> None:
        super().__init__(message, status_code=status_code, method=method, **context)
        self.status_code = status_code
        self.method = method
        self.details = details or {}

    def reworded(self, message: str, error_type: type[ApiErrorT]) -> ApiErrorT:
        """Make an error of the same answer that says more."""
        return error_type(message, status_code=self.status_code, method=self.method, details=self.details)


class AuthenticationError(ApiError):
    """The server does not accept the API token."""


class PermissionDeniedError(ApiError):
    """The token's user may not do this."""


class PlanRequiredError(PermissionDeniedError):
    """The team's subscription does not include what was asked for, such as project versions."""


class NotFoundError(ApiError, LookupError):
    """The entity does not exist or is not visible to the token's user."""


class VersionNotFoundError(NotFoundError):
    """The project has no such version."""


class ConflictError(ApiError):
    """The request collides with what the server holds, such as a name that is taken."""


class VersionBusyError(ConflictError):
    """Another writer holds the project's version reservation."""

    transient = True


class RateLimitedError(ApiError):
    """The server asks to slow down, and went on asking through all retries."""

    transient = True


class RequestRejectedError(ApiError):
    """The server refused the request as it stands."""


class OutdatedInstanceError(RequestRejectedError):
    """The instance of the platform is older than the method that was called."""


class FileTooLargeError(RequestRejectedError):
    """A file is larger than the team's plan takes.

    ``context`` has ``limit_bytes`` where it is known, and ``file`` and ``size_bytes``.
    """


class ServerError(ApiError):
    """The server failed while it handled the request."""

    kind = "server_error"
    transient = True


class SnapshotError(SuperviselyError):
    """Something is wrong with a version's content."""


class FormatError(SnapshotError):
    """The archive cannot be read: damaged, not an archive, or of an unknown format."""


class UnsafeArchiveError(FormatError):
    """The archive tries what no genuine archive does, such as running code; it was refused."""


class IntegrityError(SnapshotError):
    """A digest or a count differs from what was promised."""


class ArchiveMissingError(SnapshotError):
    """The version is listed, but its archive is not in Team Files."""


class MissingMediaError(SnapshotError):
    """Items of the version refer to media that the server no longer has.

    :param missing: name of each missing item as ``dataset/path/item name``.
    """

    def __init__(self, message: str, *, missing: list[str], **context: Any) -> None:
        super().__init__(message, **context)
        self.missing = missing


class MediaAbsentError(SnapshotError, LookupError):
    """A vault does not hold this content.

    :param content_hash: base64 of its SHA-256.
    """

    def __init__(self, message: str, *, content_hash: str, **context: Any) -> None:
        super().__init__(message, content_hash=content_hash, **context)
        self.content_hash = content_hash


class VaultError(SnapshotError):
    """A vault cannot be read or written now."""

    transient = True


class CacheError(SnapshotError):
    """The cache of versions and files on this machine cannot be read or written."""


class DestinationError(SnapshotError):
    """The destination of an export cannot be read or written now."""

    transient = True


class LossyExportError(SnapshotError):
    """A format cannot hold all that would be exported, and nothing was.

    :param losses: of each class and what of it would be lost, how many figures.
    """

    def __init__(self, message: str, *, losses: list[dict[str, Any]], **context: Any) -> None:
        super().__init__(message, **context)
        self.losses = losses


class ProjectChangedError(SnapshotError):
    """The project did not stand still while it was read."""

    transient = True


class RestoreIncompleteError(SnapshotError):
    """A restore stopped half-way and the half-made project was kept.

    ``context["project_id"]`` is the kept project; ``__cause__`` is what stopped the restore.
    """


class RestoreConflictError(SnapshotError):
    """What is to be restored into a project does not fit what is there; nothing was made.

    ``context["conflicts"]`` lists in words all that does not.
    """


class UnsupportedProjectError(SnapshotError):
    """The project's type cannot be versioned, or not in the way asked for."""


class WaitError(SuperviselyError):
    """Waiting for background tasks did not end well."""


class WaitTimeoutError(WaitError, TimeoutError):
    """What was waited for did not happen in time."""


class RemoteTaskFailedError(WaitError):
    """A background task on the platform failed."""


class RuleBrokenError(SuperviselyError):
    """What changed is beyond a rule that the user set.

    :param broken: of each broken rule, the rule and the number that breaks it, in words.
    """

    def __init__(self, message: str, *, broken: list[str], **context: Any) -> None:
        super().__init__(message, **context)
        self.broken = broken


class RetentionRefusedError(SuperviselyError):
    """More versions would be removed than can be meant, or others than were planned; none was.

    ``context["version_nums"]`` are those that would have gone.
    """


class CancelledError(SuperviselyError):
    """The caller asked to stop."""
