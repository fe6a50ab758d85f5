"""The files that a comparison writes: a page for people, and a table of all changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_sv_versioning.compare.engine import Sink
    from airflow_sv_versioning.compare.records import VersionDiff
    from airflow_sv_versioning.compare.rules import Judgement
    from airflow_sv_versioning.hooks.object_storage import Destination


class ComparisonFiles:
    """Collects what changed while two sides are compared; :func:`collecting` makes one.

    :param folder: where the files are made before they are brought to their destinations.
    :param stack: ends what is half-made where the comparison fails.
    :ivar sinks: take the items that changed.
    """

    def __init__(
        self, folder: Path, report: Destination | None, changes: Destination | None, stack: ExitStack
    ) -> None:
        from airflow_sv_versioning.compare.changes_file import ChangesFile
        from airflow_sv_versioning.compare.report import Report

        self._folder = folder
        self._report, self._changes = report, changes
        self._stack = stack
        self._page = Report()
        self.sinks: list[Sink] = [] if report is None else [self._page.add]
        if changes is not None:
            self.sinks.append(stack.enter_context(ChangesFile(folder / "changes.parquet")).add)

    def deliver(self, diff: VersionDiff, judgements: Sequence[Judgement]) -> None:
        """Bring the files to their destinations.

        :raises VaultError: a storage cannot be written now.
        """
        self._stack.close()
        if self._changes is not None:
            self._changes.take(self._folder / "changes.parquet")
        if self._report is not None:
            told = [(judged.rule.text, judged.broken, judged.message) for judged in judgements]
            self._page.write(self._folder / "report.html", diff, told)
            self._report.take(self._folder / "report.html")


@contextmanager
def collecting(report: Destination | None, changes: Destination | None) -> Iterator[ComparisonFiles]:
    """Open the files that are asked for; those of a comparison that fails go nowhere."""
    from airflow_sv_versioning.runtime.work_folder import work_folder

    with work_folder() as folder, ExitStack() as stack:
        yield ComparisonFiles(folder, report, changes, stack)
