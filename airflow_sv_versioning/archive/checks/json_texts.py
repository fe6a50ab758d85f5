"""Texts that are to be JSON: strict, of a bounded depth, and of the kind that a column holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import msgspec

MAX_DEPTH = 200
"""Far below where decoders and encoders, each with a limit of its own, give up."""

MAX_COST = 512 * 1024 * 1024
"""Bytes of memory that the values of one text may take."""

_SMALL = 1024 * 1024
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# What stands for nothing where an object is wanted.
_NOTHING = ("null", "[]")


@dataclass(frozen=True)
class JsonRule:
    """What the texts of a column have to be.

    :param is_object: an object, or nothing; otherwise any value.
    :param is_decoded: a restore makes values of them, so numbers must be some that can be made; otherwise
        they go to the server as they are.
    """

    is_object: bool = True
    is_decoded: bool = True

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        import msgspec

        return msgspec.json.Decoder(Any if self.is_decoded else msgspec.Raw)

    def find_fault(self, texts: Sequence[str | None]) -> tuple[str, str] | None:
        """Find the first text that breaks the rule, and what is wrong with it."""
        import msgspec

        decode = self._decoder.decode
        for text in texts:
            if text is None:
                continue
            if len(text) > _SMALL and cost_of(text) > MAX_COST:
                return text, f"its values would take more than {MAX_COST} bytes"
            try:
                decode(text)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                return text, str(error)
            if self.is_object and not text.lstrip().startswith("{") and text.strip() not in _NOTHING:
                return text, "it is no object"
            if is_too_deep(text):
                return text, f"it is nested deeper than {MAX_DEPTH} levels"
        return None


def cost_of(text: str | bytes) -> int:
    """Estimate the memory of JSON as values, from above; empty lists take some thirty times their text.

    :returns: bytes.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return 240 * data.count(b"{") + 72 * (data.count(b"[") + data.count(b",")) + 4 * len(data)


def is_too_deep(text: str) -> bool:
    """Say whether JSON is nested deeper than :data:`MAX_DEPTH`."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    return _depth(text) > MAX_DEPTH


def _depth(text: str) -> int:
    import numpy as np

    codes = np.frombuffer(_STRING.sub("", text).encode(), np.uint8)
    # "{" and "[" are 0x7B and 0x5B, "}" and "]" 0x7D and 0x5D: they differ in the bit of capitals alone.
    folded = codes | 0x20
    steps = (folded == ord("{")).astype(np.int8) - (folded == ord("}")).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))
