"""What the measured numbers are held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Key = tuple[str, int, float, str, str]
"""Type of the project, items, delay in milliseconds, step, client."""
Medians = Mapping[Key, Mapping[str, float]]

SIZE, LARGE = 20_000, 200_000
FAR_MS, NEAR_MS = 30.0, 0.0
STEPS = ("first create", "unchanged create", "create after 1 %", "restore")
MAX_MEMORY_MB = 300
MAX_GROWTH = 1.2


@dataclass(frozen=True)
class Target:
    """One target and what was measured."""

    what: str
    wanted: str
    measured: str
    is_met: bool


def check_targets(found: Medians) -> Iterator[Target]:
    """Tell of every target whose numbers were measured whether it is met."""
    far = f"{SIZE:,} images, {FAR_MS:g} ms"
    yield from _of_sdk(found, far)
    first, floor = _costs(found, "first create", "ours"), _costs(found, "first create", "floor")
    if first and floor:
        ratio = first["wall_seconds"] / floor["wall_seconds"]
        yield Target(f"{far}: first create, of bare requests", "at most 1.5", f"{ratio:.2f}", ratio <= 1.5)
    if unchanged := _costs(found, "unchanged create", "ours"):
        asked, wall = unchanged["requests"], unchanged["wall_seconds"]
        measured = f"{asked:.0f} requests, {wall:.2f} s"
        is_met = asked <= 5 and wall < 1
        yield Target(f"{far}: unchanged create", "at most 5 requests, under 1 s", measured, is_met)
    yield from _of_memory(found)
    yield from _when_near(found)


def _of_sdk(found: Medians, where: str) -> Iterator[Target]:
    for step, share in (("first create", 3), ("create after 1 %", 15), ("restore", 3)):
        ours, sdk = _costs(found, step, "ours"), _costs(found, step, "sdk")
        if ours and sdk:
            ratio = sdk["wall_seconds"] / ours["wall_seconds"]
            yield Target(
                f"{where}: {step}, of the SDK's time", f"at most 1/{share}", f"1/{ratio:.1f}", ratio >= share
            )


def _of_memory(found: Medians) -> Iterator[Target]:
    for step in ("first create", "create after 1 %", "restore"):
        small, large = (_peak(found, size, step) for size in (SIZE, LARGE))
        if large:
            told = f"{large:.0f} MB"
            yield Target(f"{LARGE:,} images: {step}", "under 300 MB", told, large < MAX_MEMORY_MB)
        if small and large:
            growth = large / small
            what = f"{step}: memory from {SIZE:,} to {LARGE:,} images"
            yield Target(what, "at most +20 %", f"{growth - 1:+.0%}", growth <= MAX_GROWTH)


def _when_near(found: Medians) -> Iterator[Target]:
    for project_type, size in sorted({key[:2] for key in found if key[2] == NEAR_MS}):
        for step in STEPS:
            ours, sdk = (found.get((project_type, size, NEAR_MS, step, client)) for client in ("ours", "sdk"))
            if not ours or not sdk:
                continue
            shares = [ours[metric] / sdk[metric] for metric in ("wall_seconds", "cpu_seconds")]
            measured = f"{shares[0]:.2f} of wall, {shares[1]:.2f} of CPU"
            what = f"{size:,} {project_type}, {NEAR_MS:g} ms: {step}, of the SDK's"
            yield Target(what, "at most 1", measured, max(shares) <= 1)


def _costs(found: Medians, step: str, client: str) -> Mapping[str, float] | None:
    return found.get(("images", SIZE, FAR_MS, step, client))


def _peak(found: Medians, size: int, step: str) -> float | None:
    """Take the highest peak of all delays."""
    peaks = [
        costs["peak_memory_mb"]
        for (project_type, items, _, done, client), costs in found.items()
        if (project_type, items, done, client) == ("images", size, step, "ours") and "peak_memory_mb" in costs
    ]
    return max(peaks, default=None)
