"""The template that the SDK keeps in every class of shape ``cuboid_2d``.

It is a constant but for the color. Source: observed with SDK 6.74.51.
"""

from __future__ import annotations

from typing import Any

_CORNERS = ("topleft", "topright", "bottomright", "bottomleft")
# Location of the first face's corners, in the SDK's order; the second face is one further both ways.
_LOCATIONS = ((1, 1), (1, 2), (2, 2), (2, 1))


def cuboid_template(color: list[int]) -> dict[str, Any]:
    """Make the template: eight corners, twelve edges, all of one color as RGB."""
    vertices = {
        f"face{face + 1}-{corner}": (first + face, second + face)
        for face in range(2)
        for corner, (first, second) in zip(_CORNERS, _LOCATIONS, strict=True)
    }
    around = [
        (f"face{face}-{corner}", f"face{face}-{_CORNERS[(index + 1) % 4]}")
        for face in (1, 2)
        for index, corner in enumerate(_CORNERS)
    ]
    across = [(f"face1-{corner}", f"face2-{corner}") for corner in _CORNERS]
    return {
        "vertices": {
            name: {"label": name, "loc": list(location), "color": color}
            for name, location in vertices.items()
        },
        "edges": [{"src": source, "dst": target, "color": color} for source, target in around + across],
    }
