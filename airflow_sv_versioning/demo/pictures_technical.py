"""Photographs of machines, the sky and a laboratory, and what was drawn on them."""

from __future__ import annotations

from airflow_sv_versioning.demo import masks
from airflow_sv_versioning.demo.labels import box, ellipse, line, point, polygon
from airflow_sv_versioning.demo.photograph import Photograph

MOTORCYCLE = Photograph(
    "motorcycle.png",
    "motorcycle_left.png",
    "Middlebury 2014 stereo benchmark, D. Scharstein et al.",
    {"split": "train", "indoors": None, "objects": 1},
    (
        box("motorcycle", 91.5, 16, 685, 454.5),
        polygon("tyre", ellipse(198, 320, 77, 82), ellipse(200, 321, 55, 56.5), occluded=None),
        polygon(
            "tyre",
            [
                (513, 320), (515, 345), (522, 372), (535, 398), (552, 418), (575, 436), (598, 446.5),
                (622, 450), (648, 447.5), (666, 440), (678, 426), (683.5, 405), (682.5, 385), (676, 360),
                (665, 337), (652, 318), (638, 303), (610, 293), (580, 291), (550, 294), (525, 300),
            ],
            [
                (528, 322), (531, 350), (541, 376), (556, 396), (576, 415), (600, 430), (622, 434.5),
                (641, 430), (651, 417), (654.5, 400), (651, 380), (643, 362), (630, 340), (612, 320),
                (594, 307), (575, 302), (550, 303), (533, 308),
            ],
            occluded=None,
        ),
        polygon(
            "part",
            [
                (327, 223.5), (357.5, 202), (391, 181.5), (427, 164), (464, 161), (483, 170), (479, 195.5),
                (469, 226), (458, 237.5), (402, 239), (349, 251.5),
            ],
        ),
        polygon("part", ellipse(537, 155.5, 23, 31)),
    ),
)  # fmt: skip

ROCKET = Photograph(
    "rocket.jpg",
    "rocket.jpg",
    "SpaceX, public domain",
    {"split": "validation", "objects": 10},
    (
        polygon(
            "rocket",
            [
                (313, 406.5), (313, 372), (314.5, 330), (314.5, 182), (312, 178), (311, 172), (310.5, 150),
                (312, 140), (317, 131), (322, 127), (328, 131), (333, 140), (334, 150), (334, 172),
                (332, 179), (330.5, 182), (330.5, 240), (331, 320), (331, 406.5),
            ],
        ),
        polygon("tower", [(189.5, 191.5), (204, 191.5), (204, 395), (198, 426), (164, 426), (176, 330)]),
        polygon("tower", [(443, 191.5), (457, 191.5), (468, 310), (478.5, 426), (443, 426)]),
        *(
            point("lamp", x, y)
            for x, y in (
                (83.5, 349), (151.5, 376.5), (193, 394.5), (364, 396.5), (432.5, 394),
                (110.5, 416.5), (450, 419),
            )
        ),
    ),
)  # fmt: skip

MOON = Photograph(
    "moon.png",
    "moon.png",
    "scikit-image",
    {"split": "train"},
    (
        polygon("crater", ellipse(121, 87, 26, 25), certainty=1),
        polygon("crater", ellipse(183.5, 184.5, 8.5, 6.5), certainty=0.8),
        polygon("crater", ellipse(50.5, 34, 8.5, 7), certainty=0.8),
        polygon("crater", ellipse(44, 293, 7, 6), certainty=0.7),
    ),
    masks.shadows,
)

DEEP_FIELD = Photograph(
    "hubble deep field.jpg",
    "hubble_deep_field.jpg",
    "NASA, ESA, public domain",
    {"split": "validation", "objects": 20},
    drawn=masks.bright_spots,
)

RETINA = Photograph(
    "retina.jpg",
    "retina.jpg",
    "Mikael Haggstrom, CC0",
    {"split": "train"},
    (
        polygon("optic disc", ellipse(216, 651, 94, 104), certainty=0.9),
        point("macula", 704, 691),
        line(
            "vessel",
            [
                (228, 556), (236, 520), (250, 498), (278, 472), (305, 420), (316, 388), (426, 323),
                (523, 314), (607, 338), (698, 355), (775, 413), (891, 426), (956, 437),
                (1021, 426), (1092, 375), (1163, 320), (1253, 300),
            ],
        ),
    ),
)  # fmt: skip

CELL = Photograph(
    "cell.png",
    "cell.png",
    "Paul Mueller et al., CC0",
    {"split": "train", "objects": 1},
    drawn=masks.cell,
)
