"""Placeholders of videos."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from fractions import Fraction
from hashlib import sha256
from itertools import cycle, pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import UnsupportedProjectError
from airflow_sv_versioning.restore.placeholders.pattern import PALETTE, plain_picture
from airflow_sv_versioning.snapshot.json_columns import json_value

if TYPE_CHECKING:
    import av
    import numpy as np
    from av.video.stream import VideoStream

MAX_SIDE = 16_384
"""Source: what encoders of H.264 take."""

MAX_PIXELS = 8192 * 4352
"""Of a frame. Source: the highest level of H.264."""

MAX_FRAMES = 4_000_000
"""A day and a half, at thirty frames a second."""

# Larger pictures are encoded one after the other: each takes some ten bytes a pixel.
_SMALL_PIXELS = 2**22
_LARGE = Lock()
FRAMES_A_SECOND = 25
_TICKS_A_SECOND = 90_000
_LATEST_SECONDS = 10_000_000
# Every group begins with a whole picture; the others only say that nothing moved.
_GROUP_FRAMES = 250
_OPTIONS = {"preset": "veryfast", "qp": "32", "bf": "0", "g": str(_GROUP_FRAMES), "sc_threshold": "0"}


class VideoPlaceholders:
    """Draws MP4 files of one still picture.

    Only the first group of frames is encoded; a longer video repeats it, so an hour takes as much work as
    ten seconds. The times of frames are those that the version recorded.
    """

    packages: Sequence[str] = ("PIL", "av")
    columns: Sequence[str] = ("frame_width", "frame_height", "frames_count", "frames_to_timecodes")

    def shape_of(self, row: Mapping[str, Any]) -> Hashable | None:
        """Tell width and height in pixels, the number of frames and a digest of their times."""
        width, height = row["frame_width"] or 0, row["frame_height"] or 0
        count = row["frames_count"] or 0
        if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and 0 < count <= MAX_FRAMES):
            return None
        if width * height > MAX_PIXELS:
            return None
        return (width, height, count, sha256((row["frames_to_timecodes"] or "").encode()).digest())

    def draw(self, row: Mapping[str, Any], path: Path) -> None:
        """Write the file.

        :raises UnsupportedProjectError: frames that no H.264 encoder takes, such as of one pixel.
        """
        import av

        is_large = row["frame_width"] * row["frame_height"] > _SMALL_PIXELS
        try:
            with _LARGE if is_large else nullcontext():
                _write(row, path)
        except av.error.FFmpegError as error:
            raise UnsupportedProjectError(
                f"No placeholder can be encoded for a video of {row['frame_width']} x {row['frame_height']} "
                f"pixels and {row['frames_count']} frames: {error}. Choose another missing_entities."
            ) from error


def _write(row: Mapping[str, Any], path: Path) -> None:
    import av

    count = row["frames_count"]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAMES_A_SECOND, options=_OPTIONS)
        stream.width, stream.height = row["frame_width"], row["frame_height"]
        # Colours at half the resolution, which every player knows, need even sizes.
        is_even = stream.width % 2 == stream.height % 2 == 0
        stream.pix_fmt = "yuv420p" if is_even else "yuv444p"
        # One thread, for equal shapes are to give equal bytes.
        stream.thread_count = 1
        ticks = Fraction(1, _TICKS_A_SECOND)
        stream.time_base = ticks
        group = list(_encoded(stream, min(count, _GROUP_FRAMES)))
        spans = pairwise(_times(json_value(row["frames_to_timecodes"]), count))
        for number, ((start, end), content) in enumerate(zip(spans, cycle(group))):
            packet = av.Packet(content)
            packet.stream = stream
            packet.time_base = ticks
            packet.pts = packet.dts = start
            packet.duration = end - start
            packet.is_keyframe = number % _GROUP_FRAMES == 0
            container.mux(packet)


def _encoded(stream: VideoStream, count: int) -> Iterator[bytes]:
    """Encode a group of equal frames; one packet a frame, in the order in which they are shown."""
    picture = _picture(stream.width, stream.height)
    for number in range(count):
        frame = picture.reformat(format=stream.pix_fmt)
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_A_SECOND)
        yield from map(bytes, stream.encode(frame))
    yield from map(bytes, stream.encode(None))


def _picture(width: int, height: int) -> av.VideoFrame:
    import av
    import numpy as np

    colours: np.ndarray[Any, Any] = np.array(PALETTE, np.uint8)
    return av.VideoFrame.from_ndarray(colours[plain_picture(width, height)], format="rgb24")


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= _LATEST_SECONDS


def _times(timecodes: Any, count: int) -> Iterator[int]:
    """Tell when each frame is shown and when the last one ends, in ticks; each later than the one before."""
    is_recorded = isinstance(timecodes, list) and len(timecodes) == count and all(map(_is_time, timecodes))
    usual = _TICKS_A_SECOND // FRAMES_A_SECOND
    last, length = -1, usual
    for number in range(count):
        start = round(timecodes[number] * _TICKS_A_SECOND) if is_recorded else number * usual
        start = max(start, last + 1)
        length, last = start - last if number else usual, start
        yield start
    yield last + length
