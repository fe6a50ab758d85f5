"""The command line's own rules: arguments, exit codes, what goes to which stream."""

import json
import re
import subprocess
import sys

import pytest

from airflow_sv_versioning import cli
from airflow_sv_versioning.cli import listing, printing
from airflow_sv_versioning.cli.connecting import client_arguments
from airflow_sv_versioning.exceptions import (
    CancelledError,
    ConfigurationError,
    NotFoundError,
    RuleBrokenError,
    SuperviselyError,
    TransportError,
    VersionBusyError,
)
from tests.support.types import Capsys, Patch


@pytest.fixture(autouse=True)
def _no_server_in_the_environment(monkeypatch: Patch):
    monkeypatch.delenv("SERVER_ADDRESS", raising=False)
    monkeypatch.delenv("API_TOKEN", raising=False)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["create"],
        ["create", "seven"],
        ["create", "7", "--archive-format", "zip"],
        ["restore", "7"],
        ["restore", "7", "--version-id", "1", "--version-num", "2"],
        ["serve"],
    ],
)
def test_a_command_line_that_cannot_be_understood_ends_with_2(arguments, capsys: Capsys):
    assert cli.main(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: sv-versioning")


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "{}"],
        ["list", "{}"],
        ["restore", "{}", "--version-num", "1"],
        ["restore", "7", "--version-id", "{}"],
        ["restore", "7", "--version-num", "{}"],
        ["restore", "7", "--version-num", "1", "--workspace-id", "{}"],
        ["verify", "7", "--version-num", "{}"],
        ["diff", "{}"],
        ["diff", "7", "--other-project", "{}"],
        ["check-item", "7", "path", "--version-num", "1", "--in-project", "{}"],
        ["vault", "prune", "vault", "--project-ids", "{}"],
        ["vault", "prune", "vault", "--forget", "7", "{}"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("number", ["0", "-1", str(2**70), "9" * 5000, "4\uff12", "1_0", "7.0", "seven", ""])
def test_an_id_is_a_positive_whole_number(arguments, number, capsys: Capsys):
    assert cli.main([argument.format(number) for argument in arguments]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    # To argparse, what begins with a hyphen is an option.
    assert "must be a positive whole number below 2^63" in err or number == "-1"


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--timeout", "0"),
        ("--timeout", "-1"),
        ("--timeout", "nan"),
        ("--timeout", "1e9"),
        ("--timeout", "a minute"),
        ("--busy-timeout", "inf"),
        ("--max-workers", "0"),
        ("--max-workers", "257"),
        ("--trusted-stamps", "point_clouds"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(flag: str, value: str, capsys: Capsys):
    assert cli.main(["create", "7", flag, value]) == 2

    assert flag in capsys.readouterr().err


def test_what_a_connection_can_say_a_command_can():
    command = (
        "create 7 --server http://localhost --token t --timeout 2.5 --max-workers 3 --trusted-stamps videos"
    )
    arguments = cli.build_parser().parse_args(command.split())

    assert client_arguments(arguments) == {
        "server_address": "http://localhost",
        "token": "t",
        "timeout": 2.5,
        "max_workers": 3,
        "trusted_stamps": ["videos"],
    }


def test_help_names_every_exit_code(capsys: Capsys):
    assert cli.main(["restore", "--help"]) == 0

    text = capsys.readouterr().out
    codes = (
        printing.DONE,
        printing.USAGE,
        printing.FAILED,
        printing.TRY_LATER,
        printing.RULE_BROKEN,
        printing.INTERRUPTED,
    )
    for code in codes:
        assert re.search(rf"\b{code} [a-z]", text.split("exit codes:")[1])


@pytest.mark.parametrize(
    ("environment", "missing"), [({}, "SERVER_ADDRESS"), ({"SERVER_ADDRESS": "http://x"}, "API_TOKEN")]
)
def test_a_missing_address_or_token_names_its_variable(environment, missing, monkeypatch, capsys):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert cli.main(["list", "7"]) == 2

    assert missing in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (ConfigurationError("bad"), 2, "configuration"),
        (NotFoundError("gone"), 3, "not_found"),
        (VersionBusyError("busy"), 4, "version_busy"),
        (TransportError("no answer"), 4, "transport"),
        (CancelledError("stopped"), 130, "cancelled"),
        (FileNotFoundError("no such file"), 3, "system"),
    ],
)
def test_every_error_is_one_line_one_code_and_one_object(error, code, kind, monkeypatch, capsys):
    def fail(_arguments):
        raise error

    monkeypatch.setattr(listing, "_list", fail)

    assert cli.main(["list", "7", "--json"]) == code

    out, err = capsys.readouterr()
    transient = isinstance(error, SuperviselyError) and error.transient
    assert json.loads(out) == {"error": {"kind": kind, "message": str(error), "transient": transient}}
    assert err == f"sv-versioning: {error}\n"


def test_a_broken_rule_ends_with_5_and_tells_what_broke_it(monkeypatch: Patch, capsys: Capsys):
    def fail(_arguments):
        raise RuleBrokenError("A rule is broken. tags.added > 0: 7.", broken=["tags.added > 0: 7"])

    monkeypatch.setattr(listing, "_list", fail)

    assert cli.main(["list", "7", "--json"]) == 5

    out, err = capsys.readouterr()
    told = json.loads(out)["error"]
    assert (told["kind"], told["transient"]) == ("rule_broken", False)
    assert told["broken"] == ["tags.added > 0: 7"]
    assert err == "sv-versioning: A rule is broken. tags.added > 0: 7.\n"


def test_without_json_an_error_leaves_stdout_empty(capsys: Capsys):
    assert cli.main(["list", "7"]) == 2

    assert capsys.readouterr().out == ""


def test_starting_loads_nothing_heavy():
    code = (
        "import sys; from airflow_sv_versioning import cli; cli.build_parser();"
        "print(sorted({'airflow', 'pyarrow', 'requests', 'fastapi', 'numpy', 'pendulum'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
