"""What changed of the project itself."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_sv_versioning.compare.records import Definition
from airflow_sv_versioning.compare.report.kinds import Mark, mark_of
from airflow_sv_versioning.compare.report.members import Members, compare_members
from airflow_sv_versioning.compare.report.texts import NAME, shown

_WORDS = {"classes": "class", "tags": "tag", "settings": "setting"}


@dataclass(frozen=True)
class DefinitionRow:
    """A class, tag or setting that is not as it was.

    :param part: word for it: ``class``, ``custom data``.
    :param name: empty where the part has only one.
    """

    part: str
    name: str
    verb: str
    mark: Mark
    difference: Members


def definition_row(part: str, entry: Definition) -> DefinitionRow:
    """Describe one change.

    :param part: member of :class:`ProjectDiff`, such as ``custom_data``.
    """
    word = _WORDS.get(part, part.replace("_", " "))
    name = shown(entry.name, NAME)
    return DefinitionRow(
        word,
        "" if name.replace("_", " ") == word else name,
        shown(entry.change, 40),
        mark_of(entry.change),
        compare_members(entry.before, entry.after),
    )
