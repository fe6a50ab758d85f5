"""The command line against a real server: what it prints, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.plain_projects import make_plain_project
from tests.support.projects import count_projects, list_version_files, read_images, touch
from tests.support.proxy import first, refuse
from tests.support.types import Client, Patch, Run, Server, Versions, Wire

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
MODULE = [sys.executable, "-m", "airflow_sv_versioning.cli"]


def test_create_list_and_restore_in_json(run: Run, client: Client, project_id: int):
    code, out, _ = run("create", project_id, "--title", "first", "--json")
    made = json.loads(out)
    assert (code, made["created"], made["version_num"], made["title"]) == (0, True, 1, "first")

    code, out, _ = run("create", project_id, "--json")
    assert (code, json.loads(out)["created"]) == (0, False)

    code, out, _ = run("list", project_id, "--json")
    (listed,) = json.loads(out)["versions"]
    same = ("project_id", "version_id", "version_num", "title", "description")
    assert (code, [listed[key] for key in same]) == (0, [made[key] for key in same])

    code, out, _ = run(
        "restore", project_id, "--version-num", 1, "--project-name", "again", "--verify", "full", "--json"
    )
    restored = json.loads(out)
    assert (code, restored["source_project_id"], restored["version_id"]) == (
        0,
        project_id,
        made["version_id"],
    )
    assert read_images(client, restored["project_id"]) == read_images(client, project_id)


def test_a_part_is_restored_and_compared(run: Run, client: Client, project_id: int):
    run("create", project_id)
    part = ("--class", "lemon", "--dataset", "photos", "--dataset", "ph*", "--drop-empty-items")

    code, out, _ = run("restore", project_id, "--version-num", 1, *part, "--json")

    restored = json.loads(out)
    assert (code, restored["counts"]["figures"], restored["left_out"]["figures"]) == (0, 3, 3)
    assert restored["selection"]["datasets"] == ["photos", "ph*"]
    other = ("--other-project", restored["project_id"])
    code, out, _ = run("diff", project_id, 1, "live", *other, *part)
    assert (
        code,
        "Of both sides only a part was compared: datasets photos, ph*; figures of lemon" in out,
    ) == (
        0,
        True,
    )
    told = run("restore", project_id, "--version-num", 1, *part, "--plan-only")[1]
    assert "Part: datasets photos, ph*; figures of lemon; without empty items. Left out: 0 datasets" in told
    code, _, err = run("restore", project_id, "--version-num", 1, "--tag", "none")
    assert (code, "There is no tag 'none'; there are 'quality', 'count'." in err) == (2, True)


def test_a_version_goes_into_a_project_that_is_there(run: Run, client: Client, project_id: int):
    run("create", project_id)
    target = client.projects.add(1, f"target of {project_id}").id
    restore = ("restore", project_id, "--version-num", 1, "--into", target)

    assert f"would go into project 'target of {project_id}'" in run(*restore, "--plan-only")[1]
    code, out, _ = run(*restore, "--class", "lemon")
    assert (code, f" into project {target} 'target of {project_id}': 1 datasets, 3 images" in out) == (
        0,
        True,
    )
    assert "Datasets made: photos\nClasses added: lemon\nTags added: quality, count" in out
    code, _, err = run(*restore)
    assert (code, f"The version does not fit project {target}: image 'photos/" in err) == (3, True)
    code, out, _ = run(*restore, "--on-conflict", "skip", "--json")
    assert (code, len(json.loads(out)["into"]["taken"]), json.loads(out)["counts"]["images"]) == (0, 3, 0)
    code, out, _ = run(*restore, "--on-conflict", "rename", "--json")
    assert (code, len(json.loads(out)["renamed"])) == (0, 3)


def test_create_list_and_restore_for_people(run: Run, server: Server, client: Client, project_id: int):
    code, out, _ = run("create", project_id)
    assert code == 0
    assert out.startswith("Created version 1 (id ")
    assert "1 datasets, 3 images, 6 figures, 3 tags; " in out
    assert f" {server.url}/projects/{project_id}/versions#version-" in out

    assert run("create", project_id)[1].startswith("Nothing changed since version 1 ")

    touch(client, project_id)
    run("create", project_id, "--title", "лимоны")
    lines = run("list", project_id)[1].splitlines()
    assert [line.split()[0] for line in lines] == ["NUMBER", "1", "2"]
    assert lines[2].endswith("лимоны")
    # What the list says of a version's moment is what ``--as-of`` takes.
    assert lines[1].endswith("Z (a few seconds ago)")
    made_at = lines[1].split()[2]
    assert "Version 1 (" in run("restore", project_id, "--as-of", made_at, "--plan-only")[1]

    out = run("restore", project_id, "--version-num", 1)[1]
    assert out.startswith("Restored version 1 (id ")
    assert " s, counts compared with the version. http" in out
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize("project_type", ["videos", "volumes"])
def test_stamps_that_a_user_trusts_make_the_next_version_incremental(
    project_type: str, run: Run, client: Client, tmp_path: Path
):
    project = make_plain_project(client, tmp_path, project_type, "a figure")
    others = {"videos": "volumes", "volumes": "videos"}[project_type]
    ends = []

    for flags in [(), (), ("--trusted-stamps", others), ("--trusted-stamps", others, project_type)]:
        code, out, _ = run("create", project, *flags, "--json")
        ends.append((code, json.loads(out)["capture"]))
        touch(client, project)

    assert ends == [(0, "full"), (0, "full"), (0, "full"), (0, "incremental")]


def test_a_project_without_versions_is_told(run: Run, project_id: int):
    assert run("list", project_id)[1] == "No versions yet.\n"


def test_a_wrong_token_fails_for_good(run: Run, project_id: int, monkeypatch: Patch):
    monkeypatch.setenv("API_TOKEN", "nobodys")

    code, out, err = run("list", project_id, "--json")

    assert code == 3
    assert json.loads(out)["error"]["kind"] == "authentication"
    assert "nobodys" not in err


def test_an_unknown_project_fails_for_good(run: Run):
    code, out, err = run("create", 987654321, "--json")

    assert (code, json.loads(out)["error"]["kind"]) == (3, "not_found")
    assert "987654321" in err


@pytest.mark.parametrize("flags", [("--busy-timeout", "0.2"), ("--on-busy", "fail")], ids=" ".join)
def test_a_busy_project_is_to_be_tried_later(flags, run: Run, client: Client, project_id: int):
    client.versions.reserve(project_id)

    code, out, _ = run("create", project_id, *flags, "--json")

    assert (code, json.loads(out)["error"]["transient"]) == (4, True)


@pytest.mark.parametrize(("flags", "left"), [((), 0), (("--keep-incomplete",), 1)])
def test_a_restore_that_fails_leaves_its_project_only_where_that_is_asked(
    flags, left, run: Run, wire: Wire, client: Client, versions: Versions, project_id
):
    versions.create(project_id)
    projects = count_projects(client)
    wire.always("figures.bulk.add", refuse(400))

    code = run("restore", project_id, "--version-num", 1, "--server", wire.url, *flags)[0]

    assert (code, count_projects(client) - projects) == (3, left)


@pytest.fixture
def start(wire: Wire, server: Server):
    """Start a command as a process, behind the wire."""
    started = []

    def start(*arguments: object, **settings) -> subprocess.Popen[str]:
        environment = {**os.environ, "SERVER_ADDRESS": wire.url, "API_TOKEN": server.token}
        command = [*MODULE, *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        # Who runs the tests in the background may have them ignore signals.
        heeding = {"preexec_fn": lambda: [signal.signal(number, signal.SIG_DFL) for number in STOPPING]}
        started.append(subprocess.Popen(command, env=environment, **{**pipes, **heeding, **settings}))
        return started[-1]

    yield start
    for command in started:
        command.kill()
        command.wait()


@pytest.mark.parametrize("number", STOPPING)
@pytest.mark.parametrize("method", ["images.list", "file-storage.bulk.upload"])
def test_a_signal_during_create_gives_the_reservation_back_also_where_no_answer_comes(
    method, number, wire: Wire, start, client: Client, versions: Versions, project_id: int
):
    command = start("create", project_id, "--json")

    def stop_and_hang(exchange):
        command.send_signal(number)
        exchange.closing.wait()

    wire.on(method, stop_and_hang)

    out, err = command.communicate(timeout=120)

    assert command.returncode == 130, err
    assert json.loads(out)["error"]["kind"] == "cancelled"
    assert "cleaning up" in err
    assert list_version_files(client, project_id) <= {"versions.json"}
    assert versions.create(project_id).version_num == 1


def test_a_terminal_that_is_closed_ends_the_command_cleanly(
    wire: Wire, start, versions: Versions, project_id: int
):
    ours, theirs = os.openpty()
    command = start("create", project_id, stdout=theirs, stderr=theirs)
    os.close(theirs)

    def close(exchange):
        os.close(ours)
        command.send_signal(signal.SIGHUP)
        exchange.closing.wait()

    wire.on("images.list", close)

    command.wait(timeout=120)

    assert versions.create(project_id, busy_timeout_seconds=0).version_num == 1


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_at_once(second, wire: Wire, start, project_id: int):
    command = start("create", project_id)
    wire.on("images.list", first(lambda: command.send_signal(signal.SIGINT)))

    def insist(exchange):
        command.send_signal(second)
        exchange.closing.wait()

    wire.on("projects.versions.cancel-reservation", insist)

    _, err = command.communicate(timeout=120)

    assert command.returncode == -second, err


def test_a_command_that_shall_ignore_a_closed_terminal_goes_on(
    wire: Wire, start, versions: Versions, project_id: int
):
    command = start("create", project_id, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wire.on("images.list", first(lambda: command.send_signal(signal.SIGHUP)))

    _, err = command.communicate(timeout=120)

    assert command.returncode == 0, err
    assert len(versions.get_list(project_id)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_when_it_is_ready_and_ends_cleanly(number, tmp_path: Path):
    serving = subprocess.Popen(
        [*MODULE, "serve", "--data", str(tmp_path / "data"), "--token", "mine"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stdout is not None
        with ThreadPoolExecutor() as threads:
            ready = json.loads(threads.submit(serving.stdout.readline).result(timeout=60))
        assert ready["token"] == "mine"
        assert {"url", "team_id", "workspace_id"} <= ready.keys()
        done = subprocess.run(
            [*MODULE, "list", "1", "--server", ready["url"], "--token", "mine"],
            check=False,
            capture_output=True,
            text=True,
        )
        assert "1" in done.stderr
        assert done.returncode == 3
    finally:
        serving.send_signal(number)
        out, err = serving.communicate(timeout=30)

    assert serving.returncode == 0, err
    assert out == ""
