"""Changes of pickles, step by step."""

import pickletools
import struct
from random import Random

from tests.fuzz.values import INTEGERS, TEXTS, mutated_bytes

_STEPS = (
    b"N",
    b"]",
    b"}",
    b")",
    b"(",
    b"t",
    b"e",
    b"u",
    b"a",
    b"s",
    b"b",
    b"\x81",
    b"\x93",
    b"\x94",
    b".",
    b"R",
    b"0",
)


def mutated_pickle(random: Random, data: bytes) -> bytes:
    """Drop, double, exchange, insert or alter some steps of a pickle."""
    if random.random() < 0.15:
        return mutated_bytes(random, data)
    steps = _split(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        at, count = random.randrange(1, len(steps)), random.choice((1, 1, 3, 30))
        steps[at : at + count] = _changed(random, steps, at, count)
        if len(steps) < 2:
            break
    return b"".join(steps)


def _split(data: bytes) -> list[bytes]:
    places = [place for _, _, place in pickletools.genops(data)]
    return [data[start:end] for start, end in zip(places, [*places[1:], len(data)], strict=True)]


def _changed(random: Random, steps: list[bytes], at: int, count: int) -> list[bytes]:
    part = steps[at : at + count]
    what = random.randrange(6)
    if what == 0:
        return []
    if what == 1:
        return part * random.choice((2, 3, 100))
    if what == 2:
        other = random.randrange(1, len(steps))
        return steps[other : other + count]
    if what == 3:
        return [*part, random.choice(_STEPS)]
    if what == 4:
        return [*part, b"j" + struct.pack("<I", random.choice((0, 1, 5, 30, 2**31)))]
    return [_literal(random), *part[1:]]


def _literal(random: Random) -> bytes:
    if random.random() < 0.5:
        text = random.choice(TEXTS).encode()
        return b"X" + struct.pack("<I", len(text)) + text
    number = random.choice(INTEGERS)
    packed = number.to_bytes(9, "little", signed=True)
    return b"\x8a\x09" + packed
