"""Learning what a video file holds: its streams, and when each frame is shown.

The file is taken apart, not decoded: an hour of video is read in seconds. PyAV is needed for it, and only
for it, so a server without PyAV serves every other type of project.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.server.behaviour.media import UNKNOWN_MIME, Links
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import dumps, loads
from airflow_sv_versioning.server.storage import Storage

if TYPE_CHECKING:
    import av.container
    from av.stream import Stream

FileFacts = dict[str, Any]
"""A video file: ``formatName``, ``mime``, ``size`` (bytes), ``duration`` (seconds), ``streams``."""

STILL_FORMATS = frozenset({"image2", "tty"})
MIMES = {
    "mov": "video/mp4",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "mpegts": "video/mp2t",
    "mpeg": "video/mpeg",
    "ogg": "video/ogg",
    "flv": "video/x-flv",
}


def require_reader() -> None:
    """Refuse videos where PyAV is not installed."""
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise bad_request(
            "This server cannot read video files: PyAV is not installed beside it; "
            "install airflow-sv-versioning[video] and start it again",
            type="VIDEO_SUPPORT_MISSING",
        ) from error


def probe_video(path: Path, size: int) -> FileFacts | None:
    """Look into a file; ``None`` means that it is no video."""
    require_reader()
    import av

    try:
        with av.open(str(path)) as container:
            name = container.format.name
            if name.endswith("_pipe") or name in STILL_FORMATS or not container.streams.video:
                return None
            return _facts(container, size, _rotations(path))
    except (av.error.FFmpegError, ValueError, OSError):
        return None


def find_videos(db: Reader, storage: Storage, hashes: Sequence[str]) -> dict[str, FileFacts | None]:
    """Uploaded files among some hashes -> what is known of them; ``None`` means not looked into yet."""
    rows = db.all(f"SELECT hash, video FROM media WHERE {in_list('hash')}", (json_list(hashes),))  # noqa: S608
    return {row["hash"]: loads(row["video"]) for row in rows if storage.has(row["hash"])}


def remember_videos(tx: Writer, files: Mapping[str, FileFacts]) -> None:
    """Make videos usable by their hash, also those that were uploaded as something else."""
    tx.run_many(
        "INSERT INTO media (hash, size, mime, video, created_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (hash) DO UPDATE SET video = excluded.video, mime = excluded.mime",
        [(key, facts["size"], facts["mime"], dumps(facts), tx.stamp) for key, facts in files.items()],
    )


def look_into(storage: Storage, hashes: Sequence[str]) -> dict[str, FileFacts]:
    """Probe stored files.

    :raises RequestRejectedError: some are no videos; the error names their hashes.
    """
    paths = {blob_hash: storage.path(blob_hash) for blob_hash in hashes}
    found = {key: probe_video(path, path.stat().st_size) for key, path in paths.items()}
    strange = sorted(key for key, facts in found.items() if facts is None)
    if strange:
        raise bad_request(
            f"Not a video, by its content: {', '.join(strange)}", type="NOT_A_VIDEO", hashes=strange
        )
    return {key: facts for key, facts in found.items() if facts is not None}


def probe_links(links: Links, wanted: Sequence[str], *, is_required: bool) -> dict[str, FileFacts]:
    """Fetch linked videos and look into them.

    :param is_required: a link that does not answer, or is no video, is an error instead of staying unknown.
    """

    def probe_one(link: str) -> FileFacts | None:
        try:
            return _probe_link(links, link)
        except Exception:
            if is_required:
                raise
            return None

    if not wanted:
        return {}
    require_reader()
    with ThreadPoolExecutor(min(8, len(wanted))) as pool:
        found = dict(zip(wanted, pool.map(probe_one, wanted), strict=True))
    return {link: facts for link, facts in found.items() if facts is not None}


def stream_meta(facts: FileFacts, stream_index: int | None, owner: str) -> FileFacts:
    """The file as one of its video streams shows it, which is what an item is.

    :param stream_index: ``None`` takes the first.
    :raises RequestRejectedError: the file has no such video stream.
    """
    streams = {s["index"]: s for s in facts["streams"] if s["codecType"] == "video"}
    chosen = min(streams) if stream_index is None else stream_index
    if not isinstance(chosen, int) or chosen not in streams:
        raise bad_request(f"{owner} has no video stream {stream_index}; it has {sorted(streams)}")
    whole = {key: facts[key] for key in ("formatName", "mime", "size")}
    return {**streams[chosen], **whole, "streams": []}


def _probe_link(links: Links, link: str) -> FileFacts:
    with tempfile.NamedTemporaryFile(prefix="sv-versioning-link-") as copy:
        size = links.fetch(link, copy.file)
        copy.flush()
        facts = probe_video(Path(copy.name), size)
    if facts is None:
        raise bad_request(f"Link {link} is not a video, by its content", type="NOT_A_VIDEO")
    return facts


def _facts(
    container: av.container.InputContainer, size: int, rotations: Mapping[int, int]
) -> FileFacts | None:
    import av

    times = _times(container)
    streams = [
        _stream_json(stream, times.get(stream.index, []), rotations.get(stream.index, 0))
        for stream in container.streams
    ]
    if not any(stream.get("framesCount") for stream in streams):
        return None
    family = container.format.name.split(",")[0]
    return {
        "formatName": container.format.name,
        "mime": MIMES.get(family, f"video/{family}" if family else UNKNOWN_MIME),
        "size": size,
        "duration": round((container.duration or 0) / av.time_base, 6),
        "streams": streams,
    }


def _rotations(path: Path) -> dict[int, int]:
    """Stream index -> degrees that a player turns the stream's frames by, as its first frame says."""
    import av

    found = {}
    with av.open(str(path)) as container:
        for index, stream in enumerate(container.streams.video):
            try:
                container.seek(0)
                found[stream.index] = next(container.decode(video=index)).rotation
            except (av.error.FFmpegError, StopIteration):
                continue
    return found


def _times(container: av.container.InputContainer) -> dict[int, list[float]]:
    """Stream index -> the time of each frame in seconds, in the order they are shown; cover art has none."""
    from av.stream import Disposition

    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    times: dict[int, list[float]] = defaultdict(list)
    for packet in container.demux(*moving) if moving else ():
        moment = packet.dts if packet.pts is None else packet.pts
        if packet.size and moment is not None and packet.time_base and not packet.is_discard:
            times[packet.stream.index].append(round(float(moment * packet.time_base), 6))
    return {index: sorted(values) for index, values in times.items()}


def _stream_json(stream: Stream, times: list[float], rotation: int) -> dict[str, Any]:
    common = {"index": stream.index, "codecType": stream.type, "codecName": _codec(stream)}
    if stream.type != "video":
        return common
    if not times:
        return {**common, "codecType": "attachment"}
    context: Any = stream.codec_context
    size = (context.width, context.height)
    width, height = reversed(size) if rotation % 180 else size
    duration = (
        float(stream.duration * stream.time_base) if stream.duration and stream.time_base else times[-1]
    )
    return {
        **common,
        "width": width,
        "height": height,
        "rotation": rotation,
        "duration": round(duration, 6),
        "startTime": times[0],
        "framesCount": len(times),
        "framesToTimecodes": times,
    }


def _codec(stream: Stream) -> str | None:
    context = stream.codec_context
    return None if context is None else context.name
