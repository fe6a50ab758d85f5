"""The files that the projects are made of, put on the server once: items are added by their hashes."""

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.fidelity.features import FRAMES, SLICES
from tests.fidelity.rest import Rest
from tests.support.media import serve_media
from tests.support.videos import write_video
from tests.support.volumes import meta_of, nrrd

SIZES = (SLICES,) * 3
MIMES = {"images": "image/png", "videos": "video/mp4"}


@dataclass(frozen=True)
class Media:
    """What items are made of.

    :param hashes: type of project -> hashes of its files, to be chosen from by number.
    :param links: type of project -> an address of the first of them on another host.
    :param volume_meta: what a volume of these files says of itself.
    :param spatial: files of figures in space, by name.
    """

    hashes: dict[str, list[str]]
    links: dict[str, str]
    volume_meta: dict[str, Any]
    spatial: dict[str, bytes]


@contextmanager
def stored_media(rest: Rest, folder: Path) -> Iterator[Media]:
    """Upload everything, and serve the files of links until the end."""
    files = {
        "images": [_image(shade) for shade in (40, 200)],
        "videos": [write_video(folder / f"{seed}.mp4", FRAMES, seed=seed).read_bytes() for seed in (1, 2)],
        "volumes": [nrrd(np.arange(SLICES**3).reshape(SIZES).astype(kind)) for kind in ("<i2", "<f4")],
    }
    with ExitStack() as served:
        hosts = {
            key: served.enter_context(serve_media(files[key][0], mime)).url for key, mime in MIMES.items()
        }
        yield Media(
            {key: _upload(rest, key, contents) for key, contents in files.items()},
            hosts,
            meta_of(SIZES),
            _spatial(),
        )


def _upload(rest: Rest, project_type: str, contents: list[bytes]) -> list[str]:
    method = "videos.bulk.upload" if project_type == "videos" else "images.bulk.upload"
    fields = [(f"{number}-file", (str(number), content)) for number, content in enumerate(contents)]
    return [entry["hash"] for entry in rest.upload(method, fields)]


def _image(shade: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (16, 16), (shade, 10, 90)).save(file, "PNG")
    return file.getvalue()


def _spatial() -> dict[str, bytes]:
    some = np.zeros(SIZES, np.uint8)
    some[1:3, 2, :] = 1
    return {
        "mask of some voxels": nrrd(some),
        "empty mask": nrrd(np.zeros(SIZES, np.uint8)),
        "full mask": nrrd(np.ones(SIZES, np.uint8)),
        "mesh": b"solid one\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\n"
        b"endloop\nendfacet\nendsolid one\n",
    }
