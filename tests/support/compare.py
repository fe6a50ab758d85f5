"""Differences of two JSON values, each told by its path."""

from collections.abc import Iterator
from typing import Any


def assert_same(actual: Any, expected: Any) -> None:
    """Fail with the first differences; comparing whole projects in one assertion tells nothing."""
    found = list(differences(actual, expected))
    assert not found, "\n".join([f"{len(found)} differences:", *found[:20]])


def differences(actual: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Walk two values side by side."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        for key in sorted({*actual, *expected}, key=str):
            if key not in actual or key not in expected:
                yield f"{path}/{key}: only {'expected' if key in expected else 'found'}"
            else:
                yield from differences(actual[key], expected[key], f"{path}/{key}")
    elif isinstance(actual, list) and isinstance(expected, list) and len(actual) == len(expected):
        for index, (one, other) in enumerate(zip(actual, expected, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif actual != expected or type(actual) is not type(expected):
        yield f"{path}: {_short(actual)} is not {_short(expected)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 160 else f"{text[:160]}…"
