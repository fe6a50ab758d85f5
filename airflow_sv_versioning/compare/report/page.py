"""Put the parts of the page together, each within its budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from airflow_sv_versioning.compare.records import VersionDiff
from airflow_sv_versioning.compare.report import budgets
from airflow_sv_versioning.compare.report.budgets import Fitting, size_of, take_fitting
from airflow_sv_versioning.compare.report.classes import ClassNames
from airflow_sv_versioning.compare.report.dataset_tree import Node, Tree, dataset_tree
from airflow_sv_versioning.compare.report.definitions import definition_row
from airflow_sv_versioning.compare.report.kinds import KindFilter
from airflow_sv_versioning.compare.report.sides import side_facts, title_of
from airflow_sv_versioning.compare.report.tables import class_rows, tag_rows
from airflow_sv_versioning.compare.report.templates import script_digest, writer
from airflow_sv_versioning.compare.report.texts import shown
from airflow_sv_versioning.compare.report.tiles import tiles
from airflow_sv_versioning.compare.texts import changes_text
from airflow_sv_versioning.project_types import project_type_of

# Around the line of a dataset: what folds it, and its share of what ends it.
_FOLDING = 60
# Characters of the sentence at the top.
_LEAD = 1_000


class Judged(NamedTuple):
    """A rule, and whether it holds.

    :param text: the rule, as the user wrote it.
    :param message: what was found.
    """

    text: str
    broken: bool
    message: str


@dataclass(frozen=True)
class Changed:
    """The changed items.

    :param cards: HTML of those that the page has room for.
    :param kinds: of all changes on them.
    :param total: how many items changed.
    """

    cards: Sequence[str]
    kinds: Sequence[KindFilter]
    total: int


def make_page(diff: VersionDiff, changed: Changed, judged: Sequence[Judged], names: ClassNames) -> str:
    """Make the whole page."""
    from markupsafe import Markup

    return writer("page.html")(
        diff=diff,
        item=project_type_of(diff.project_type).item,
        title=title_of(diff),
        sides=side_facts(diff),
        script_digest=script_digest(),
        lead=shown(changes_text(diff), _LEAD),
        tiles=tiles(diff),
        number_of_broken=sum(rule.broken for rule in judged),
        rules=_rows("rule.html", _shown_rules(judged), budgets.RULES),
        classes=_rows("class.html", class_rows(diff.by_class, names), budgets.CLASSES),
        tags=_rows("tag.html", tag_rows(diff.by_tag), budgets.TAGS),
        tree=_tree(diff),
        project=_project(diff),
        not_compared=_rows("column.html", map(shown, diff.not_compared), budgets.NOT_COMPARED),
        # Each was written by a template that escapes.
        cards=Markup("".join(changed.cards)),  # noqa: S704
        changed=changed,
        filtered_classes=names.filtered,
    )


def _rows(template: str, rows: Iterable[object], budget: int) -> Fitting:
    write = writer(template)
    return take_fitting(rows, lambda row: write(row=row), budget)


def _project(diff: VersionDiff) -> Fitting:
    write = writer("definition.html")
    # Only what fits is looked into: values may be large.
    return take_fitting(
        diff.project.entries(), lambda entry: write(row=definition_row(*entry)), budgets.PROJECT
    )


def _shown_rules(judged: Iterable[Judged]) -> Iterator[Judged]:
    """List the broken ones first; what a message repeats of its rule is left out."""
    for rule in sorted(judged, key=lambda rule: not rule.broken):
        message = rule.message.removeprefix(f"{rule.text}: ")
        yield Judged(shown(rule.text), rule.broken, shown(message, 400))


def _tree(diff: VersionDiff) -> Tree:
    write = writer("dataset.html")

    def size(node: Node) -> int:
        return size_of(write(node=node)) + _FOLDING

    return dataset_tree(diff.by_dataset, size, budgets.DATASETS)
