"""Photographs of people, animals and things, and what was drawn on them."""

from __future__ import annotations

from airflow_sv_versioning.demo import masks
from airflow_sv_versioning.demo.labels import box, ellipse, keypoints, line, polygon
from airflow_sv_versioning.demo.photograph import Photograph

ASTRONAUT = Photograph(
    "astronaut.png",
    "astronaut.png",
    "NASA, public domain",
    {"split": "train", "indoors": None, "objects": 1},
    (
        polygon(
            "face",
            [
                (190.5, 73), (197, 75), (210, 80), (225, 80), (240, 84), (255, 88), (268, 90), (270, 105),
                (271, 118), (270, 128), (267, 138), (263, 150), (257, 160), (248, 171), (236, 178),
                (220, 179), (208, 176), (198, 168), (186, 158), (184, 148), (182, 135), (180.5, 118),
                (181, 100), (184, 85),
            ],
            certainty=0.98,
        ),
        keypoints(
            "face points",
            {
                "left eye": (203.5, 100.5),
                "right eye": (246.5, 103),
                "nose": (224, 127),
                "mouth left": (203.5, 140.5),
                "mouth right": (246, 140.5),
                "chin": (224, 178),
            },
        ),
        polygon(
            "helmet",
            [
                (277, 511), (277.5, 478), (282, 440), (300, 394), (323, 370), (347, 355), (370, 349),
                (402, 343.5), (429, 346), (455, 357), (476, 378), (487.5, 404), (493.5, 431), (496, 455),
                (507, 461), (511, 480), (511, 511),
            ],
        ),
        polygon(
            "part",
            [
                (186, 148), (170, 148), (155, 151), (143, 157), (132, 165), (125.5, 176), (124, 188),
                (128, 200), (136, 215), (150, 232), (170, 248), (190, 259), (215, 269), (240, 275.5),
                (260, 275.5), (275, 271), (290, 262), (300, 250), (303.5, 238), (301, 225), (294, 208),
                (283, 193), (270, 181), (256, 173), (255, 180), (265, 187), (278, 198), (290, 215),
                (296, 228), (296, 242), (288, 253), (272, 264), (250, 269), (222, 265), (195, 253),
                (172, 239), (152, 220), (140, 203), (134, 187), (134, 175), (145, 163), (165, 156),
                (186, 153),
            ],
            occluded=None,
        ),
        box("badge", 133.5, 348, 208, 422.5, text="COLLINS ASHBY COLEMAN HAWLEY TOGNINI"),
        box("badge", 278.5, 338, 329.5, 378.5, text="EILEEN M. COLLINS"),
    ),
    masks.suit,
)  # fmt: skip

CAMERA = Photograph(
    "camera.png",
    "camera.png",
    "Lav Varshney, CC0",
    {"split": "train", "objects": 1},
    (
        polygon(
            "person",
            [
                (0, 262), (25, 224), (50, 184), (62, 163), (77, 145), (108, 127.5), (131, 124),
                (155, 106), (161, 106.5), (170, 90), (180, 77), (192, 68), (205, 65),
                (222, 69), (240, 78), (256, 92), (266, 105), (271, 118), (268, 130), (258, 133), (250, 145),
                (254.5, 167), (245, 170.5), (246, 176),
                (241.5, 181), (242, 188), (236, 197), (240, 203), (242, 215), (248.5, 246), (262.5, 224),
                (288, 204), (305, 205), (318, 183), (317, 172), (325, 168), (331, 176), (331, 195),
                (322, 215), (304, 236), (304.5, 274), (281, 293), (246, 312.5), (206, 294), (180.5, 333),
                (159, 361), (141.5, 380.5), (148, 417), (151, 511), (140.5, 511), (129, 483), (115, 464),
                (98.5, 447.5), (89, 511), (0, 511),
            ],
            certainty=0.9,
        ),
        keypoints(
            "face points",
            {
                "left eye": (236, 147.5),
                "right eye": (246, 147.5),
                "nose": (254, 166.5),
                "mouth left": (232, 180),
                "mouth right": (244, 177),
                "chin": (231, 197),
            },
            hidden=["right eye"],
        ),
        box("camera", 251.5, 138.5, 325, 187),
        line("tripod", [(236.5, 511), (285, 331)]),
        line("tripod", [(403, 511), (310.5, 331)]),
        line("tripod", [(293, 216.5), (293, 485)]),
        box("building", 412, 119, 432.5, 192),
    ),
)  # fmt: skip

CHELSEA = Photograph(
    "chelsea.png",
    "chelsea.png",
    "Stefan van der Walt, CC0",
    {"split": "validation", "indoors": None, "objects": 1},
    (
        box("cat", 30.5, 0, 401, 290.5, occluded=None),
        keypoints(
            "cat face",
            {
                "left ear": (58, 12),
                "left eye": (171.5, 112.5),
                "right eye": (314, 134),
                "nose": (258.5, 238),
                "mouth": (255, 267),
            },
            hidden=["left ear"],
        ),
        polygon(
            "eye",
            [
                (138, 105), (148, 92), (165, 86), (182, 88), (197, 98), (206, 112), (207, 128), (200, 140),
                (185, 146), (165, 142), (148, 132), (140, 118),
            ],
        ),
        polygon(
            "eye",
            [
                (296, 133), (301, 120), (312, 112.5), (325, 109.5), (337, 112), (341.5, 124), (338, 142),
                (328, 157), (315, 163), (303, 161.5), (296, 150),
            ],
        ),
        polygon(
            "part",
            [
                (240, 233), (250, 228), (266, 227.5), (280, 231), (292, 233), (281, 245), (272, 256),
                (258, 264.5), (251, 256), (247, 242),
            ],
        ),
    ),
)  # fmt: skip

COFFEE = Photograph(
    "coffee.png",
    "coffee.png",
    "Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0",
    {"split": "train", "indoors": None, "objects": 3},
    (
        polygon(
            "tableware",
            [
                (176, 74), (140, 95), (108, 125), (88, 160), (78, 200), (78, 235), (88, 275), (105, 305),
                (135, 338), (170, 362), (210, 380), (255, 388.5), (300, 390), (345, 384), (390, 366),
                (425, 340), (455, 300), (472, 260), (478.5, 225), (475, 195), (464, 165), (448, 140),
                (430, 120), (415, 109), (404, 125), (396, 160), (386, 195), (371, 232), (345, 250),
                (326, 280), (290, 286), (258, 284), (244, 268), (228, 300), (218, 307), (204, 300),
                (197, 285), (201, 263), (216, 238), (200, 220), (186, 190), (177, 150), (172, 110),
            ],
            occluded=None,
        ),
        polygon("tableware", ellipse(289, 113, 116.5, 95), ellipse(290, 112.5, 97, 80.5)),
        polygon(
            "tableware",
            [
                (372, 237), (376, 215), (386, 194), (391, 190), (387, 218), (385.5, 238), (392, 248),
                (402, 262), (405.5, 280), (398, 303), (385, 318), (362, 325.5), (345, 320), (330, 300),
                (326, 281), (330, 262), (345, 250), (362, 241),
            ],
            occluded=None,
        ),
        polygon(
            "coffee",
            [
                (205, 140), (222, 110), (250, 100), (290, 95), (320, 98), (345, 115), (362, 140), (368, 160),
                (356, 178), (330, 189), (300, 193.5), (270, 191.5), (240, 182), (217, 164),
            ],
        ),
    ),
)  # fmt: skip

COINS = Photograph(
    "coins.png",
    "coins.png",
    "Brooklyn Museum, no known copyright restrictions",
    {"split": "validation", "objects": 24},
    drawn=masks.coins,
)

PAGE = Photograph(
    "page.png",
    "page.png",
    "scikit-image",
    {"split": "train", "objects": 7},
    (
        box("text line", 5.5, 11.5, 293, 33.5, text="Region-based segmentation"),
        box("text line", 4.5, 49, 377.5, 64.5, text="Let us first determine markers of the coins and the"),
        box("text line", 5, 66.5, 377.5, 83, text="background. These markers are pixels that we can label"),
        box("text line", 5, 84, 377.5, 101, text="unambiguously as either object or background. Here,"),
        box("text line", 5, 101, 377.5, 119, text="the markers are found at the two extreme parts of the"),
        box("text line", 5.5, 118, 171.5, 135.5, text="histogram of grey values:"),
        box("text line", 18, 169.5, 241, 189, text=">>> markers = np.zeros_like(coins)", certainty=0.9),
    ),
)
