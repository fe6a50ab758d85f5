"""What goes wrong with videos in the official SDK, shown side by side: theirs does, ours does not."""

from pathlib import Path

import pytest

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.exceptions import SuperviselyError
from tests.support.compare import assert_same
from tests.support.media import serve_media
from tests.support.projects import count_projects, read_archive, touch
from tests.support.proxy import refuse
from tests.support.sdk import SdkError
from tests.support.types import Client, Sdk, Server, Versions, Wire
from tests.support.video_projects import annotate, read_videos

pytestmark = [pytest.mark.sdk, pytest.mark.slow]


@pytest.fixture
def street(client: Client, street: int) -> int:
    client.projects.update_settings(street, {"advancedSettings": {"isReadOnlyProject": False}})
    return street


@pytest.fixture
def made(versions: Versions, street):
    return versions.create(street)


@pytest.fixture
def ours(versions: Versions, street, made):
    """The id of our restore of our version."""
    return versions.restore(street, made.version_id).project_id


@pytest.fixture
def theirs(sdk: Sdk, server: Server, street, made):
    """The id of the SDK's restore of our version."""
    return sdk("restore", project_id=street, version_id=made.version_id)


def _figures(client, project_id):
    return [figure for video in read_videos(client, project_id).values() for figure in video["figures"]]


def _exact(figure):
    return any(x % 1 for point in figure["geometry"]["points"]["exterior"] for x in point)


def test_vertices_between_pixels_are_versioned(sdk: Sdk, client: Client, versions: Versions, street, ours):
    touch(client, street)
    rounded = versions.restore(street, sdk("create", project_id=street)).project_id

    assert not any(map(_exact, _figures(client, rounded)))
    assert all(map(_exact, _figures(client, ours)))


def test_notes_and_custom_data_of_figures_come_back(client: Client, street, ours, theirs):
    def notes(project_id):
        return [(figure["description"], figure["customData"]) for figure in _figures(client, project_id)]

    assert set(map(str, notes(theirs))) == {"('', {})"}
    assert notes(ours) == notes(street)
    assert ("seen twice", {"score": 0.125}) in notes(ours)


def test_descriptions_of_videos_and_all_settings_come_back(client: Client, street, ours, theirs):
    def told(project_id):
        descriptions = {video["description"] for video in read_videos(client, project_id).values()}
        return descriptions, client.projects.get(project_id).settings.get("advancedSettings")

    assert told(theirs) == ({""}, None)
    assert told(ours) == told(street) == ({"", "Описание of a video"}, {"isReadOnlyProject": False})


def test_what_lies_below_a_moved_dataset_stays_there(sdk: Sdk, client: Client, versions: Versions, street):
    moved = client.datasets.add(street, "moved").id
    client.datasets.add(street, "below", parent_id=moved)
    attic = client.datasets.add(street, "attic").id
    client.transport.call("datasets.move", {"srcId": moved, "destId": attic})
    made = versions.create(street)

    def parents(project_id):
        found = {dataset.id: dataset for dataset in client.datasets.list_all(project_id)}
        return {d.name: found[d.parent_id].name for d in found.values() if d.parent_id}

    theirs = sdk("restore", project_id=street, version_id=made.version_id)
    assert parents(theirs) == {"moved": "attic"}
    ours = versions.restore(street, made.version_id).project_id
    assert parents(ours) == parents(street) == {"moved": "attic", "below": "moved"}


def test_the_new_project_tells_its_version(client: Client, street, ours, theirs):
    def origin(project_id):
        return client.projects.get(project_id).custom_data.get("restored_from", {})

    assert "version_num" not in origin(theirs)
    assert origin(ours) == {"project_id": street, "version_num": 1}


def test_two_videos_of_one_name_in_a_dataset_both_come_back(
    sdk: Sdk, client: Client, versions: Versions, street, made, tmp_path: Path
):
    """No server takes such names now, but archives hold what servers once took."""
    team_id = client.projects.get(street).team_id
    archive = tmp_path / "archive"
    archive.write_bytes(read_archive(client, made))
    snapshot = unpack_archive(archive, "videos", tmp_path / "out").snapshot
    _rename_all(snapshot, "same.mp4")
    pack_archive(snapshot, "v2.1.0", archive, {})
    client.files.upload(team_id, archive, made.archive_path)

    with pytest.raises(SdkError, match=r"twice, such as 'same\.mp4'"):
        sdk("restore", project_id=street, version_id=made.version_id)
    restored = versions.restore(street, made.version_id)
    assert set(read_videos(client, restored.project_id)) == {
        *("street/same.mp4", "street/same_001.mp4", "street/same_002.mp4")
    }


def _rename_all(snapshot, name):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = snapshot.read("videos")
    names = pa.array([name] * rows.num_rows, pa.string())
    pq.write_table(
        rows.set_column(rows.schema.get_field_index("name"), "name", names), snapshot.path("videos")
    )


def test_a_dead_link_is_left_out_when_asked(sdk: Sdk, client: Client, near_versions: Versions, street, films):
    dataset_id = client.datasets.add(street, "linked").id
    with serve_media(films[0].read_bytes(), "video/mp4") as media:
        (video,) = client.videos.add(dataset_id, [{"title": "far.mp4", "link": media.url, "meta": {}}])
        annotate(client, street, dataset_id, video["id"])
    made = near_versions.create(street)

    with pytest.raises(SdkError, match="LINK_UNREACHABLE"):
        sdk("restore", project_id=street, version_id=made.version_id, skip_missed_entities=True)
    assert near_versions.restore(street, made.version_id, skip_missed_entities=True).skipped == (
        "linked/far.mp4",
    )


def test_a_restore_whose_annotations_are_refused_leaves_nothing(
    wire: Wire, wired, sdk: Sdk, client: Client, street, made
):
    projects = count_projects(client)
    wire.always("figures.bulk.add", refuse(400, "no figures today"))

    with pytest.raises(SdkError, match="restored without the annotations"):
        sdk.at(wire.url)("restore_unhurried", project_id=street, version_id=made.version_id)
    assert count_projects(client) == projects + 1
    told = r"The annotation of video '0000\.mp4' \(id \d+\).*no figures today"
    with pytest.raises(SuperviselyError, match=told):
        wired.restore(street, made.version_id)
    assert count_projects(client) == projects + 1


def test_custom_data_of_datasets_that_cannot_be_read_makes_no_version_without_it(
    wire: Wire, wired, sdk: Sdk, client: Client, versions: Versions, street
):
    wire.on("datasets.list", refuse(400, "no datasets now"))
    lossy = sdk.at(wire.url)("create", project_id=street)
    touch(client, street)
    wire.on("datasets.list", refuse(400, "no datasets now"))
    with pytest.raises(SuperviselyError, match="no datasets now"):
        wired.create(street)

    restored = versions.restore(street, lossy).project_id
    assert [dataset.custom_data for dataset in client.datasets.list_all(restored)] == [{}]


def test_nothing_is_asked_for_twice(wire: Wire, wired, sdk: Sdk, client: Client, street, made):
    def count(method, work):
        wire.requests.clear()
        touch(client, street)
        work()
        return len(wire.seen(method))

    theirs = sdk.at(wire.url)
    which = {"project_id": street, "version_id": made.version_id}
    assert count("datasets.list", lambda: theirs("create", project_id=street)) == 2
    assert count("datasets.list", lambda: wired.create(street, capture="full")) == 1
    assert count("videos.info", lambda: theirs("restore", **which)) == 3
    assert count("videos.info", lambda: wired.restore(**which)) == 0
    assert_same(count("videos.list", lambda: wired.create(street, capture="full")), 1)
