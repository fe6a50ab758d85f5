"""Reads a whole project as the server's own JSON, with names in place of ids.

Nothing is chosen: every member of every answer is kept, but those that must differ between two projects. So
what a version loses shows, whether or not anybody thought of it.
"""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from tests.fidelity.rest import Rest

Json = dict[str, Any]
# Ids, moments and what is made of ids.
_DIFFERENT = frozenset(
    {
        "id", "key", "objectKey", "projectId", "datasetId", "parentId", "workspaceId", "teamId", "entityId",
        "imageId", "videoId", "volumeId", "createdAt", "updatedAt", "createdBy", "processingPath",
    }
)  # fmt: skip
# What users and files say stays as it is, whatever the words.
_VERBATIM = frozenset(
    {"customData", "meta", "fileMeta", "geometry", "geometryMeta", "volumeMeta", "settings"}
)


def _voxels(file: bytes) -> Json:
    """What a mask says: its voxels, and where in space they are; in which words, is no matter."""
    header, _, packed = file.partition(b"\n\n")
    lines = [line.partition(": ") for line in header.decode().splitlines() if ": " in line]
    told = {name: value for name, _, value in lines}
    raw = gzip.decompress(packed) if told.pop("encoding") in {"gzip", "gz"} else packed
    assert told.pop("type") in {"uint8", "unsigned char", "uchar"}
    told.pop("endian", None)
    return {**{name: _numbers(value) for name, value in told.items()}, "voxels": raw.hex()}


def _numbers(value: str) -> Any:
    """Read the numbers of a header's line; what is no number stays."""
    try:
        return [float(number) for number in re.split(r"[\s(),]+", value) if number]
    except ValueError:
        return value


_READERS: dict[str, Callable[[bytes], Any]] = {
    "alpha_mask": json.loads,
    "mask_3d": _voxels,
    "closed_surface_mesh": bytes.hex,
}
"""Geometries that are apart from their figures, and what to make of their files."""


def read(rest: Rest, project_id: int) -> Json:
    """Read everything that a version is to hold."""
    return _Reader(rest, project_id).run()


class _Reader:
    def __init__(self, rest: Rest, project_id: int) -> None:
        self._rest = rest
        self._id = project_id
        self._meta = rest.call("projects.meta", {"id": project_id})
        self._classes = {entry["id"]: entry["title"] for entry in self._meta["classes"]}
        self._tags = {entry["id"]: entry["name"] for entry in self._meta["tags"]}

    def run(self) -> Json:
        info = self._rest.call("projects.info", {"id": self._id})
        datasets = {entry["id"]: entry for entry in self._listed_datasets()}
        read_items: Callable[[int], Iterator[Json]] = getattr(self, f"_{info['type']}")
        # Names are unique in a dataset. The order of ids tells only who was added before whom.
        items = {key: sorted(read_items(key), key=lambda item: item["name"]) for key in datasets}
        paths = {
            item["id"]: f"{_path(datasets, key)}/{item['name']}"
            for key, found in items.items()
            for item in found
        }
        found = {
            "type": info["type"],
            "readme": info["readme"],
            "customData": {key: value for key, value in info["customData"].items() if key != "restored_from"},
            "settings": self._settings(info["settings"]),
            "classes": self._plain(self._meta["classes"]),
            "tags": self._plain(self._meta["tags"]),
            "datasets": {
                _path(datasets, key): {
                    **self._plain(entry),
                    "items": [self._item(item, paths) for item in items[key]],
                }
                for key, entry in datasets.items()
            },
        }
        if not found["settings"].get("allowDuplicateTags") and _has_repeated_tags(found["datasets"]):
            # To put the second of two tags on something, one has to switch it on, and cannot take it away.
            found["settings"].pop("allowDuplicateTags", None)
        return found

    def _listed_datasets(self) -> Iterator[Json]:
        body = {"projectId": self._id, "recursive": True, "extraFields": ["customData"]}
        return self._rest.pages("datasets.list", body)

    def _settings(self, settings: Json) -> Json:
        tag_id = settings.get("groupImagesByTagId")
        return {**settings, "groupImagesByTagId": self._tags.get(tag_id, tag_id)}

    def _item(self, item: Json, paths: dict[int, str]) -> Json:
        plain = self._plain(item)
        for entry in plain.get("annotation", {}).get("objects", []):
            entry["views"] = [paths[view] for view in entry["views"]]
        return {**plain, "parent": paths.get(item.get("parentId") or 0)}

    def _images(self, dataset_id: int) -> Iterator[Json]:
        figures = self._figures(dataset_id)
        for image in self._rest.pages("images.list", {"datasetId": dataset_id, "recursive": False}):
            yield {**image, "figures": figures[image["id"]]}

    def _videos(self, dataset_id: int) -> Iterator[Json]:
        return self._annotated("videos", "videoId", dataset_id)

    def _volumes(self, dataset_id: int) -> Iterator[Json]:
        return self._annotated("volumes", "volumeId", dataset_id)

    def _annotated(self, kind: str, id_member: str, dataset_id: int) -> Iterator[Json]:
        """Items with their annotations: objects by number, and figures also as they are listed."""
        items = list(self._rest.pages(f"{kind}.list", {"datasetId": dataset_id}))
        if not items:
            return
        listed = {figure["id"]: figure for found in self._figures(dataset_id).values() for figure in found}
        ids = [item["id"] for item in items]
        body = {"datasetId": dataset_id, f"{id_member}s": ids, "integerCoords": False}
        found = self._rest.call(f"{kind}.annotations.bulk.info", body)
        annotations = {annotation[id_member]: annotation for annotation in found}
        views: dict[int, list[int]] = defaultdict(list)
        for annotation in found:
            for entry in annotation["objects"]:
                views[entry["id"]].append(annotation[id_member])
        for item in items:
            annotation = annotations[item["id"]]
            numbers = {entry["id"]: number for number, entry in enumerate(annotation["objects"])}
            for entry in annotation["objects"]:
                entry["views"] = views[entry["id"]]
            for figure in _figures_of(annotation):
                figure["listed"] = listed.pop(figure["id"])
            yield {**item, "annotation": _numbered(annotation, numbers)}
        assert not listed, f"figures that no annotation shows: {listed}"

    def _figures(self, dataset_id: int) -> dict[int, list[Json]]:
        """All figures of a dataset by their items, each with its geometry."""
        body = {"datasetId": dataset_id, "integerCoords": False, "recursive": False}
        listed = self._rest.pages("figures.list", body)
        found: dict[int, list[Json]] = defaultdict(list)
        for figure in listed:
            if figure["geometryType"] in _READERS:
                file = self._rest.file("figures.bulk.download.geometry", figure["id"])
                figure["file"] = None if file is None else _READERS[figure["geometryType"]](file)
            found[figure["entityId"]].append(figure)
        return found

    def _plain(self, value: Any) -> Any:
        """Drop what must differ, and put names in place of ids."""
        if isinstance(value, list):
            return [self._plain(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        plain = {
            key: entry if key in _VERBATIM else self._plain(entry)
            for key, entry in value.items()
            if key not in _DIFFERENT
        }
        for member, names in (("classId", self._classes), ("tagId", self._tags)):
            if member in plain:
                plain[member] = names.get(plain[member], plain[member])
        return plain


def _has_repeated_tags(value: Any) -> bool:
    """Say whether anything has a tag twice."""
    if isinstance(value, list):
        return any(map(_has_repeated_tags, value))
    if not isinstance(value, dict):
        return False
    names = [tag["tagId"] for tag in value.get("tags") or [] if isinstance(tag, dict)]
    return len(set(names)) < len(names) or any(map(_has_repeated_tags, value.values()))


def _path(datasets: dict[int, Json], dataset_id: int) -> str:
    """Names from the root on, told apart from names that hold a slash."""
    entry = datasets[dataset_id]
    above = "" if entry["parentId"] is None else _path(datasets, entry["parentId"])
    return f"{above}//{entry['name']}"


def _figures_of(annotation: Json) -> Iterator[Json]:
    """Go through the figures of a video's or a volume's annotation."""
    planes = [piece for plane in annotation.get("planes", []) for piece in plane["slices"]]
    for group in [*annotation.get("frames", []), *planes]:
        yield from group["figures"]
    yield from annotation.get("spatialFigures", [])


def _numbered(value: Any, numbers: dict[int, int]) -> Any:
    """Put the number of an object in place of its id."""
    if isinstance(value, list):
        return [_numbered(entry, numbers) for entry in value]
    if not isinstance(value, dict):
        return value
    numbered = {key: entry if key in _VERBATIM else _numbered(entry, numbers) for key, entry in value.items()}
    if "objectId" in numbered:
        numbered["objectId"] = numbers.get(numbered["objectId"], numbered["objectId"])
    return numbered
