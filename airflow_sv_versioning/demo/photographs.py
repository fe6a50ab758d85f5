"""The demo's pictures, as they lie in its project."""

from __future__ import annotations

from airflow_sv_versioning.demo.photograph import Folder
from airflow_sv_versioning.demo.pictures_everyday import ASTRONAUT, CAMERA, CHELSEA, COFFEE, COINS, PAGE
from airflow_sv_versioning.demo.pictures_technical import CELL, DEEP_FIELD, MOON, MOTORCYCLE, RETINA, ROCKET

FOLDERS = (
    Folder("everyday", [PAGE], description="What is around us.", custom_data={"collected": 2026}),
    Folder("people", [ASTRONAUT, CAMERA], parent="everyday"),
    Folder("animals", [CHELSEA], parent="everyday"),
    Folder(
        "table", [COFFEE, COINS], parent="everyday", custom_data={"light": {"lamp": "warm", "lux": 240.5}}
    ),
    Folder("machines", [MOTORCYCLE, ROCKET]),
    Folder("sky", [MOON, DEEP_FIELD], description="Seen through a telescope."),
)
"""Parents come before what is nested in them."""

LATE_FOLDER = Folder("laboratory", [RETINA, CELL], description="Seen through a microscope, or into an eye.")
"""What an import brings while the backup waits for it."""
