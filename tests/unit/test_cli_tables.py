"""Tables as pipes and terminals get them."""

import argparse
import io
import json
import re
import sys

import pytest

from airflow_sv_versioning.cli.printing import show
from airflow_sv_versioning.cli.tables import Table
from tests.support.types import Patch

HEAD = ("NUMBER", "CREATED", "TITLE")
MOMENT = "2026-01-05T10:00:00.123Z (3 weeks ago)"
LONG = " ".join(["long"] * 12)
TABLE = Table(
    HEAD, [("1", MOMENT, "[bold]lemons[/bold] \x1b[31m"), ("12", MOMENT, LONG)], numbers=("NUMBER",)
)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def of_a_terminal(monkeypatch: Patch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def _drawn(table: Table, width: int) -> list[str]:
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", table.drawn(Terminal(), width))
    return [line.rstrip() for line in drawn.splitlines()]


def test_a_pipe_gets_a_line_a_row_as_long_as_it_is():
    head, one, two = TABLE.plain().splitlines()

    assert head.split() == list(HEAD)
    assert one == f"     1  {MOMENT}  [bold]lemons[/bold] \x1b[31m"
    assert two == f"    12  {MOMENT}  {LONG}"


def test_a_terminal_gets_rows_as_wide_as_it_is():
    head, one, *two = _drawn(TABLE, 80)

    assert head.split() == list(HEAD)
    assert one == f"     1  {MOMENT}  [bold]lemons[/bold] \ufffd[31m"
    assert len(two) == 2
    assert max(map(len, two)) <= 80
    assert " ".join(two).split().count("long") == 12


@pytest.mark.parametrize("width", [20, 40, 60])
def test_a_narrow_terminal_gets_each_row_as_a_list(width: int):
    lines = _drawn(TABLE, width)

    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines if line and not line.startswith(" ")] == [*HEAD, *HEAD]
    assert " ".join(lines).split().count("long") == 12


def test_nothing_of_a_word_that_is_wider_than_the_terminal_is_lost():
    digest = "0123456789abcdef" * 4

    drawn = _drawn(Table(("SHA-256", "WHY"), [(digest, "damaged")]), 40)

    assert "".join(line.removeprefix("SHA-256").strip() for line in drawn[:-1]) == digest


def test_lines_of_a_cell_stay_in_their_column():
    table = Table(("A", "B"), [("one", "first\n-> and what comes of it"), ("two", "")], wrap_at=14)

    assert table.plain().splitlines() == [
        "A    B",
        "one  first",
        "     -> and what",
        "     comes of it",
        "two",
    ]
    assert _drawn(table, 80) == ["A    B", "one  first", "     -> and what comes of it", "two"]


def test_heads_are_bold_and_nothing_is_coloured_without_colours(monkeypatch: Patch):
    monkeypatch.setenv("NO_COLOR", "1")

    assert set(re.findall(r"\x1b\[([0-9;]*)m", TABLE.drawn(Terminal(), 80))) == {"1", "0"}


@pytest.mark.parametrize(
    ("as_json", "is_terminal", "begin"),
    [
        (False, True, "One \ufffd[31mproject\n\x1b[1mNUMBER\x1b[0m"),
        (False, False, "One \x1b[31mproject\nNUMBER"),
        (True, True, '{"a": '),
    ],
)
def test_what_is_shown_is_for_who_reads_it(as_json: bool, is_terminal: bool, begin: str, monkeypatch: Patch):
    stdout = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setenv("COLUMNS", "80")

    assert show(argparse.Namespace(json=as_json), {"a": "\x1b"}, "One \x1b[31mproject", TABLE) == 0

    assert stdout.getvalue().startswith(begin)
    if as_json:
        assert json.loads(stdout.getvalue()) == {"a": "\x1b"}
