"""When a request is repeated, and after how long: one pure policy, without clock or socket."""

from __future__ import annotations

import random
from dataclasses import dataclass

# Source: the statuses after which the official client (SDK 6.74.51) repeats a request.
TRANSIENT_STATUSES = frozenset({408, 429, 499, 500, 502, 503, 504, 509, 598, 599})
AGENT_NOT_CONNECTED = "Agent should call AgentConnected or AgentPing before attempting any other request"


@dataclass(frozen=True)
class Failure:
    """One failed try.

    :param status_code: the answer's status, ``None`` where no answer came.
    :param sent: whether the request may have reached the server.
    :param error: the answer's ``error`` text.
    :param retry_after_seconds: the answer's ``Retry-After``.
    :param answer_is_useless: whether the answer was one that another try would only bring again.
    """

    status_code: int | None = None
    sent: bool = True
    error: str = ""
    retry_after_seconds: float | None = None
    answer_is_useless: bool = False


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently failed requests are repeated.

    A request that changes nothing, or the same thing however often it is sent, is idempotent and is
    repeated after any passing failure. Another one is repeated only where it provably did not land:
    the connection was refused, or the server turned it away with 429.

    :param tries: the most requests sent for one call.
    :param base_seconds: upper bound of the first wait; it doubles with each try.
    :param cap_seconds: upper bound of any wait.
    """

    tries: int = 6
    base_seconds: float = 0.5
    cap_seconds: float = 30.0

    def may_repeat(self, failure: Failure, *, idempotent: bool) -> bool:
        """Say whether the failed request may be sent once more, however many tries are left."""
        if not failure.sent or failure.status_code == 429:
            return True
        if not idempotent or failure.answer_is_useless:
            return False
        if failure.status_code is None or failure.status_code in TRANSIENT_STATUSES:
            return True
        return failure.status_code == 400 and failure.error == AGENT_NOT_CONNECTED

    def delay(self, tries_made: int, failure: Failure) -> float:
        """Draw the wait before the next try, in seconds: full jitter, never below ``Retry-After``."""
        bound = min(self.base_seconds * 2 ** (tries_made - 1), self.cap_seconds)
        drawn = random.uniform(bound / 2, bound)  # noqa: S311 - jitter, not a secret
        return max(drawn, min(failure.retry_after_seconds or 0.0, 120.0))
