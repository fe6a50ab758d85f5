"""Where the vendor's own clients leave open what the platform does, and what this server does there.

Nobody here can look at the platform. What is known of it comes from four places, named at each rule:

- *reference*: the vendor's REST reference; its schemas are mostly reliable, its samples are of 2018 to 2020
- *SDK*: the official SDK, its commit texts and docstrings, which hold real answers
- *error texts*: regular expressions of the SDK over real error bodies
- *docs*: the vendor's manual

``VENDOR``, the default, is as strict as all of it together, ``SDK`` only as the SDK needs it. Single rules
can be set apart with :func:`dataclasses.replace`, to rehearse a platform that is different.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from airflow_sv_versioning.exceptions import ConfigurationError

Cursor = Literal["text", "number", "ignored"]

TOOLS = frozenset({
    "polygon", "bitmap", "bitmap-pen", "rectangle", "polyline", "point", "smart", "graph", "cuboid",
    "point-cloud-pen", "point-3d", "mask_3d", "polyline_3d",
})  # fmt: skip
"""What a figure may have been drawn with. Source: reference, figures.bulk.add."""

SHAPES = frozenset({
    # Source: reference, projects.meta.update.
    "point", "rectangle", "polygon", "line", "bitmap", "mask_3d", "alpha_mask", "graph", "cuboid_2d",
    "cuboid_3d", "point_cloud", "point_3d", "polyline_3d", "oriented_bbox", "any",
    # Missing there, but the SDK makes classes of these shapes, in production.
    "cuboid", "closed_surface_mesh", "mesh", "multichannelBitmap", "multipolygon",
    "polyline",
})  # fmt: skip
"""What a class may be the shape of."""


@dataclass(frozen=True)
class Rules:
    """What the server does where it is not certain what the platform does.

    :param objects_are_listed_recursively: annotation-objects.list without ``recursive`` counts the objects
        of child datasets as well. Source: reference, "Default: true".
    :param items_are_listed_recursively: images.list, videos.list and volumes.list without ``recursive`` list
        what is in child datasets as well. Source: none; the reference names no default.
    :param figures_are_listed_recursively: so does figures.list. Source: none.
    :param checks_bounds: figures outside their image are refused unless the request says
        ``skipBoundsValidation`` or the project's settings do. Source: docs, "Skip boundary validation
        checks ... also affects API calls"; the SDK sends the flag.
    :param takes_null_values: tags of videos, volumes and objects may come with ``"value": null``. Source:
        reference, "string | number, optional"; the SDK leaves the member out.
    :param checks_names: ``tool`` of a figure and ``shape`` of a class are of the listed ones. Source:
        reference; the SDK for shapes that the reference lacks.
    :param volumes_need_meta: a volume comes with ``name`` and ``meta``, whose ``ACS`` is ``RAS`` where it is
        told. Source: reference, volumes.bulk.add; the SDK leaves ``meta`` out where its caller has none.
    :param filters_versions_narrowly: projects.versions.list filters by ``id`` and ``version`` with ``=``,
        ``eq``, ``!=``, ``not``, ``in`` and ``!in`` only. Source: reference.
    :param missing_hash_is_404: adding an item by a hash that the server has not is ``404 HASH_NOT_FOUND``.
        Source: reference, videos.bulk.add; with ``False``, 400.
    :param storages_belong_to_teams: remote-storage.exists finds nothing without ``groupId``. Source: SDK,
        "support cloud storages for teams".
    :param lists_reservations: projects.versions.list also lists versions that are not committed, with
        ``version`` and ``teamFileId`` null. Source: reference: entries have a ``status``; what it may be is
        not told.
    :param commit_says_success: ``False`` answers projects.versions.commit with ``{}``, as the reference has
        it; the SDK takes that for a failure.
    :param cursor: what ``after`` of a listing is. ``ignored`` answers a request for token paging with the
        page that it names, and without ``after``. Source: none for an answer with it; the reference has it
        as a text in requests.
    :param stamps_of_annotated_items_move: types of the projects in which ``updatedAt`` of an item moves when
        only its annotation changes. Source: the vendor's programs for images; none for videos and volumes.
    :param max_per_page: cap on the entities of a page. Source: none; no maximum is documented.
    :param hides_system_folder: Team Files below ``/system`` answer 403. Source: none; roles may see less.
    :param gone_status: of a project or dataset that is not there. Source: error texts, "Project with
        projectId ... is either archived, doesn't exist or you don't have enough permissions to access";
        the status is not told.
    :param details_are_a_list: validation errors are ``{"error": "Validation error", "details": [{"message",
        "path", "type", "context"}]}``. Source: bodies in public issues and the vendor's developer portal.
    """

    objects_are_listed_recursively: bool = True
    items_are_listed_recursively: bool = False
    figures_are_listed_recursively: bool = False
    checks_bounds: bool = True
    takes_null_values: bool = False
    checks_names: bool = True
    volumes_need_meta: bool = True
    filters_versions_narrowly: bool = True
    missing_hash_is_404: bool = True
    storages_belong_to_teams: bool = True
    lists_reservations: bool = True
    commit_says_success: bool = True
    cursor: Cursor = "text"
    stamps_of_annotated_items_move: frozenset[str] = frozenset({"images", "videos", "volumes"})
    max_per_page: int | None = None
    hides_system_folder: bool = False
    gone_status: Literal[400, 403, 404] = 404
    details_are_a_list: bool = True


VENDOR = Rules()
SDK = Rules(
    objects_are_listed_recursively=False,
    checks_bounds=False,
    takes_null_values=True,
    checks_names=False,
    volumes_need_meta=False,
    filters_versions_narrowly=False,
    missing_hash_is_404=False,
    storages_belong_to_teams=False,
    lists_reservations=False,
    details_are_a_list=False,
)
STRICTNESS = {"vendor": VENDOR, "sdk": SDK}


def read_findings(path: Path) -> dict[str, Any]:
    """Read how an instance behaves from what ``sv-versioning doctor --save`` wrote of it.

    :returns: members of the server's settings: ``rules``, and where it is known ``instance_version`` and
        ``plan``. What the doctor did not find out is as strict as ``VENDOR``.
    :raises ConfigurationError: the file is none of a doctor's.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = {rule.name for rule in fields(Rules)}
        # JSON has no sets.
        values: dict[str, Any] = {
            name: frozenset(value) if isinstance(value, list) else value
            for name, value in found["rules"].items()
        }
        rules = replace(VENDOR, **{name: value for name, value in values.items() if name in known})
        told = {name: found[name] for name in ("instance_version", "plan") if found[name] is not None}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path} holds no findings of sv-versioning doctor: {error!r}.") from error
    return {"rules": rules, **told}
