"""What happened, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from airflow_sv_versioning.compare.records import ClassDiff, VersionDiff
from airflow_sv_versioning.compare.report.texts import plural_of, shown
from airflow_sv_versioning.project_types import project_type_of

if TYPE_CHECKING:
    from markupsafe import Markup

_ITEM_VERBS = ("added", "removed", "renamed", "moved", "replaced", "changed")
_FIGURE_VERBS = ("added", "removed", "relabelled", "reshaped")
_MANY_CLASSES = 3
_PROJECT_WORDS = {"classes": "class", "tags": "tag", "settings": "setting"}


def headline(diff: VersionDiff) -> Markup:
    """Tell of items and figures: ``+120 images, 3 removed; 45 figures relabelled (car 31, bus 14).``"""
    item = project_type_of(diff.project_type).item
    clauses = [
        _clause(item, diff.items, _ITEM_VERBS),
        _clause("figure", diff.figures, _FIGURE_VERBS, {"relabelled": _by_class(diff.by_class)}),
    ]
    return _sentence(clauses)


def more_lines(diff: VersionDiff) -> Markup:
    """Tell of objects, tags, datasets and the project itself."""
    clauses = [
        _clause("object", diff.objects, _FIGURE_VERBS),
        _clause("tag", diff.tags, ("added", "removed", "changed")),
        _clause("dataset", diff.datasets, ("added", "removed", "renamed", "changed")),
        _project(diff),
    ]
    return _sentence(clauses)


def _sentence(clauses: Sequence[Markup]) -> Markup:
    from markupsafe import Markup

    told = [clause for clause in clauses if clause]
    return Markup("; ").join(told) + "." if told else Markup("")


def _clause(
    noun: str, counts: object, verbs: Sequence[str], more: Mapping[str, Markup] | None = None
) -> Markup:
    """Tell counts of one thing; the first of them names it."""
    from markupsafe import Markup

    parts: list[Markup] = []
    for verb in verbs:
        count = getattr(counts, verb)
        if not count:
            continue
        word = noun if count == 1 else plural_of(noun)
        said = "" if parts else f" {word}"
        text = (
            _added(count, word)
            if verb == "added"
            else Markup("<b>{}</b>{} {}").format(f"{count:,}", said, verb)
        )
        parts.append(text + (more or {}).get(verb, Markup("")))
    return Markup(", ").join(parts)


def _added(count: int, word: str) -> Markup:
    from markupsafe import Markup

    return Markup("<b>+{}</b> {}").format(f"{count:,}", word)


def _by_class(by_class: Mapping[str, ClassDiff]) -> Markup:
    """Name the classes that most figures had before: ``(car 31, bus 14)``."""
    from markupsafe import Markup

    counts = [(name, diff.relabelled_out) for name, diff in by_class.items() if diff.relabelled_out]
    if not counts:
        return Markup("")
    counts.sort(key=lambda entry: (-entry[1], entry[0]))
    named = [
        Markup("<bdi>{}</bdi> {}").format(shown(name, 40), f"{count:,}")
        for name, count in counts[:_MANY_CLASSES]
    ]
    rest = sum(count for _, count in counts[_MANY_CLASSES:])
    if rest:
        named.append(Markup("others {}").format(f"{rest:,}"))
    return Markup(" ({})").format(Markup(", ").join(named))


def _project(diff: VersionDiff) -> Markup:
    from markupsafe import Markup

    parts = [part for part, _ in diff.project.entries()]
    texts = []
    for part in dict.fromkeys(parts):
        count, word = parts.count(part), _PROJECT_WORDS.get(part)
        if word is None:
            texts.append(f"the {part.replace('_', ' ')}")
        else:
            texts.append(f"{count:,} {word if count == 1 else plural_of(word)}")
    return Markup("of the project itself: {}").format(", ".join(texts)) if texts else Markup("")
