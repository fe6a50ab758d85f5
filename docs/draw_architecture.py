"""Draw ``docs/architecture.svg``: the packages, what each is for, and who imports whom, as the code has it.

    python docs/draw_architecture.py

A package stands above all that it imports. Only arrows that no other way tells are drawn: where *restore*
imports *capture*, which imports *snapshot*, an arrow from *restore* to *snapshot* would say nothing new.
What a package is for is the first sentence of its docstring.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "airflow_sv_versioning"
PICTURE = Path(__file__).with_name("architecture.svg")

# What Airflow loads of us is one step, whoever of them imports whom.
AIRFLOW = "operators, sensors, triggers, links, assets"
TOGETHER = dict.fromkeys(AIRFLOW.split(", "), AIRFLOW)
PURPOSE = {
    AIRFLOW: "What DAGs are made of.",
    "exceptions": "The tree of errors: their kinds, and what may pass.",
}
# Airflow's changes of names, its list of us, and the front door: they stand beside all steps.
LEFT_OUT = {"_airflow", "get_provider_info", "__init__"}

# The first and last lane that a package takes; one that is not named here takes all that the engine has.
LANES = {
    "client": (0, 0), "runtime": (1, 1), "snapshot": (1, 1), "vault": (0, 0), "compare": (1, 1),
    "archive": (0, 0), "capture": (0, 0), "dataset": (1, 1), "demo": (2, 2), "mlflow": (2, 2),
    "cli": (3, 3), "server": (2, 3), "exceptions": (0, 3),
}  # fmt: skip
ALL_LANES = (0, 1)
COLORS = {
    "program": ("#fff4e5", "#c77700"),
    "airflow": ("#e6f6f4", "#00796b"),
    "use case": ("#e8f0fe", "#1a56c4"),
    "engine": ("#f3f0fb", "#6741b8"),
    "ground": ("#eef1f4", "#51606e"),
}
KINDS = {
    "cli": "program", "demo": "program", "mlflow": "program", "server": "program",
    AIRFLOW: "airflow", "hooks": "airflow", "versioning": "use case",
    "client": "ground", "runtime": "ground", "exceptions": "ground",
}  # fmt: skip

WIDTHS = (300, 300, 170, 170)
GUTTER, MARGIN, HEIGHT, GAP = 44, 28, 66, 40
LEFTS = [MARGIN + sum(WIDTHS[:lane]) + lane * GUTTER for lane in range(len(WIDTHS))]
WIDTH = LEFTS[-1] + WIDTHS[-1] + MARGIN

TITLE = "The packages of airflow_sv_versioning, each above those that it imports"
STYLE = (
    "<style>"
    "text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;text-anchor:middle}"
    ".name{font-size:16px;font-weight:600}.purpose{font-size:12px;fill:#3b4650}"
    ".arrow{fill:none;stroke:#8a96a3;stroke-width:1.6;marker-end:url(#tip)}</style>"
)
TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="6" markerHeight="6" '
    'orient="auto"><path d="M0 0L8 4L0 8z" fill="#8a96a3"/></marker></defs>'
)


@dataclass(frozen=True)
class Box:
    """A package in the picture."""

    name: str
    purpose: str
    left: int
    right: int
    top: int

    @property
    def bottom(self) -> int:
        """Where arrows leave it."""
        return self.top + HEIGHT


def read_imports(package: Path = PACKAGE) -> dict[str, set[str]]:
    """Read which packages import which, as the picture has them."""
    names = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    names |= {path.stem for path in package.glob("*.py")}
    imported: dict[str, set[str]] = {TOGETHER.get(name, name): set() for name in names - LEFT_OUT}
    for path in package.rglob("*.py"):
        name = path.relative_to(package).parts[0].removesuffix(".py")
        if name not in LEFT_OUT:
            found = {there for there in _imported(path, package.name) if there in names - LEFT_OUT}
            imported[TOGETHER.get(name, name)] |= {TOGETHER.get(there, there) for there in found}
    return {name: found - {name} for name, found in imported.items()}


def _imported(path: Path, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith(f"{package}."))


def steps_of(imported: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Count the steps below each package. A circle, which another test forbids, would have no end."""
    steps: dict[str, int] = {}

    def step(name: str) -> int:
        if name not in steps:
            steps[name] = 1 + max((step(there) for there in imported[name]), default=-1)
        return steps[name]

    for name in imported:
        step(name)
    return steps


def arrows_of(imported: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Choose the arrows that no other way tells."""
    return [
        (name, there)
        for name, found in sorted(imported.items())
        for there in sorted(found)
        if not any(there in _below(other, imported) for other in found - {there})
    ]


def _below(name: str, imported: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = imported[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _purpose(name: str) -> str:
    if name in PURPOSE:
        return PURPOSE[name]
    text = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text(encoding="utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].replace("``", "").split())
    return first.partition(". ")[0].removesuffix(".") + "."


def place(steps: Mapping[str, int]) -> dict[str, Box]:
    """Give every package its place: a step above all that it imports."""
    highest = max(steps.values())
    boxes = {}
    for name, step in steps.items():
        first, last = LANES.get(name, ALL_LANES)
        top = MARGIN + (highest - step) * (HEIGHT + GAP)
        boxes[name] = Box(name, _purpose(name), LEFTS[first], LEFTS[last] + WIDTHS[last], top)
    return boxes


def _ends(
    arrows: Iterable[tuple[str, str]], boxes: Mapping[str, Box]
) -> Iterator[tuple[Box, Box, float, float]]:
    """Choose where arrows leave and arrive: straight down where they can, else at the nearest corners."""
    for name, there in arrows:
        upper, lower = boxes[name], boxes[there]
        left, right = max(upper.left, lower.left), min(upper.right, lower.right)
        if left < right:
            yield upper, lower, (left + right) / 2, (left + right) / 2
        elif upper.left > lower.right:
            yield upper, lower, upper.left + 24, lower.right - 24
        else:
            yield upper, lower, upper.right - 24, lower.left + 24


def _arrow(upper: Box, lower: Box, start: float, end: float) -> str:
    y, to = upper.bottom, lower.top - 7
    if start == end:
        path = f"M{start:.0f} {y}V{to}"
    elif to - y < GAP:
        path = f"M{start:.0f} {y}C{start:.0f} {to - 8} {end:.0f} {y} {end:.0f} {to}"
    else:
        # Past the boxes between them, in the gutter.
        bend = (end - start) / 2
        path = (
            f"M{start:.0f} {y}c0 {GAP / 2:.0f} {bend:.0f} 0 {bend:.0f} {GAP - 10}"
            f"V{to - GAP + 10}c0 {GAP - 10} {bend:.0f} {GAP / 2 - 10:.0f} {bend:.0f} {GAP - 10}"
        )
    return f'<path class="arrow" d="{path}"/>'


def _box(box: Box) -> str:
    fill, ink = COLORS[KINDS.get(box.name, "engine")]
    width = box.right - box.left
    middle = (box.left + box.right) / 2
    lines = textwrap.wrap(box.purpose, int((width - 12) / 6.2))
    top = box.top + (28 if len(lines) < 2 else 22)
    text = "".join(
        f'<text class="purpose" x="{middle:.0f}" y="{top + 18 + 15 * number}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    frame = f'x="{box.left}" y="{box.top}" width="{width}" height="{HEIGHT}" rx="8"'
    name = f'<text class="name" x="{middle:.0f}" y="{top}" fill="{ink}">{escape(box.name)}</text>'
    return f'<rect {frame} fill="{fill}" stroke="{ink}"/>{name}{text}'


def draw() -> str:
    """Draw the picture as SVG."""
    imported = read_imports()
    boxes = place(steps_of(imported))
    height = max(box.bottom for box in boxes.values()) + MARGIN
    parts = [_arrow(*ends) for ends in _ends(arrows_of(imported), boxes)]
    parts += [_box(box) for box in sorted(boxes.values(), key=lambda box: (box.top, box.left))]
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{TITLE}">'
    ground = f'<rect width="{WIDTH}" height="{height}" rx="12" fill="#ffffff"/>'
    return "\n".join((head, STYLE, TIP, ground, *parts, "</svg>", ""))


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
