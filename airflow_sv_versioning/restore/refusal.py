"""What a restore says when it stops because media are gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_sv_versioning.exceptions import MissingMediaError

_NAMED = 10
_ABOUT_LINKS = (
    "Links into private networks are tried before a restore begins where private_links (--private-links) is "
    "on. "
)
_ADVICE = {
    "fail": "Restore with missing_entities='skip' to leave them out, 'placeholder' to keep their "
    "annotations, or 'reupload' where a vault holds them.",
    "placeholder": "Restore with missing_entities='skip' to leave out what is missing.",
    "reupload": "Name another vault, or restore with missing_entities='skip' or 'placeholder'.",
}


@dataclass(frozen=True)
class MissingItem:
    """An item whose media are gone.

    :param path: ``dataset/path/item name``.
    :param reason: why the media cannot be had.
    """

    item_id: int
    path: str
    reason: str


class MediaRefusedError(MissingMediaError):
    """The server does not know some hashes, or cannot read some links; nothing of the restore was left.

    :param refused: id of each item -> why.
    """

    kind = MissingMediaError.kind

    def __init__(self, message: str, *, missing: list[str], refused: Mapping[int, str]) -> None:
        super().__init__(message, missing=missing)
        self.refused = refused


def media_refused(what: str, refused: Mapping[int, MissingItem], *, are_links: bool) -> MediaRefusedError:
    """Build the error of a restore whose hashes or links the server refused.

    :param what: names all items, such as ``12 images``.
    """
    lost = list(refused.values())
    items_text = "; ".join(f"{item.path} (id {item.item_id}): {item.reason}" for item in lost[:_NAMED])
    rest_text = f"; and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    hint = _ABOUT_LINKS if are_links else ""
    return MediaRefusedError(
        f"The server cannot make {len(lost)} of {what}: {items_text}{rest_text}. Nothing was left of the "
        f"restore. {hint}{_ADVICE['fail']}",
        missing=[item.path for item in lost],
        refused={item.item_id: item.reason for item in lost},
    )


def missing_media(
    what: str, policy: str, missing: Mapping[int, MissingItem], without: Mapping[int, str]
) -> MissingMediaError:
    """Build the error of a restore that cannot go on.

    :param what: names all items, such as ``12 images``.
    :param missing: all missing items by id.
    :param without: id of an item that the policy has no answer to -> why.
    """
    lost = [item for item_id, item in missing.items() if item_id in without]
    items_text = "; ".join(
        f"{item.path} (id {item.item_id}): {without[item.item_id]}" for item in lost[:_NAMED]
    )
    rest_text = f"; and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    summary = f"{len(missing)} of {what} have no media any more"
    if policy != "fail":
        summary += f", and {len(lost)} of them are beyond missing_entities={policy!r}"
    return MissingMediaError(
        f"{summary}: {items_text}{rest_text}. Nothing was created. {_ADVICE[policy]}",
        missing=[item.path for item in lost],
    )
