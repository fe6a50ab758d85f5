"""The official SDK, photographs to fill projects with, and the projects."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.media import MediaServer, serve_media
from tests.support.photos import write_photos
from tests.support.sdk import SdkProcess, sdk_python
from tests.support.types import Request, Sdk, Server, TempFolders

PHOTOS = 520  # more than one page of the platform's listings (500) and than any batch


@pytest.fixture(scope="session")
def sdk(server: Server, tmp_path_factory: TempFolders) -> Iterator[Sdk]:
    """The SDK with its ``versioning`` extra: writes v2.1.0."""
    with SdkProcess(sdk_python(), tmp_path_factory.mktemp("sdk") / "log") as process:
        yield Sdk(process, server)


@pytest.fixture(scope="session")
def plain_sdk(server: Server, tmp_path_factory: TempFolders) -> Iterator[Sdk]:
    """The SDK as most install it, without pyarrow: writes v1.0.0, a pickle."""
    with SdkProcess(sdk_python(plain=True), tmp_path_factory.mktemp("plain-sdk") / "log") as process:
        yield Sdk(process, server)


@pytest.fixture
def one_sdk(request: Request) -> Sdk:
    """The one of the two that a test names."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: TempFolders) -> Path:
    return write_photos(tmp_path_factory.mktemp("photo-folder"), PHOTOS)


@pytest.fixture(scope="session")
def film_folder(films: list[Path]) -> Path:
    return films[0].parent


@pytest.fixture(scope="session")
def media(photo_folder: Path) -> Iterator[MediaServer]:
    """A foreign host that serves the image of the images by link."""
    with serve_media((photo_folder / "00000.png").read_bytes()) as serving:
        yield serving


@dataclass(frozen=True)
class FilledProject:
    """A project and what the SDK reads in it."""

    id: int
    content: dict[str, Any]
    type: str = "images"


@pytest.fixture(scope="session")
def nasty(sdk: Sdk, server: Server, photo_folder: Path, media: MediaServer) -> FilledProject:
    """A project with every case that versioning gets wrong. Tests may version it, but not change it."""
    project_id = sdk(
        "fill",
        workspace_id=server.workspace_id,
        name="nasty",
        photos=str(photo_folder),
        link=media.url,
        many=PHOTOS,
    )
    return FilledProject(project_id, sdk("read", project_id=project_id))


@pytest.fixture
def small(sdk: Sdk, server: Server, photo_folder: Path) -> int:
    """A fresh project of three images."""
    return sdk("fill_small", workspace_id=server.workspace_id, name="small", photos=str(photo_folder))
