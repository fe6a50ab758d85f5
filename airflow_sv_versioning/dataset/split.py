"""Parts of a data set, such as ``train`` and ``val``, by what items are.

An item's part depends on its content, the seed and the ratios alone: it keeps its part in every later
version, wherever it moves and whatever comes beside it, and items of equal content are never in two parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import accumulate
from math import isclose, isfinite
from typing import Any

from airflow_sv_versioning.dataset.records import ALL
from airflow_sv_versioning.exceptions import ConfigurationError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_WHOLE = 2**64


@dataclass(frozen=True)
class Split:
    """Ratios of parts.

    :param ratios: name of a part -> its share; together 1. Where a share changes, the items of parts before
        it stay where they are.
    :param seed: another one gives other parts.
    """

    ratios: Mapping[str, float]
    seed: int = 0

    @classmethod
    def parse(cls, ratios: Any, seed: int = 0) -> Split:
        """Take what a caller gives: a mapping, or a text such as ``train=0.8,val=0.2``; ``None`` is no split.

        :raises ConfigurationError: it is something else.
        """
        if ratios is None:
            return NO_SPLIT
        named = _of_text(ratios) if isinstance(ratios, str) else ratios
        if not isinstance(named, Mapping) or not named:
            raise _refusal(ratios, "name parts and their shares, such as train=0.8,val=0.2")
        shares = {str(name): _share(share, ratios) for name, share in named.items()}
        if wrong := [name for name in shares if not _NAME.fullmatch(name) or name == ALL]:
            raise _refusal(ratios, f"{wrong[0]!r} cannot be the name of a part")
        if not isclose(sum(shares.values()), 1, abs_tol=1e-6):
            raise _refusal(ratios, f"the shares make {sum(shares.values()):g}, not 1")
        return cls(shares, seed)

    def part_of(self, content: str) -> str:
        """Tell the part of an item by what it holds, see :func:`content_of`."""
        if len(self.ratios) == 1:
            return next(iter(self.ratios))
        place = content_key(f"{self.seed}:{content}") / _WHOLE
        for name, end in self._ends:
            if place < end:
                return name
        return self._ends[-1][0]

    @cached_property
    def _ends(self) -> Sequence[tuple[str, float]]:
        """Where each part ends among all contents."""
        return list(zip(self.ratios, accumulate(self.ratios.values()), strict=True))

    def as_dict(self) -> dict[str, Any] | None:
        """Write it as JSON-able data; ``None`` where nothing is split."""
        return None if self == NO_SPLIT else {"ratios": dict(self.ratios), "seed": self.seed}


NO_SPLIT = Split({ALL: 1.0})


def content_of(content_hash: str | None, link: str | None, path: str) -> str:
    """Say what an item holds: its file's hash, else where that lies; without either it is only itself.

    :param path: dataset path and name.
    """
    if content_hash:
        return f"hash:{content_hash}"
    return f"link:{link}" if link else f"path:{path}"


def content_key(content: str) -> int:
    """Make a number from 0 to 2**64 - 1 of a content, the same in every process."""
    return int.from_bytes(sha256(content.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def _of_text(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    named = {name.strip(): share.strip() for name, equals, share in pairs if equals}
    if len(named) != len(pairs):
        raise _refusal(text, "name each part once, with its share, such as train=0.8,val=0.2")
    return named


def _share(value: Any, ratios: Any) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError) as error:
        raise _refusal(ratios, f"{value!r} is no share") from error
    if not isfinite(share) or not 0 < share <= 1:
        raise _refusal(ratios, f"{value!r} is no share above 0 and up to 1")
    return share


def _refusal(ratios: Any, why: str) -> ConfigurationError:
    return ConfigurationError(f"The split {str(ratios)[:200]!r} cannot be: {why}.")
