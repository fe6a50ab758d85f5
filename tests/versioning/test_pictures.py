"""Small pictures for pages: only of the file that was compared, and never an error."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from airflow_sv_versioning.compare.records import ItemFacts
from airflow_sv_versioning.versioning.pictures import NoPictureError, Pictures, shrink
from tests.support.projects import make_project
from tests.support.types import Client, Wire


def png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    written = BytesIO()
    Image.new(mode, size).save(written, "PNG")
    return written.getvalue()


@pytest.fixture
def image(client: Client, photos: list[Path]) -> ItemFacts:
    """An image of a project."""
    project_id = make_project(client, photos[:1])
    [dataset] = client.datasets.list_all(project_id)
    [[found]] = client.images.iter_pages(dataset.id)
    return ItemFacts(found["id"], "photos", found["name"], content=found["hash"])


@pytest.fixture
def picture_of(client: Client) -> Callable[[ItemFacts], tuple[bytes | None, list[str]]]:
    """Make a picture, and listen to what is said."""

    def make(item: ItemFacts) -> tuple[bytes | None, list[str]]:
        said: list[str] = []
        return Pictures(client, "images", said.append)(item), said

    return make


def test_a_picture_is_a_small_jpeg(image: ItemFacts, picture_of):
    picture, said = picture_of(image)

    assert said == []
    with Image.open(BytesIO(picture)) as opened:
        assert (opened.format, max(opened.size) <= 560) == ("JPEG", True)


def test_another_file_under_the_same_id_is_not_shown(image: ItemFacts, picture_of):
    other = ItemFacts(image.item_id, image.dataset, image.name, content="A" * 43 + "=")

    picture, said = picture_of(other)

    assert picture is None
    assert said == [
        f"No picture of '{image.path}': the server has another file for item {image.item_id} now."
    ]


def test_an_image_that_is_gone_has_no_picture(client: Client, image: ItemFacts, picture_of):
    client.transport.call("images.bulk.remove", {"imageIds": [image.item_id]})

    picture, [said] = picture_of(image)

    assert picture is None
    assert said.startswith(f"No picture of '{image.path}': ")


@pytest.mark.parametrize("content", [None, "https://example.com/a.png"], ids=["unknown", "link"])
def test_what_cannot_be_proved_is_not_asked_for(
    content: str | None, image: ItemFacts, wired_client: Client, wire: Wire
):
    item = ItemFacts(image.item_id, image.dataset, image.name, content=content)

    assert Pictures(wired_client, "images", pytest.fail)(item) is None
    assert wire.requests == []


def test_items_of_other_types_are_not_asked_for(image: ItemFacts, wired_client: Client, wire: Wire):
    assert Pictures(wired_client, "videos", pytest.fail)(image) is None
    assert wire.requests == []


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA"])
def test_pictures_of_all_kinds_become_small(mode: str):
    with Image.open(BytesIO(shrink(png((1200, 600), mode)))) as opened:
        assert opened.size == (560, 280)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no picture", "cannot be read"),
        (png((40, 40))[:60], "cannot be read"),
        (png((10_000, 10_000), "1"), "too large"),
        (png((20_000, 10_000), "1"), "too large"),
    ],
    ids=["something else", "cut", "large", "huge"],
)
def test_what_cannot_be_shown_is_refused(content: bytes, reason: str):
    with pytest.raises(NoPictureError, match=reason):
        shrink(content)
