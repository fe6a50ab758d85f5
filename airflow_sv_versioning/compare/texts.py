"""A comparison in one sentence, for logs, terminals and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from airflow_sv_versioning.compare.records import ClassDiff, ProjectDiff, SideFacts, VersionDiff
from airflow_sv_versioning.project_types import project_type_of

_SHOWN_CLASSES = 3
_LONGEST_NAME = 40
# Of each part, in which order its counts are told, and how.
_OF_ITEMS = {verb: verb for verb in ("added", "removed", "renamed", "moved", "replaced", "changed")}
_OF_FIGURES = {
    **{verb: verb for verb in ("added", "removed", "relabelled", "reshaped")},
    "attributes": "with other attributes",
}
_OF_TAGS = {verb: verb for verb in ("added", "removed", "changed")}
_OF_DATASETS = {verb: verb for verb in ("added", "removed", "renamed", "changed")}
_DEFINED = {"classes": "class", "tags": "tag", "settings": "setting"}


def headline(diff: VersionDiff) -> str:
    """Tell what was compared and what changed, in one sentence.

    Such as ``Version 5 against version 3 of project 42 'roads': +120 images, 3 removed; 45 figures relabelled
    (car 31, bus 14).`` The classes are those that figures had before; few are named, the others counted.
    """
    sides = sides_text(diff.before, diff.after)
    return f"{sides[:1].upper()}{sides[1:]}: {changes_text(diff)}."


def changes_text(diff: VersionDiff) -> str:
    """Tell what changed, without saying of what: ``+120 images, 3 removed; 45 figures relabelled``."""
    return "; ".join(_clauses(diff)) or "nothing changed"


def sides_text(before: SideFacts, after: SideFacts) -> str:
    """Name two sides: ``version 5 against version 3 of project 42 'roads'``."""
    if before.project_id is not None and before.project_id == after.project_id:
        return f"{_state(after)} against {_state(before)}{_project(before)}"
    return f"{_state(after)}{_project(after)} against {_state(before)}{_project(before)}"


def _state(side: SideFacts) -> str:
    is_version = side.version_id is not None
    return "the live state" if side.name == "live" and not is_version else _short(side.name, len(side.name))


def _project(side: SideFacts) -> str:
    if side.project_id is None:
        return ""
    return f" of project {side.project_id}" + (f" '{_short(side.project_name)}'" if side.project_name else "")


def _clauses(diff: VersionDiff) -> Iterator[str]:
    item = project_type_of(diff.project_type).item
    classes = {} if diff.objects.relabelled else {"relabelled": _by_class(diff.by_class)}
    told = [
        _clause(item, diff.items, _OF_ITEMS),
        # Figures that are of another class with their object are no changes of their own.
        _clause("figure", diff.figures, _OF_FIGURES, classes),
        _order("figures", diff.figures.reordered, item),
        _clause("object", diff.objects, _OF_FIGURES),
        _order("objects", diff.objects.reordered, item),
        _clause("tag", diff.tags, _OF_TAGS),
        _clause("dataset", diff.datasets, _OF_DATASETS),
        _definitions(diff.project),
    ]
    return filter(None, told)


def _clause(
    noun: str, counts: object, words: Mapping[str, str], more: Mapping[str, str] | None = None
) -> str:
    """Tell counts of one thing; the first of them names it."""
    parts: list[str] = []
    for verb, word in words.items():
        count = getattr(counts, verb)
        if count:
            named = "" if parts else f" {_plural(noun, count)}"
            text = f"+{count:,}{named}" if verb == "added" else f"{count:,}{named} {word}"
            parts.append(text + (more or {}).get(verb, ""))
    return ", ".join(parts)


def _order(what: str, count: int, item: str) -> str:
    return f"{what} in another order on {count:,} {_plural(item, count)}" if count else ""


def _by_class(by_class: Mapping[str, ClassDiff]) -> str:
    """Name the classes that most of the relabelled figures had: ``(car 31, bus 14, and 4 more)``."""
    counts = [(name, diff.relabelled_out) for name, diff in by_class.items() if diff.relabelled_out]
    counts.sort(key=lambda entry: (-entry[1], entry[0]))
    named = [f"{_short(name)} {count:,}" for name, count in counts[:_SHOWN_CLASSES]]
    others = len(counts) - len(named)
    return f" ({', '.join([*named, f'and {others:,} more'] if others else named)})" if named else ""


def _definitions(project: ProjectDiff) -> str:
    """Tell of classes, tags, settings and texts of the project itself."""
    counts = Counter((part, _short(entry.change)) for part, entry in project.entries())
    parts = list(_defined(counts.items()))
    return f"of the project itself {', '.join(parts)}" if parts else ""


def _defined(counts: Iterable[tuple[tuple[str, str], int]]) -> Iterator[str]:
    for (part, change), count in counts:
        if part in _DEFINED:
            yield f"{count:,} {_plural(_DEFINED[part], count)} {change}"
        else:
            yield f"the {part.replace('_', ' ')} {change}"


def _plural(noun: str, count: int) -> str:
    if count == 1:
        return noun
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


def _short(name: str, longest: int = _LONGEST_NAME) -> str:
    """Write a name that anybody may have given in one line that is not too long."""
    line = " ".join(name.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
