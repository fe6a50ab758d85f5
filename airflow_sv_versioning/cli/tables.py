"""Tables: plain ones that scripts can cut into columns, drawn ones that fit a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, TextIO

from airflow_sv_versioning.cli.terminal import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_GAP = 2
# Below this the last column is no column any more.
_LEAST_LAST = 16


@dataclass(frozen=True)
class Table:
    """Rows under a head; the last column has the longest texts.

    :param numbers: names of columns that stand to the right.
    :param wrap_at: where lines of the last column end in plain tables; by default where its cells' do.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Collection[str] = ()
    wrap_at: int | None = None

    def plain(self) -> str:
        """Lay the rows out in columns as wide as what stands in them."""
        lines = [line for row in (self.head, *self.rows) for line in self._row_lines(row)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        return "\n".join((" " * _GAP).join(self._justified(line, widths)).rstrip() for line in lines)

    def drawn(self, terminal: TextIO, width: int | None = None) -> str:
        """Draw the rows as wide as the terminal; where it is too narrow, each row as a list of its own."""
        from rich.console import Console

        console = Console(file=terminal, force_terminal=True, highlight=False, width=width)
        with console.capture() as captured:
            if self._least_width() <= console.width:
                self._draw_columns(console)
            else:
                self._draw_lists(console)
        return "\n".join(line.rstrip() for line in captured.get().splitlines())

    def _row_lines(self, row: Sequence[str]) -> Iterator[tuple[str, ...]]:
        cells = (self._cell_lines(row, column) for column in range(len(row)))
        return zip_longest(*cells, fillvalue="")

    def _cell_lines(self, row: Sequence[str], column: int) -> list[str]:
        paragraphs = row[column].split("\n")
        if self.wrap_at is None or column < len(self.head) - 1:
            return paragraphs
        return [line for paragraph in paragraphs for line in wrap(paragraph, self.wrap_at) or [""]]

    def _justified(self, line: Sequence[str], widths: Sequence[int]) -> list[str]:
        return [
            cell.rjust(width) if name in self.numbers else cell.ljust(width)
            for name, cell, width in zip(self.head, line, widths, strict=True)
        ]

    def _least_width(self) -> int:
        from rich.cells import cell_len

        columns = list(zip(self.head, *self.rows, strict=True))
        widths = [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in columns]
        return sum(widths[:-1]) + _GAP * len(widths[:-1]) + min(widths[-1], _LEAST_LAST)

    def _draw_columns(self, console: Console) -> None:
        from rich.table import Column
        from rich.table import Table as Drawn

        *first_names, last_name = self.head
        columns = [
            Column(name, justify="right" if name in self.numbers else "left", no_wrap=True)
            for name in first_names
        ]
        columns.append(
            Column(last_name, justify="right" if last_name in self.numbers else "left", overflow="fold")
        )
        drawn = Drawn(*columns, box=None, pad_edge=False, header_style="bold")
        for row in self.rows:
            drawn.add_row(*map(_text, row))
        console.print(drawn)

    def _draw_lists(self, console: Console) -> None:
        from rich.table import Column
        from rich.table import Table as Drawn

        for number, row in enumerate(self.rows):
            if number:
                console.print()
            drawn = Drawn.grid(
                Column(no_wrap=True, style="bold"), Column(overflow="fold"), padding=(0, _GAP, 0, 0)
            )
            for name, cell in zip(self.head, row, strict=True):
                if cell:
                    drawn.add_row(name, _text(cell))
            console.print(drawn)


def _text(cell: str) -> Text:
    """Take a cell as it is: what others wrote is no markup."""
    from rich.text import Text

    return Text(printable(cell))
