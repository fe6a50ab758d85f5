"""What formats and the official SDK lose, applied to the content of a project.

A project that went through the SDK can then be compared exactly: anything else that is missing shows.
"""

import json
from copy import deepcopy
from typing import Any

Content = dict[str, Any]


def archived_by_sdk(content: Content) -> Content:
    """What its archives do not hold: true names, who drew a figure, notes on figures."""
    changed = deepcopy(content)
    names = {key: _altered(key, image["mime"]) for key, image in changed["images"].items()}
    changed["images"] = {names[key]: image for key, image in changed["images"].items()}
    for image in changed["images"].values():
        image["parent"] = names.get(image["parent"])
        _reset_figures(image, nnCreated=False, nnUpdated=False)
        _reset_objects(image, nnCreated=False, nnUpdated=False, description="")
    return changed


def restored_by_sdk(content: Content) -> Content:
    """What its restore does not bring back, whatever the archive holds."""
    changed = deepcopy(content)
    changed["datasets"] = {_uprooted(key): dataset for key, dataset in changed["datasets"].items()}
    changed["images"] = {_uprooted(key): image for key, image in changed["images"].items()}
    for image in changed["images"].values():
        image.update(parent=None, description="")
        image["annotation"]["description"] = ""
        defaults = {"priority": 1, "customData": {}, "nnCreated": False, "nnUpdated": False}
        _reset_figures(image, **defaults)
        _reset_objects(image, **defaults, description="")
    return changed


def _altered(key: str, mime: str) -> str:
    """The SDK appends the type to names whose extension says something else."""
    subtype = mime.split("/")[1]
    _, dot, extension = key.rsplit("//", 1)[1].rpartition(".")
    extension = extension.lower() if dot else ""
    same = extension == subtype or (subtype == "jpeg" and extension in {"jpg", "jpeg", "mpo"})
    return key if same else f"{key}.{subtype}"


def _uprooted(key: str) -> str:
    """A dataset below a moved one comes before it by id, and so ends at the root."""
    return key.removeprefix("archive/train/") if key.startswith("archive/train/deep") else key


def _reset_figures(image: dict[str, Any], **values: Any) -> None:
    image["figures"] = _sorted({**figure, **values} for figure in image["figures"])


def _reset_objects(image: dict[str, Any], **values: Any) -> None:
    objects = image["annotation"]["objects"]
    known = ({key: values[key] for key in values if key in item} for item in objects)
    image["annotation"]["objects"] = _sorted(
        {**item, **reset} for item, reset in zip(objects, known, strict=True)
    )


def _sorted(items: Any) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def archived_videos_by_sdk(content: Content) -> Content:
    """What its archives of videos do not hold: fractions of pixels, notes and custom data of figures."""
    changed = deepcopy(content)
    for video in changed["videos"].values():
        for figure in video["figures"]:
            figure.update(geometry=_rounded(figure["geometry"]), customData={}, description="")
    return changed


def restored_videos_by_sdk(content: Content, archive_format: str) -> Content:
    """What its restore of videos does not bring back, whatever the archive holds."""
    changed = deepcopy(content)
    restored = (key for key in _RESTORED_SETTINGS if key in changed["settings"])
    changed["settings"] = {key: changed["settings"][key] for key in restored}
    for what in ("datasets", "videos"):
        # As for images: what lies below a moved dataset comes before it by id.
        changed[what] = {key.removeprefix("attic/moved/"): value for key, value in changed[what].items()}
    for video in changed["videos"].values():
        video["description"] = ""
        # Told by the exact figures, too; theirs are cut to whole pixels on the way.
        video.pop("as the SDK sees it", None)
        for figure in video["figures"]:
            geometry = _cut(figure["geometry"])
            if video["objects"][figure["object"]][0] == "anything":
                geometry.update(geometryType=figure["geometryType"], shape=figure["geometryType"])
            figure.update(geometry=geometry, customData={}, description="")
            figure["nnUpdated"] = figure["nnUpdated"] and figure["nnCreated"]
        if archive_format == "v2.1.0":
            # Each view gets the tags that a shared object has in all of them.
            for entry, views in zip(video["objects"], video["views"], strict=True):
                entry[1] = _sorted(entry[1] * len(views))
    return changed


_RESTORED_SETTINGS = ("groupImages", "groupImagesByTagId", "groupImagesSync", "labelingInterface")


def _cut(geometry: Any) -> Any:
    if isinstance(geometry, dict):
        return {key: _cut(value) for key, value in geometry.items()}
    if isinstance(geometry, list):
        return [_cut(value) for value in geometry]
    return int(geometry) if isinstance(geometry, float) else geometry


def _rounded(geometry: Any) -> Any:
    if isinstance(geometry, dict):
        return {key: _rounded(value) for key, value in geometry.items()}
    if isinstance(geometry, list):
        return [_rounded(value) for value in geometry]
    return round(geometry) if isinstance(geometry, float) else geometry
