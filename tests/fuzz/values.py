"""Values that make readers stumble, and JSON with some of them in it."""

import json
from random import Random
from typing import Any

INTEGERS = (0, 1, -1, 2, 5, 127, 255, 65_536, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63 - 1, -(2**63))
TEXTS = (
    *("", "null", "{}", "[]", "[1]", "5", '"x"', "{not json", '{"a":NaN}', '{"a":1e999}', '{"a":"\\ud800"}'),
    *('{"a":' * 300 + "1" + "}" * 300, "[" * 5000, "[[],[],[{}]]", '{"": {"": []}}', "9" * 5000, "NaN"),
    *("a/b", "../x", "x" * 3000, "\0", "\n", "🦊" * 50, "item", "figure", "object", "polygon", "alpha_mask"),
    *(
        "mask_3d",
        "https://media.example.com/b.png",
        "https://[",
        "http://127.0.0.1:1/x",
        "hash-31=",
        "image/jpeg",
    ),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0.5,
        -0.0,
        1e308,
        [],
        {},
        [None],
        {"a": 1},
        [[1, 2], [3]],
        {"id": 1},
        "",
        "x",
        10**40,
    ),
    *INTEGERS,
)


def mutated_json(random: Random, value: Any) -> Any:
    """Change one place of a JSON value."""
    path: list[Any] = []
    holder = value
    while isinstance(holder, dict | list) and holder and (not path or random.random() < 0.8):
        key = random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
        path.append((holder, key))
        holder = holder[key]
    if not path:
        return random.choice(VALUES)
    owner, key = path[-1]
    _change(random, owner, key)
    return value


def _change(random: Random, owner: Any, key: Any) -> None:
    what = random.randrange(6)
    if what == 0:
        del owner[key]
    elif what == 1 and isinstance(owner, list):
        owner.extend([owner[key]] * random.choice((1, 2, 50)))
    elif what == 2 and isinstance(owner, dict):
        owner[random.choice(("", "id", "key", "name", f"{key}2"))] = owner[key]
    elif what == 3:
        for _ in range(random.choice((1, 5, 300))):
            owner[key] = [owner[key]] if random.random() < 0.5 else {"a": owner[key]}
    elif what == 4:
        owner[key] = random.choice(TEXTS)
    else:
        owner[key] = random.choice(VALUES)


def mutated_json_text(random: Random, text: str | bytes) -> bytes:
    """Change one place of a JSON text, or the text."""
    data = text.encode() if isinstance(text, str) else text
    if random.random() < 0.15:
        return mutated_bytes(random, data)
    try:
        value = mutated_json(random, json.loads(data))
        return json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return random.choice(TEXTS).encode("utf-8", "surrogatepass")


def mutated_bytes(random: Random, data: bytes) -> bytes:
    """Flip, drop, double or overwrite some bytes."""
    if not data:
        return random.randbytes(8)
    at, size = random.randrange(len(data)), random.choice((1, 1, 2, 4, 8, 100))
    what = random.randrange(5)
    if what == 0:
        return data[:at]
    if what == 1:
        return data[:at] + data[at + size :]
    if what == 2:
        return data[:at] + data[at : at + size] * random.choice((2, 3, 100)) + data[at + size :]
    if what == 3:
        return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
    return (
        data[:at] + random.choice((bytes(size), b"\xff" * size, random.randbytes(size))) + data[at + size :]
    )
