"""JSON in one spelling: servers and archives may write the same value in different words."""

from __future__ import annotations

from collections.abc import Collection

# The integers that a double holds exactly, as those who read JSON numbers as doubles have them.
_EXACT = 2**53


def canonical_json(text: str, without: Collection[str] = ()) -> str:
    """Write JSON anew: keys sorted, no spaces, whole numbers without a fraction.

    It is what ``msgspec.json.encode(value, order="sorted")`` makes, once floats below 2**53 without a
    fraction have become integers. What is no strict JSON stays as it is.

    :param without: members of the outermost object to leave out.
    """
    import msgspec

    decoder = msgspec.json.Decoder(float_hook=_number)
    try:
        value = decoder.decode(text)
        if without and isinstance(value, dict):
            value = {key: member for key, member in value.items() if key not in without}
        return msgspec.json.encode(value, order="sorted").decode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return text


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < _EXACT else value
