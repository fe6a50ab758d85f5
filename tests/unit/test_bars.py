"""What people see of progress on a terminal."""

import io
import re

import pytest

from airflow_sv_versioning.cli.bars import Bars
from airflow_sv_versioning.cli.printing import reporting
from airflow_sv_versioning.cli.terminal import is_terminal
from airflow_sv_versioning.runtime.progress import Count, Lines

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLOR = re.compile(r"\x1b\[[0-9;]*3[0-9]|\x1b\[[0-9;]*9[0-9]")


class Terminal(io.StringIO):
    """Remembers what is drawn."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    @property
    def drawn(self) -> list[str]:
        """All lines that were ever drawn, without what moves the cursor or colours them."""
        return [
            line.rstrip() for line in re.split(r"[\r\n]+", _CONTROL.sub("", self.getvalue())) if line.strip()
        ]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def _count(terminal: Terminal, clock: Clock, width: int) -> None:
    with Bars(terminal, width, clock) as bars:
        for done in range(0, 12_346, 1_000):
            bars.count(Count("Links tried by the server", done, 12_345))
            clock.now += 2


def test_a_bar_has_count_rate_and_time_left(clock: Clock) -> None:
    terminal = Terminal()

    _count(terminal, clock, 100)

    last = terminal.drawn[-1]
    assert last.startswith("Links tried by the server ━")
    assert re.search(r"━ 1[12],000 of 12,345 500/s 0:0[01] left$", last)
    assert _COLOR.search(terminal.getvalue())


def test_a_narrow_terminal_gets_what_fits(clock: Clock) -> None:
    terminal = Terminal()

    _count(terminal, clock, 40)

    assert max(map(len, terminal.drawn)) <= 40
    assert re.fullmatch(r"Links tried by.*… +1[12],000/12,345 0:0[01] left", terminal.drawn[-1])


def test_without_colours_nothing_is_coloured(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()

    _count(terminal, clock, 100)

    assert re.search(r" ━+[╸╺]? +12,000 of 12,345 ", terminal.getvalue())
    assert not _COLOR.search(terminal.getvalue())


def test_of_what_has_no_known_end_the_count_is_shown(clock: Clock) -> None:
    terminal = Terminal()

    with Bars(terminal, 100, clock) as bars:
        bars.count(Count("Media read", 1234))

    assert re.fullmatch(r"Media read \S+ 1,234", terminal.drawn[-1])


def test_a_line_stays_and_hides_the_bar_until_it_moves_again(clock: Clock) -> None:
    terminal = Terminal()

    with Bars(terminal, 100, clock) as bars:
        bars.count(Count("Images read", 5, 10))
        bars("Warning: Packing.")
    hidden = terminal.drawn
    with Bars(terminal, 100, clock) as bars:
        bars.count(Count("Images read", 5, 10))
        bars("Packing.")
        bars.count(Count("Images read", 6, 10))

    assert hidden[-1] == "Warning: Packing."
    assert re.fullmatch(r"Images read ━+[╸╺]?━* 6 of 10", terminal.drawn[-1])


def test_what_others_wrote_does_not_drive_the_terminal(clock: Clock) -> None:
    terminal = Terminal()

    with Bars(terminal, 100, clock) as bars:
        bars("'a [b]title[/b] with \x1b]0;ours\x07 in it'")

    assert terminal.getvalue() == "'a [b]title[/b] with \ufffd]0;ours\ufffd in it'\n"


def test_the_cursor_is_never_hidden_for_a_killed_process_could_not_show_it(clock: Clock) -> None:
    terminal = Terminal()

    _count(terminal, clock, 100)

    assert "\x1b[?25l" not in terminal.getvalue()


def test_a_terminal_that_goes_away_ends_no_work(clock: Clock) -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    _count(Gone(), clock, 100)


@pytest.mark.parametrize(("term", "is_one"), [("xterm", True), ("dumb", False), ("unknown", False)])
def test_a_terminal_moves_its_cursor(term: str, is_one: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)

    assert is_terminal(Terminal()) == is_one
    assert not is_terminal(io.StringIO())
    assert not is_terminal(None)


def test_pipes_get_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting() as report:
        assert isinstance(report, Lines)
        report("Packing.")

    assert capsys.readouterr().err == "Packing.\n"
