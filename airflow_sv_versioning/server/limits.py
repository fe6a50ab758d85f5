"""What the plan of a team does not take.

Source: error texts, regular expressions of the SDK over real error bodies. They tell the words and the sizes,
but neither the statuses nor the rest of the bodies.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_sv_versioning.server.errors import bad_request, forbidden

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a team may not do; sizes are of one file.

    :param takes_links: items may be links: "only available for PRO teams".
    :param takes_labeling_interfaces: projects may have another labeling interface than ``default``: "The
        Labeling Interface is available only ... MAX package".
    :param image_bytes: ``FileSize`` with ``sizeLimit`` 1073741824.
    :param video_bytes: ``FileSize`` with ``sizeLimit`` 314572800.
    :param volume_bytes: ``FileSize`` with ``sizeLimit`` 157286400; they are uploaded as images are.
    :param team_file_bytes: "File too large".
    """

    takes_links: bool = True
    takes_labeling_interfaces: bool = True
    image_bytes: int | None = None
    video_bytes: int | None = None
    volume_bytes: int | None = None
    team_file_bytes: int | None = None

    def check_links(self, kind: str, count: int) -> None:
        """Refuse links.

        :param kind: ``images`` or ``videos``.
        """
        if count and not self.takes_links:
            raise forbidden(f"Upload remote {kind} is only available for PRO teams")

    def check_labeling_interface(self, name: object) -> None:
        """Refuse any but the default one."""
        if name not in (None, "default") and not self.takes_labeling_interfaces:
            raise forbidden("The Labeling Interface is available only in the videos MAX package")


UNLIMITED = Limits()
COMMUNITY = Limits(
    takes_links=False,
    takes_labeling_interfaces=False,
    image_bytes=1024 * MEGABYTE,
    video_bytes=300 * MEGABYTE,
    volume_bytes=150 * MEGABYTE,
    team_file_bytes=10 * 1024 * MEGABYTE,
)
"""What the vendor's cloud takes from those who do not pay."""


def check_file_size(size: int, limit: int | None) -> None:
    """Refuse an image, a video or a volume that is too large."""
    if limit is not None and size > limit:
        message = f"The file has {size} bytes, and {limit} are allowed"
        raise bad_request(message, type="FileSize", sizeLimit=limit, size=size)


def check_team_file_size(size: int, limit: int | None) -> None:
    """Refuse a file of Team Files that is too large."""
    if limit is not None and size > limit:
        raise bad_request("File too large")
