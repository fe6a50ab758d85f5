"""Contents in equal shares, by their digests: for several workers, or for several nights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from airflow_sv_versioning.exceptions import ConfigurationError

_SAMPLE = re.compile(r"1/([1-9][0-9]{0,3})")


def share_of(digest: bytes, shares: int) -> int:
    """Tell into which of so many shares a content falls, from 0 on."""
    return int.from_bytes(digest[:8], "big") % shares


@dataclass(frozen=True)
class Sample:
    """The share of one day; in the course of so many days each content has its turn once.

    :param shares: how many shares there are.
    """

    shares: int
    day: date

    @classmethod
    def parse(cls, text: str, day: date) -> Sample:
        """Read ``1/7``, for a seventh a day.

        :raises ConfigurationError: it is no such share.
        """
        if (match := _SAMPLE.fullmatch(str(text))) is None:
            raise ConfigurationError(
                f"{text!r} is no share of a vault; write it like 1/7, which has read all after seven days."
            )
        return cls(int(match[1]), day)

    def takes(self, digest: bytes) -> bool:
        """Say whether a content has its turn on the day."""
        return share_of(digest, self.shares) == self.day.toordinal() % self.shares

    def __str__(self) -> str:
        return f"1/{self.shares}"
