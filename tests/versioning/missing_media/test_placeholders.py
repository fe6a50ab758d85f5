"""Files that stand in for media: real, of the right size, cheap, and recognisable."""

import gzip
import json
import subprocess
import sys
import tracemalloc
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airflow_sv_versioning.exceptions import ConfigurationError, UnsupportedProjectError
from airflow_sv_versioning.project_types.volumes.nrrd import read_nrrd
from airflow_sv_versioning.restore import placeholders
from airflow_sv_versioning.restore.placeholders import placeholders_for
from airflow_sv_versioning.restore.placeholders.pattern import PALETTE
from airflow_sv_versioning.restore.placeholders.repeating import repeated_gzip, repeated_zlib
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.projects import make_project, read_images
from tests.support.types import Client, Patch, Versions
from tests.support.volumes import meta_of

YELLOW = PALETTE[2]


def _image(width, height, mime="image/png"):
    return {"width": width, "height": height, "mime": mime}


def _video(width, height, frames, timecodes=None):
    told = None if timecodes is None else json.dumps(timecodes)
    size = {"frame_width": width, "frame_height": height, "frames_count": frames}
    return {**size, "frames_to_timecodes": told}


def _draw(project_type, row, path):
    placeholders_for(project_type).draw(row, path)
    return path


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (5, 400), (640, 480), (1921, 1081)])
def test_an_image_is_a_png_of_the_size_asked_for(width, height, tmp_path: Path):
    from PIL import Image

    with Image.open(_draw("images", _image(width, height), tmp_path / "p")) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", (width, height))


@pytest.mark.parametrize(
    ("mime", "file_format"),
    [
        ("image/jpeg", "JPEG"),
        ("image/bmp", "BMP"),
        ("image/tiff", "TIFF"),
        ("image/webp", "WEBP"),
        ("image/x-unheard-of", "PNG"),
        (None, "PNG"),
    ],
)
def test_an_image_has_the_format_of_the_original(mime, file_format, tmp_path: Path):
    """The official SDK tells users another name for a file that does not fit its extension."""
    from PIL import Image

    with Image.open(_draw("images", _image(61, 40, mime), tmp_path / "p")) as image:
        image.load()
        assert (image.format, image.size) == (file_format, (61, 40))


def test_an_image_too_long_for_its_format_is_a_png(tmp_path: Path):
    from PIL import Image

    with Image.open(_draw("images", _image(70_000, 2, "image/jpeg"), tmp_path / "p")) as image:
        assert image.format == "PNG"


def test_an_image_is_marked(tmp_path: Path):
    from PIL import Image

    with Image.open(_draw("images", _image(640, 480), tmp_path / "p")) as image:
        colours = {colour: count for count, colour in image.convert("RGB").getcolors()}

    assert set(colours) == set(PALETTE)
    assert colours[YELLOW] > 640 * 480 / 100


def test_a_panorama_takes_no_memory_in_proportion(tmp_path: Path):
    """Three hundred million pixels, in a process whose own peak can be told."""
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from airflow_sv_versioning.restore.placeholders.images import ImagePlaceholders\n"
        "draw = ImagePlaceholders().draw\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "row = lambda *size: {'width': size[0], 'height': size[1], 'mime': None}\n"
        "draw(row(8, 8), Path(sys.argv[1])); before = peak()\n"
        "draw(row(30_000, 10_000), Path(sys.argv[1])); print(peak() - before)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "p")], capture_output=True, text=True, check=True
    )

    assert int(run.stdout) < 40
    assert (tmp_path / "p").stat().st_size < 3_000_000


@pytest.mark.parametrize(
    ("width", "height", "frames"), [(64, 48, 1), (64, 48, 251), (63, 47, 30), (2, 2, 3), (320, 240, 600)]
)
def test_a_video_decodes_to_every_frame_at_its_time(width, height, frames, tmp_path: Path):
    import av

    times = [round(number / 29.97 + number % 2 / 1000, 6) for number in range(frames)]
    path = _draw("videos", _video(width, height, frames, times), tmp_path / "p")

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.frames) == (width, height, frames)
        found = [frame.time for frame in container.decode(stream)]
    assert found == pytest.approx(times, abs=1e-4)


def test_a_video_is_marked_on_its_last_frame(tmp_path: Path):
    import av

    path = _draw("videos", _video(320, 240, 300), tmp_path / "p")

    with av.open(str(path)) as container:
        *_, last = container.decode(video=0)
    pixels = last.to_ndarray(format="rgb24").astype(int)
    assert (np.abs(pixels - YELLOW).max(axis=2) < 40).mean() > 0.005


def test_an_hour_of_video_is_drawn_in_a_moment(tmp_path: Path):
    """Its frames are read from the index, not decoded."""
    import av

    path = _draw("videos", _video(640, 480, 90_000), tmp_path / "p")

    assert path.stat().st_size < 10_000_000
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 90_000
        container.seek(3599 * av.time_base)
        assert next(container.decode(video=0)).time == pytest.approx(3599, abs=11)


def test_a_video_that_no_encoder_takes_is_told(tmp_path: Path):
    with pytest.raises(UnsupportedProjectError, match="100000 x 2 pixels"):
        _draw("videos", _video(100_000, 2, 5), tmp_path / "p")


@pytest.mark.parametrize("intensity", [None, {}, {"min": "dark", "max": 1}, {"min": 0, "max": 1e999}, 5])
def test_a_volume_whose_intensities_are_not_told_is_black_and_white(intensity: Any, tmp_path: Path) -> None:
    meta = {**meta_of((9, 17, 3)), "intensity": intensity}
    path = _draw("volumes", {"meta": json.dumps(meta)}, tmp_path / "p")

    assert set(np.unique(read_nrrd(path.read_bytes(), "The placeholder").voxels)) == {0, 1}


def test_a_volume_has_dimensions_spacing_and_orientation(tmp_path: Path):
    meta = {**meta_of((9, 17, 3)), "intensity": {"min": -1000.0, "max": 2000.0}}
    path = _draw("volumes", {"meta": json.dumps(meta)}, tmp_path / "p")

    found = read_nrrd(path.read_bytes(), "The placeholder")

    assert found.voxels.shape == (9, 17, 3)
    assert found.space == "right-anterior-superior"
    steps = (np.array(meta["directions"]).reshape(3, 3) * meta["spacing"]).T
    assert np.array(found.directions) == pytest.approx(steps)
    assert found.origin == tuple(meta["origin"])
    # Dark and bright cubes, half of each.
    assert set(np.unique(found.voxels)) == {-1000, 2000}
    assert 0.3 < (found.voxels == 2000).mean() < 0.7


@pytest.mark.parametrize(
    ("project_type", "row"),
    [
        ("images", _image(None, 480)),
        ("images", _image(640, 0)),
        ("images", _image(-640, -480)),
        ("images", _image(2**31 - 1, 2**31 - 1)),
        ("images", _image(1, 2**31 - 1)),
        ("images", _image(2**21, 5)),
        ("videos", _video(64, 48, 2**31 - 1)),
        ("videos", _video(16_384, 16_384, 10)),
        ("videos", _video(2**20, 48, 10)),
        ("volumes", {"meta": json.dumps(meta_of((2**16, 2**15, 2)))}),
        ("volumes", {"meta": "[1]"}),
        ("videos", _video(640, 480, None)),
        ("volumes", {"meta": None}),
        ("volumes", {"meta": json.dumps({**meta_of((2, 2, 2)), "spacing": [1, 2]})}),
        ("volumes", {"meta": json.dumps(meta_of((2, 0, 2)))}),
    ],
)
def test_an_item_of_unknown_or_impossible_size_has_no_shape(project_type, row):
    assert placeholders_for(project_type).shape_of(row) is None


def test_the_largest_pictures_take_as_much_memory_as_small_ones(tmp_path: Path):
    """What repeats is packed once: two gibibytes of rows in a file of two megabytes."""
    tracemalloc.start()
    try:
        for width, height in ((90_000, 90_000), (1, 2**20)):
            path = _draw("images", _image(width, height), tmp_path / "p")
            assert path.stat().st_size < 16_000_000
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_times_that_are_none_do_not_stop_a_placeholder(tmp_path: Path):
    for times in ('["x"]', "[1e300]", "[null]", "[-1]", "[[1]]", "{}"):
        assert _draw("videos", {**_video(64, 48, 1), "frames_to_timecodes": times}, tmp_path / "p").exists()


@pytest.mark.parametrize("size", [1, 37, 400, 5000])
def test_repeated_parts_are_what_they_would_be_written_out(size):
    part, end = bytes(range(256)) * size, b"the end"
    assert zlib.decompress(b"".join(repeated_zlib(part, 7, end))) == part * 7 + end
    assert gzip.decompress(b"".join(repeated_gzip([part, end], [0, 1, 1, 0]))) == part + end + end + part


@pytest.mark.parametrize(
    ("project_type", "row"),
    [
        ("images", _image(640, 480)),
        ("videos", _video(64, 48, 300)),
        ("volumes", {"meta": json.dumps(meta_of((4, 5, 6)))}),
    ],
)
def test_equal_shapes_give_equal_bytes(project_type, row, tmp_path: Path):
    one, other = (_draw(project_type, row, tmp_path / name).read_bytes() for name in ("one", "other"))
    assert one == other


@pytest.mark.parametrize(("project_type", "lacking"), [("images", "PIL"), ("videos", "av")])
def test_a_package_that_is_not_installed_is_named_with_its_extra(project_type, lacking, monkeypatch: Patch):
    monkeypatch.setattr(placeholders, "find_spec", lambda name: None if name == lacking else find_spec(name))

    with pytest.raises(ConfigurationError, match=rf"need {lacking}: .*\[placeholders\]"):
        placeholders_for(project_type)


def test_the_tag_of_placeholders_takes_no_name_that_is_taken(
    lossy: EmbeddedServer, client: Client, versions: Versions, photos: list[Path]
):
    project_id = make_project(client, photos[:2])
    taken = [
        {"name": name, "value_type": "none", "color": "#000000"} for name in ("placeholder", "placeholder_1")
    ]
    meta = client.projects.get_meta(project_id)
    client.projects.update_meta(project_id, {**meta, "tags": [*meta["tags"], *taken]})
    ids = {tag["name"]: tag["id"] for tag in client.projects.get_meta(project_id)["tags"]}
    (dataset,) = client.datasets.list_all(project_id)
    images = [image for page in client.images.iter_pages(dataset.id) for image in page]
    own = [{"tagId": ids["placeholder"], "entityId": image["id"], "value": None} for image in images]
    client.tags.add_to_items(project_id, own)
    made = versions.create(project_id)
    lossy.remove_media(images[0]["hash"])

    restored = versions.restore(project_id, made.version_id, missing_entities="placeholder", verify="full")

    assert restored.placeholder_tag == "placeholder_2"
    found = read_images(client, restored.project_id)
    tags = {path: [name for name, _ in image["tags"]] for path, image in found.items()}
    marked = restored.placeholders[0]
    assert sorted(tags[marked]) == ["count", "placeholder", "placeholder_2"]
    assert all("placeholder_2" not in names for path, names in tags.items() if path != marked)


def test_a_version_of_a_project_with_placeholders_restores_as_any_other(
    lossy: EmbeddedServer, client: Client, versions: Versions, photos: list[Path]
):
    project_id = make_project(client, photos[2:4])
    made = versions.create(project_id)
    (dataset,) = client.datasets.list_all(project_id)
    [image, _] = [image for page in client.images.iter_pages(dataset.id) for image in page]
    lossy.remove_media(image["hash"])
    first = versions.restore(project_id, made.version_id, missing_entities="placeholder")

    again = versions.create(first.project_id)
    second = versions.restore(first.project_id, again.version_id, verify="full")

    assert second.placeholders == ()
    assert read_images(client, second.project_id) == read_images(client, first.project_id)
