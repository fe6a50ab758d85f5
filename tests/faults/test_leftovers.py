"""What killed processes leave, and restores under way: marked, found, undone, or told."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.exceptions import RestoreIncompleteError, SuperviselyError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import PREFIX, work_folder
from airflow_sv_versioning.snapshot.origin import DRAFT_PREFIX, RESTORING, is_draft
from airflow_sv_versioning.versioning.leftovers import (
    RestoreMark,
    release_project,
    remove_draft,
    remove_drafts,
)
from airflow_sv_versioning.versioning.marks import RESTORES, making_versions, open_marks
from airflow_sv_versioning.versioning.reservations import Mark
from tests.support.projects import count_projects, list_version_files, make_project, reserve, touch
from tests.support.proxy import first, refuse
from tests.support.types import Client, Made, Patch, Run, Versions, Wire


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: Patch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def remember(client: Client, mark: Mark) -> None:
    """Leave a mark as a process that was killed, of a client with this address."""
    with open_marks(client, making_versions(mark.project_id), Progress()) as marks:
        marks.remember(mark.as_dict())


def remember_draft(client: Client, mark: RestoreMark) -> None:
    with open_marks(client, RESTORES, Progress()) as marks:
        marks.remember(mark.as_dict())


@pytest.fixture
def killed(client: Client, project_id: int):
    """A reservation whose process is gone, with its archive."""
    path = f"/system/versions/{project_id}/killed.tar.zst"
    client.files.upload(1, b"an archive", path)
    reserved = reserve(client, project_id)
    mark = Mark("a killed one", project_id, 1, reserved.version_id, reserved.commit_token, path)
    remember(client, mark)
    return mark


# --- versions -------------------------------------------------------------------------------------


def test_the_next_create_gives_the_reservation_of_a_killed_one_back_and_says_so(
    killed, versions: Versions, client: Client, project_id: int, state_folder
):
    lines: list[str] = []

    made = versions.create(project_id, busy_timeout_seconds=0, report=lines.append)

    assert made.created
    assert f"Gave back version id {killed.version_id}, which an earlier try reserved." in lines
    assert any(killed.archive_path in line for line in lines)
    assert "killed.tar.zst" not in list_version_files(client, project_id)
    assert list(state_folder.rglob("*.json")) == []


def test_release_does_so_by_hand(killed, run: Run, client: Client, project_id: int):
    code, out, err = run("release", project_id, "--json")

    assert (code, json.loads(out)["undone"]) == (0, 1)
    assert "Gave back" in err
    assert client.versions.cancel(reserve(client, project_id))

    code, out, _ = run("release", project_id)
    assert code == 0
    assert "No killed process" in out


def test_what_another_process_is_at_is_left_alone(client: Client, versions: Versions, project_id, run: Run):
    reserved = reserve(client, project_id)
    mark = Mark("somebody at work", project_id, 1, reserved.version_id, reserved.commit_token)
    with open_marks(client, making_versions(project_id), Progress()) as marks:
        marks.remember(mark.as_dict())

        with pytest.raises(SuperviselyError, match=r"already committing .* since \d\d:\d\d UTC \(a few"):
            versions.create(project_id, busy_timeout_seconds=0)
        assert "somebody at work" in run("release", project_id)[1]

    assert client.versions.cancel(reserved)


def test_a_reservation_that_may_not_be_given_back_is_told(
    killed: Mark, wire: Wire, wired_client: Client, project_id: int
):
    remember(wired_client, killed)
    wire.on("projects.versions.cancel-reservation", refuse(403, "not yours"))

    released = release_project(wired_client, project_id, Progress())

    assert released.undone == 1
    [warning] = released.warnings
    assert f"Version id {killed.version_id} cannot be given back: " in warning
    assert "not yours" in warning


@pytest.mark.parametrize("method", ["projects.versions.cancel-reservation", "file-storage.bulk.remove"])
def test_what_could_not_be_undone_for_now_stays_marked(
    method: str, killed: Mark, wire: Wire, wired_client: Client, client: Client, project_id: int
):
    remember(wired_client, killed)
    wire.always(method, refuse(503))

    with pytest.raises(SuperviselyError):
        release_project(wired_client, project_id, Progress())

    wire.heal()
    assert release_project(wired_client, project_id, Progress()).undone == 1
    assert "killed.tar.zst" not in list_version_files(client, project_id)


def test_a_reservation_that_has_run_out_is_told_as_gone(killed: Mark, client: Client, project_id, run: Run):
    assert killed.reservation is not None
    client.versions.cancel(killed.reservation)

    code, _, err = run("release", project_id)

    assert code == 0
    assert f"Version id {killed.version_id} of an earlier try is not reserved any more." in err


def test_what_was_left_of_a_project_that_is_gone_is_forgotten(killed: Mark, client: Client, project_id: int):
    client.projects.archive(project_id)
    lines: list[str] = []

    assert release_project(client, project_id, Progress(lines.append)).undone == 1
    assert f"Project {project_id}, which an earlier try reserved, is gone." in lines
    assert release_project(client, project_id, Progress()).undone == 0


def test_an_archive_that_may_not_be_removed_is_a_warning_once(wire: Wire, wired: Versions, project_id: int):
    lines: list[str] = []
    wire.always("file-storage.bulk.remove", refuse(403, "/system is not yours"))
    wire.on("projects.versions.commit", refuse(400))
    with pytest.raises(SuperviselyError):
        wired.create(project_id, report=lines.append)
    assert any("/system is not yours" in line for line in lines)

    made = wired.create(project_id, busy_timeout_seconds=0)

    assert made.created
    assert made.warnings == ()


def test_a_leftover_archive_that_may_not_be_removed_does_not_stop_the_next_version(
    wire: Wire, wired: Versions, wired_client: Client, client: Client, project_id: int
):
    path = f"/system/versions/{project_id}/killed.tar.zst"
    client.files.upload(1, b"an archive", path)
    reserved = reserve(client, project_id)
    mark = Mark("a killed one", project_id, 1, reserved.version_id, reserved.commit_token, path)
    with open_marks(wired_client, making_versions(project_id), Progress()) as marks:
        marks.remember(mark.as_dict())
    wire.always("file-storage.bulk.remove", refuse(403, "/system is not yours"))

    made = wired.create(project_id, busy_timeout_seconds=0)
    touch(client, project_id)
    again = wired.create(project_id, busy_timeout_seconds=0)

    assert any("/system is not yours" in warning for warning in made.warnings)
    assert not any("/system is not yours" in warning for warning in again.warnings)


def test_a_reservation_without_an_answer_is_given_back_at_once(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    stop: list[bool] = []

    def lose(exchange):
        exchange.forward()
        stop.append(True)

    wire.on("projects.versions.reserve", lose)

    with pytest.raises(SuperviselyError):
        wired.create(project_id, should_stop=lambda: bool(stop))

    assert versions.create(project_id, busy_timeout_seconds=0).created


UNANSWERED = "An earlier try may have reserved project {} without an answer."


@pytest.mark.parametrize(
    ("meanwhile", "says"),
    [
        (lambda client, project_id: None, False),
        (reserve, True),
        (lambda client, project_id: client.projects.archive(project_id), True),
    ],
    ids=["nobody else", "somebody else's reservation", "the project gone"],
)
def test_what_was_reserved_without_an_answer_is_given_back_where_it_can_be(
    meanwhile: Callable[..., Any], says: bool, client: Client, project_id: int
) -> None:
    remember(client, Mark("one that was killed early", project_id, 1))
    meanwhile(client, project_id)
    lines: list[str] = []

    assert release_project(client, project_id, Progress(lines.append)).undone == 1

    assert (UNANSWERED.format(project_id) in lines) is says
    assert release_project(client, project_id, Progress()).undone == 0


def test_where_nothing_can_be_remembered_nothing_is_found_and_that_is_told(
    tmp_path: Path, monkeypatch: Patch, client: Client, project_id: int
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "a file"))

    released = release_project(client, project_id, Progress())

    assert (released.undone, released.at_work) == (0, ())
    assert all("cannot be remembered on this machine" in warning for warning in released.warnings)
    assert released.warnings


# --- restores -------------------------------------------------------------------------------------


def drafts(client) -> list[str]:
    return [one.name for one in client.projects.list_all(1) if is_draft(one.name, one.custom_data)]


@pytest.mark.parametrize("method", ["projects.meta.update", "datasets.add", "figures.bulk.add"])
def test_a_project_that_is_being_restored_says_so_in_name_and_custom_data(
    method, wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    made = versions.create(project_id, "a title")
    name = f"brought back {project_id}"
    seen: list[Any] = []

    def look() -> None:
        # The server may hold other half projects, kept on purpose by tests of other files.
        begun = f"{DRAFT_PREFIX}{name} ("
        seen.extend(one for one in client.projects.list_all(1) if one.name.startswith(begun))

    wire.on(method, first(look))

    restored = wired.restore(project_id, made.version_id, project_name=name, verify="full")

    [draft] = seen
    assert draft.id == restored.project_id
    mark = draft.custom_data[RESTORING]
    assert (mark["project_id"], mark["version_num"]) == (project_id, 1)
    assert mark["owner"]
    assert mark["since"]
    whole = client.projects.get(restored.project_id)
    assert whole.name == restored.project_name == name
    assert RESTORING not in whole.custom_data


def test_a_server_that_passes_over_custom_data_of_new_projects_makes_nothing_twice(
    wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    projects = count_projects(client)

    def add_without(exchange):
        body = {key: value for key, value in exchange.request.json.items() if key != "customData"}
        client.transport.call("projects.add", body)

    wire.on("projects.add", add_without)

    restored = wired.restore(project_id, made.version_id)

    assert count_projects(client) == projects + 1
    assert client.projects.get(restored.project_id).custom_data["restored_from"]["project_id"] == project_id


def test_the_name_is_chosen_at_the_end_and_may_be_taken_meanwhile(
    wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    name = f"taken while {project_id} is restored"
    wire.on("figures.bulk.add", first(lambda: client.projects.add(1, name)))

    assert wired.restore(project_id, made.version_id, project_name=name).project_name == f"{name}_001"


def test_a_half_project_that_is_kept_stays_marked(
    wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    wire.always("figures.bulk.add", refuse(400))

    with pytest.raises(RestoreIncompleteError) as raised:
        wired.restore(project_id, made.version_id, keep_incomplete=True)

    kept = client.projects.get(raised.value.context["project_id"])
    assert is_draft(kept.name, {})
    assert is_draft("", kept.custom_data)
    # Nobody removes what was kept on purpose.
    wire.heal()
    wired.restore(project_id, made.version_id)
    assert client.projects.get(kept.id)


def test_the_next_restore_removes_what_a_killed_one_left_and_nothing_else(
    versions: Versions, made: Made, client: Client, project_id: int, photos: list[Path]
):
    half = client.projects.add(1, f"{DRAFT_PREFIX}half ({project_id})")
    whole = make_project(client, photos[:1])
    for project in (half.id, whole):
        mark = RestoreMark(project_id, made.version_id, 1, half.name, project_id=project)
        with open_marks(client, RESTORES, Progress()) as marks:
            marks.remember(mark.as_dict())
    lines: list[str] = []

    versions.restore(project_id, made.version_id, report=lines.append)

    assert half.name not in drafts(client)
    assert client.projects.get(whole)
    assert any(str(half.id) in line and "killed restore left" in line for line in lines)


def test_the_next_create_removes_it_too(versions: Versions, client: Client, project_id: int):
    half = client.projects.add(1, f"{DRAFT_PREFIX}half ({project_id})")
    with open_marks(client, RESTORES, Progress()) as marks:
        marks.remember(RestoreMark(project_id, 1, 1, half.name).as_dict())

    versions.create(project_id)

    assert half.name not in drafts(client)


def test_a_half_project_that_may_not_be_removed_is_told_and_forgotten(
    wire: Wire, wired: Versions, wired_client: Client, made: Made, client: Client, project_id: int
):
    half = client.projects.add(1, f"{DRAFT_PREFIX}half ({project_id})")
    with open_marks(wired_client, RESTORES, Progress()) as marks:
        marks.remember(RestoreMark(project_id, made.version_id, 1, half.name).as_dict())
    wire.on("projects.archive", refuse(403))

    restored = wired.restore(project_id, made.version_id)

    assert any(half.name in warning for warning in restored.warnings)
    client.projects.archive(half.id)


@pytest.mark.parametrize(("status", "stays"), [(404, False), (503, True)])
def test_a_half_project_that_is_gone_is_forgotten_and_one_that_waits_is_not(
    status: int, stays: bool, wire: Wire, wired_client: Client, client: Client
):
    half = client.projects.add(1, f"{DRAFT_PREFIX}half of {status}")
    remember_draft(wired_client, RestoreMark(1, 1, 1, half.name))
    wire.always("projects.archive", refuse(status))

    with pytest.raises(SuperviselyError) if stays else nullcontext():
        remove_drafts(wired_client, Progress())

    wire.heal()
    remove_drafts(wired_client, Progress())
    assert (half.name not in drafts(client)) is stays
    if not stays:
        client.projects.archive(half.id)


def test_a_half_project_of_a_workspace_that_is_gone_is_forgotten(client: Client) -> None:
    remember_draft(client, RestoreMark(1, 1, 987654321, f"{DRAFT_PREFIX}nowhere", project_id=987654321))

    remove_drafts(client, Progress())

    with open_marks(client, RESTORES, Progress()) as marks:
        assert list(marks.recall()) == []


def test_a_half_project_that_stays_is_no_whole_one(wire: Wire, wired_client: Client, client: Client) -> None:
    half = client.projects.add(1, f"{DRAFT_PREFIX}half that stays")
    mark = RestoreMark(1, 1, 1, half.name, project_id=half.id)
    wire.always("projects.archive", refuse(403, "not yours"))
    progress = Progress()

    assert remove_draft(wired_client, mark, progress) is None

    [warning] = progress.warnings
    assert "of a killed restore stays: " in warning
    assert "not yours" in warning
    client.projects.archive(half.id)


def test_release_removes_half_projects_of_its_project_and_leaves_those_of_others(client: Client, project_id):
    ours, other = (client.projects.add(1, f"{DRAFT_PREFIX}{name} {project_id}") for name in ("ours", "other"))
    remember_draft(client, RestoreMark(project_id, 1, 1, ours.name))
    remember_draft(client, RestoreMark(project_id + 1, 1, 1, other.name))

    assert release_project(client, project_id, Progress()).undone == 1

    assert ours.name not in drafts(client)
    assert other.name in drafts(client)
    client.projects.archive(other.id)


def test_a_server_that_passes_over_filters_loses_no_project(
    wire: Wire, wired_client: Client, client: Client, project_id: int
):
    def all_projects(exchange):
        body = {key: value for key, value in exchange.request.json.items() if key != "filter"}
        return exchange.forward() if "filter" not in exchange.request.json else _answer(client, body)

    wire.always("projects.list", all_projects)

    assert wired_client.projects.list_ids_by_name(1, "a name that no project has") == []


def _answer(client, body):
    from tests.support.proxy import answer

    return answer(200, client.transport.call("projects.list", body))


# --- which projects to version --------------------------------------------------------------------


def test_projects_that_are_being_restored_and_restored_copies_are_not_to_be_versioned(
    client: Client, versions: Versions, project_id: int
):
    copy = versions.restore(project_id, versions.create(project_id).version_id).project_id
    half = client.projects.add(1, f"{DRAFT_PREFIX}half of {project_id}").id
    marked = client.projects.add(1, f"renamed {project_id}", custom_data={RESTORING: {}}).id
    clouds = client.projects.add(1, f"clouds of {project_id}", "point_clouds").id
    lines: list[str] = []

    chosen = versions.list_project_ids(1, report=lines.append)
    with_copies = versions.list_project_ids(1, include_restored=True)

    assert project_id in chosen
    assert not {copy, half, marked, clouds} & set(chosen)
    assert {copy, half, marked, clouds} & set(with_copies) == {copy}
    [line] = lines
    for reason in (
        "images (being restored)",
        "images (restored copies)",
        "point_clouds (cannot be versioned)",
    ):
        assert reason in line
    for project in (half, marked, clouds, copy):
        client.projects.archive(project)


# --- work folders ---------------------------------------------------------------------------------


def test_work_folders_of_killed_processes_are_removed_by_the_next(tmp_path: Path, monkeypatch: Patch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    abandoned = tmp_path / f"{PREFIX}killed"
    (abandoned / "deep").mkdir(parents=True)
    (tmp_path / "somebody else's").mkdir()

    with work_folder() as one:
        (one / "file").touch()
        with work_folder() as other:
            assert (one / "file").exists()
            assert other != one
        assert not abandoned.exists()

    assert [path.name for path in tmp_path.iterdir()] == ["somebody else's"]


def test_a_create_that_needs_no_work_folder_removes_abandoned_ones(
    versions: Versions, project_id: int, tmp_path: Path, monkeypatch: Patch
):
    versions.create(project_id)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"{PREFIX}killed").mkdir()

    assert not versions.create(project_id).created

    assert not (tmp_path / f"{PREFIX}killed").exists()


def test_a_link_in_the_place_of_a_work_folder_is_not_followed(tmp_path: Path, monkeypatch: Patch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "tmp" / f"{PREFIX}link").symlink_to(tmp_path / "precious")

    with work_folder():
        pass

    assert (tmp_path / "precious" / "file").exists()
