"""The command on a full disk, before a reader that goes away, on a terminal of few characters."""

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning import __version__
from airflow_sv_versioning.client.surroundings import CA_VARIABLES
from airflow_sv_versioning.exceptions import VersionNotFoundError
from tests.support.tls import Authority
from tests.support.types import Client, Patch, Run, Server, Versions

Environment = dict[str, str]

AS_JSON = pytest.mark.parametrize("as_json", [[], ["--json"]])
MODULE = [sys.executable, "-m", "airflow_sv_versioning.cli"]


@pytest.fixture
def environment(server: Server, tmp_path: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in CA_VARIABLES and "proxy" not in name.lower()
    }
    return {**kept, "SERVER_ADDRESS": server.url, "API_TOKEN": server.token, "AIRFLOW_HOME": str(tmp_path)}


def command(environment: Environment, *arguments: object, **streams: Any) -> subprocess.CompletedProcess[Any]:
    """Run the command in a process of its own; what no stream is given for is captured, as text."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **streams}
    return subprocess.run([*MODULE, *map(str, arguments)], check=False, env=environment, **given)


# --- output ---------------------------------------------------------------------------------------


@AS_JSON
def test_a_result_that_a_full_disk_cannot_take_is_told_and_the_version_stands(
    as_json, environment: Environment, versions: Versions, project_id: int
):
    with open("/dev/full", "w") as full:
        done = command(environment, "create", project_id, *as_json, stdout=full)

    (made,) = versions.get_list(project_id)
    assert done.returncode == 3
    assert "output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert str(made.id) in done.stderr


@AS_JSON
def test_progress_that_nobody_can_take_does_not_end_the_work(
    as_json, environment: Environment, versions: Versions, project_id: int
):
    with open("/dev/full", "w") as full:
        done = command(environment, "create", project_id, *as_json, stderr=full)

    assert (done.returncode, len(versions.get_list(project_id))) == (0, 1)
    assert done.stdout


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [
        ("stdout", ["create", "{}"], 0),
        ("stderr", ["create", "{}"], 0),
        ("both", ["create", "{}"], 0),
        ("stdout", ["list", "{}"], 0),
        ("both", ["create", "987654321", "--json"], 3),
    ],
)
def test_a_reader_that_goes_away_changes_nothing(
    arguments, code, closed, environment: Environment, versions: Versions, project_id: int
):
    reading, writing = os.pipe()
    os.close(reading)
    streams = dict.fromkeys(["stdout", "stderr"] if closed == "both" else [closed], writing)

    done = command(environment, *(each.format(project_id) for each in arguments), **streams)

    os.close(writing)
    assert done.returncode == code
    for said in (done.stdout or "", done.stderr or ""):
        assert "Traceback" not in said
        assert "BrokenPipe" not in said
    assert len(versions.get_list(project_id)) == (arguments == ["create", "{}"])


@pytest.mark.parametrize("arguments", [["--version"], ["create", "--help"]])
def test_a_help_without_a_reader_is_quiet_and_on_a_full_disk_told(arguments, environment: Environment):
    reading, writing = os.pipe()
    os.close(reading)
    unread = command(environment, *arguments, stdout=writing)
    os.close(writing)
    with open("/dev/full", "w") as full:
        unwritten = command(environment, *arguments, stdout=full)

    assert (unread.returncode, unread.stderr) == (0, "")
    assert unwritten.returncode == 3
    assert "output cannot be written: No space left on device" in unwritten.stderr
    assert "Traceback" not in unwritten.stderr


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_terminal_of_few_characters_makes_no_error_of_a_version(
    encoding, environment: Environment, client: Client, versions: Versions, project_id: int
):
    client.projects.edit(project_id, name=f"лимоны {project_id}")
    spoken = {**environment, "PYTHONIOENCODING": encoding}
    for arguments in (["create", project_id, "--title", "лимоны"], ["list", project_id]):
        done = command(spoken, *arguments, text=False)
        assert done.returncode == 0, done.stderr
        assert ("лимоны" if encoding == "utf-8" else "\\u043b") in done.stdout.decode(encoding)

    assert len(versions.get_list(project_id)) == 1


def test_a_terminal_gets_bars_beside_a_result_that_goes_elsewhere(environment: Environment, project_id: int):
    main, terminal = pty.openpty()
    settings = {**environment, "TERM": "xterm", "COLUMNS": "40", "LINES": "10"}
    with subprocess.Popen(
        [*MODULE, "create", str(project_id), "--json"],
        env=settings,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    ) as started:
        os.close(terminal)
        shown = _read_all(main)
        assert started.stdout is not None
        result = json.load(started.stdout)
    os.close(main)

    assert result["version_num"] == 1
    # A bar, in front of what erases it, and whole lines above it.
    assert re.search("Images read +[0-3]/3 .*\x1b\\[2K", shown, re.DOTALL)
    assert re.search(r"Packing 1 datasets, 3 images.*\r\n", shown)
    assert "\x1b[?25l" not in shown


def _read_all(terminal: int) -> str:
    shown = b""
    # Linux says so that nobody holds the other end any more.
    with suppress(OSError):
        while more := os.read(terminal, 65536):
            shown += more
    return shown.decode()


def test_the_version_is_told(run: Run):
    assert run("--version") == (0, f"sv-versioning {__version__}\n", "")


@pytest.mark.parametrize("command", ["restore", "verify", "check-item"])
def test_the_help_says_what_a_moment_without_zone_or_time_means(
    command, run: Run, versions: Versions, project_id: int
):
    said = " ".join(run(command, "--help")[1].split())
    assert "UTC where it names no zone; a date alone means its beginning, 00:00" in said

    made = versions.create(project_id)
    day = versions.get_info_by_id(project_id, made.version_id).created_at[:10]
    with pytest.raises(VersionNotFoundError, match=f"at or before {day}T00:00:00\\+00:00"):
        versions.choose(project_id, as_of=day)


# --- where server and token come from -------------------------------------------------------------


def test_a_ca_file_and_no_check_reach_the_server(
    run: Run, tls: dict[str, str], authority: Authority, monkeypatch: Patch, project_id: int, tmp_path: Path
):
    for name in CA_VARIABLES:
        monkeypatch.setenv(name, str(tmp_path / "nowhere.pem"))

    code, _, told = run("list", project_id, "--server", tls["good"])
    assert (code, "REQUESTS_CA_BUNDLE" in told) == (2, True)
    assert run("list", project_id, "--server", tls["good"], "--ca-file", authority.file)[0] == 0
    assert run("list", project_id, "--server", tls["expired"], "--no-verify-ssl")[0] == 0
    assert run("list", project_id, "--no-verify-ssl", "--ca-file", authority.file)[0] == 2
    assert run("list", project_id, "--ca-file", tmp_path / "nowhere.pem")[0] == 2


def test_an_airflow_connection_names_server_and_token(
    server: Server, tls: dict[str, str], environment: Environment, project_id: int
):
    """Also where the environment names others; Airflow's own words do not stand among the results."""
    fields = {"host": tls["good"], "password": server.token, "extra": {"verify_ssl": False}}
    elsewhere = {"SERVER_ADDRESS": "http://127.0.0.1:1", "API_TOKEN": "nobodys"}

    surroundings = {**environment, **elsewhere, "AIRFLOW_CONN_COMPANY": json.dumps(fields)}
    done = command(surroundings, "list", project_id, "--conn-id", "company", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"project_id": project_id, "versions": []}


@pytest.mark.parametrize("more", [["--server", "http://x"], ["--token", "t"]])
def test_a_connection_beside_a_server_or_token_is_refused(more, run: Run):
    code, _, told = run("list", 7, "--conn-id", "company", *more)

    assert (code, "but not both" in told) == (2, True)


# --- places that cannot be ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "{file}",
        "{file}/below",
        "{loop}",
        "{long}",
        "/proc/none",
        "/dev/null",
        "s3://",
        "ftp://h/x",
        "a\0b",
        " ",
    ],
)
@pytest.mark.parametrize("command", [["create", "{id}", "--vault"], ["vault", "verify"]])
def test_a_store_that_cannot_be_is_a_usage_error(
    command, path, run: Run, versions: Versions, project_id: int, tmp_path: Path
):
    places = {name: str(tmp_path / name) for name in ("file", "loop")}
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    where = path.format(**places, long=tmp_path / ("n" * 300))

    code, out, told = run(*(each.format(id=project_id) for each in command), where)

    assert (code, out) == (2, "")
    assert "ry again" not in told
    assert versions.get_list(project_id) == []


@pytest.mark.parametrize("port", ["65536", "99999", "-1", "x", "8\uff10", "1.0", ""])
def test_a_port_that_cannot_be_is_a_usage_error(port, run: Run, tmp_path: Path):
    code, out, _ = run("serve", "--data", tmp_path / "data", f"--port={port}")

    assert (code, out) == (2, "")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "192.0.2.1", "", "h" * 300, "2001:db8::1"])
def test_a_host_that_cannot_be_is_a_usage_error(host, run: Run, tmp_path: Path):
    code, out, told = run("serve", "--data", tmp_path / "data", "--host", host)

    assert (code, out) == (2, "")
    assert "host" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("data", ["{file}", "{file}/below", "/proc/none", "/dev/null", "{damaged}"])
def test_a_data_folder_that_cannot_be_is_a_usage_error(data, run: Run, tmp_path: Path):
    (tmp_path / "file").touch()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "server.sqlite").write_text("no database" * 100)
    where = data.format(file=tmp_path / "file", damaged=tmp_path / "damaged")

    code, out, told = run("serve", "--data", where)

    assert (code, out) == (2, "")
    assert f"The data folder {where} cannot be used" in told
    assert told.count("\n") == 1
