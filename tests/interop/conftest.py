"""The official SDK, photographs to fill projects with, and the projects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.media import MediaServer, serve_media
from tests.support.photos import write_photos
from tests.support.sdk import SdkProcess, sdk_python

PHOTOS = 520  # more than one page of the platform's listings (500) and than any batch


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SdkProcess]:
    """The SDK with its ``versioning`` extra: writes v2.1.0."""
    with SdkProcess(sdk_python(), tmp_path_factory.mktemp("sdk") / "log") as process:
        yield process


@pytest.fixture(scope="session")
def plain_sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SdkProcess]:
    """The SDK as most install it, without pyarrow: writes v1.0.0, a pickle."""
    with SdkProcess(sdk_python(plain=True), tmp_path_factory.mktemp("plain-sdk") / "log") as process:
        yield process


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), PHOTOS)


@pytest.fixture(scope="session")
def media(photos: Path) -> Iterator[MediaServer]:
    """A foreign host that serves the image of the images by link."""
    with serve_media((photos / "00000.png").read_bytes()) as serving:
        yield serving
