"""Patterns for paths, as shells have them.

Within one component ``*`` stands for any characters, ``?`` for one, ``[a-z]`` for one of these and ``[!a-z]``
for one of the others. ``**`` stands for any number of components, none too: ``train/**`` is ``train`` and all
below it. Capitals count, and a name matches itself, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Mask = np.ndarray[Any, Any]

_ANY_DEPTH = "**"
_PIECES = re.compile(r"\*+|\[(?:!.|[^!])[^\]]*\]|.", re.DOTALL)


def check_glob(glob: str) -> None:
    """Refuse a pattern that is none.

    :raises ConfigurationError: it has a range such as ``[z-a]``.
    """
    try:
        re.compile(regex_of(glob))
    except re.error as error:
        raise ConfigurationError(f"{glob!r} is no pattern: {error}.") from error


def regex_of(glob: str) -> str:
    """Write a pattern as a regular expression that takes linear time where the library knows how."""
    return f"(?s)^(?:{re.escape(glob)}|{''.join(_components(glob))})$"


class Globs:
    """Some patterns, which remember which of them matched.

    :ivar unmatched: those that matched nothing yet, in their order.
    """

    def __init__(self, globs: Sequence[str]) -> None:
        self._regexes = {glob: regex_of(glob) for glob in globs}
        self.unmatched = list(self._regexes)

    def __len__(self) -> int:
        """Count them, each once."""
        return len(self._regexes)

    def mask(self, texts: pa.Array) -> Mask:
        """Say which texts one of them matches."""
        import numpy as np
        import pyarrow.compute as pc

        mask = np.zeros(len(texts), np.bool_)
        for glob, regex in self._regexes.items():
            found = pc.fill_null(pc.match_substring_regex(texts, regex), False)
            glob_mask = found.to_numpy(zero_copy_only=False)
            if glob in self.unmatched and glob_mask.any():
                self.unmatched.remove(glob)
            mask |= glob_mask
        return mask


def _components(glob: str) -> Iterator[str]:
    """Write what stands between slashes, and the slashes; several ``**`` in a row are one."""
    runs = groupby(glob.split("/"), lambda name: name == _ANY_DEPTH)
    names = [name for is_any, run in runs for name in ([_ANY_DEPTH] if is_any else run)]
    last = len(names) - 1
    for place, name in enumerate(names):
        if name != _ANY_DEPTH:
            yield _component(name)
            # The slash before a last ** is part of that, which may be nothing.
            if place < last and names[place + 1 :] != [_ANY_DEPTH]:
                yield "/"
        elif place == last:
            yield "(?:/.*)?" if place else ".*"
        else:
            yield "(?:.*/)?"


def _component(glob: str) -> str:
    return "".join(_piece(piece) for piece in _PIECES.findall(glob))


def _piece(piece: str) -> str:
    if piece[0] == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) == 1:
        return re.escape(piece)
    is_negated = piece[1] == "!"
    members = re.sub(r"([\\\[\]^&~|])", r"\\\1", piece[2 if is_negated else 1 : -1])
    return f"[^/{members}]" if is_negated else f"[{members}]"
