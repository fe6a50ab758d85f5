"""The frames of videos as pictures."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from airflow_sv_versioning.dataset.formats.format import Contents
from airflow_sv_versioning.dataset.records import Item
from airflow_sv_versioning.exceptions import ConfigurationError, FormatError

if TYPE_CHECKING:
    import av

SUFFIX = ".jpg"
# What is lost by it cannot be seen; whole pictures would be many times as large as their video.
_QUALITY = 95


def writes_frames(contents: Contents) -> bool:
    """Say whether frames of videos become pictures."""
    return contents.has_frames and contents.media == "copy"


def media_folder(contents: Contents) -> str | None:
    """Name the folder of items' files; ``None`` where pictures of frames are written in place of videos."""
    if writes_frames(contents):
        return None
    return contents.project_type


def check_decoder(contents: Contents) -> None:
    """Refuse to make pictures of frames without what decodes them.

    :raises ConfigurationError: PyAV is not installed.
    """
    if not writes_frames(contents):
        return
    try:
        import av  # noqa: F401
    except ImportError as error:
        message = (
            "Frames of videos become pictures with PyAV: pip install 'airflow-sv-versioning[video]', "
            "or leave them out with media='none' or 'link'."
        )
        raise ConfigurationError(message) from error


def frame_name(item: Item, frame: int) -> str:
    """Name the picture of a frame, below its part's folder: a folder a video."""
    return f"{PurePosixPath(item.file_name).with_suffix('')}/{frame:06d}{SUFFIX}"


def write_frames(item: Item, frames: Collection[int], folder: Path) -> None:
    """Write frames of a video as pictures; nothing where its file is gone.

    :param folder: of the item's part.
    :raises FormatError: the file cannot be decoded, or has not all of the frames.
    """
    if item.open_media is None:
        return
    import av

    try:
        with item.open_media() as file:
            # It may have been opened ahead, so it is closed here even where nothing is wanted of it.
            missing = set(frames) - _write(item, set(frames), folder, file) if frames else set()
    except av.FFmpegError as error:
        raise _damaged(item, f"cannot be decoded ({error})") from error
    if missing:
        raise _damaged(item, f"has no frame {min(missing)}, on which there are figures")


def _write(item: Item, frames: set[int], folder: Path, file: BinaryIO) -> set[int]:
    import av

    written: set[int] = set()
    folder.joinpath(frame_name(item, 0)).parent.mkdir(parents=True, exist_ok=True)
    with av.open(file) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in frames:
                _save(frame, folder / frame_name(item, number))
                written.add(number)
            if len(written) == len(frames):
                break
    return written


def _save(frame: av.VideoFrame, path: Path) -> None:
    frame.to_image().save(path, quality=_QUALITY)  # type: ignore[no-untyped-call]


def _damaged(item: Item, what: str) -> FormatError:
    name = f"{item.dataset_path}/{item.row['name']}"
    message = f"The file of {name!r} {what}. Leave it out of the selection, or export with media='none'."
    return FormatError(message, item=name)
