"""What only writing tells, tried on projects of our own that are removed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.versioning.doctor.bench import OUTSIDE, Bench, Edit, ImageBench
from airflow_sv_versioning.versioning.doctor.findings import FAILS, SLOWER, UNKNOWN, WORKS, Finding, Question
from airflow_sv_versioning.versioning.doctor.object_bench import VideoBench, VolumeBench
from airflow_sv_versioning.versioning.doctor.subject import Refusal, Subject
from airflow_sv_versioning.versioning.reuse import KNOWN_TO_MOVE

Stamps = tuple[bool, bool] | None

EXPIRY_STEP = 10.0
"""Seconds between two looks whether a reservation has expired."""


@dataclass
class Scratch:
    """Three projects in a workspace, one of each type, for as long as the block lasts.

    :param left_behind: takes what could not be removed.
    :param expiry_wait_seconds: how long to wait for a reservation to expire; 0 leaves that out.
    """

    client: SuperviselyClient
    workspace_id: int
    left_behind: list[str]
    expiry_wait_seconds: float = 0.0
    projects: list[int] = field(default_factory=list, init=False)

    def __enter__(self) -> Scratch:
        try:
            self.images = ImageBench(self.client, self._add("images"))
            self.videos = VideoBench(self.client, self._add("videos"))
            self.volumes = VolumeBench(self.client, self._add("volumes"))
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def trials(self) -> Iterator[Callable[[Subject], Iterator[Finding]]]:
        """What is tried, in turn."""
        yield from (self.try_bounds, self.try_null_value, self.try_lost_geometry)
        yield from (self.try_image_stamps, self.try_video_stamps, self.try_volume_stamps)
        yield from (self.try_reservations, self.try_expiry)

    def try_bounds(self, _: Subject) -> Iterator[Finding]:
        """Draw outside of an image, without and with the wish not to be checked."""
        plain = self.images.draw(OUTSIDE)
        forced = self.images.draw(OUTSIDE, skipBoundsValidation=True)
        observed = f"added: {_yes(plain)}; with skipBoundsValidation: {_yes(forced)}"
        advice = "Versions with figures outside of their images cannot be restored."
        ask = Question("bounds", "figures outside of their image can be restored")
        checks = isinstance(plain, Refusal)
        yield ask.judge(observed, isinstance(forced, Refusal), advice, checks_bounds=checks)

    def try_null_value(self, _: Subject) -> Iterator[Finding]:
        """Tag a video with the value null, and without a value."""
        without, null = self.videos.tag(), self.videos.tag(value=None)
        observed = f"added without value: {_yes(without)}; with null: {_yes(null)}"
        advice = "Versions with such tags cannot be restored."
        ask = Question("null_value", "tags without a value can be restored")
        takes_null = not isinstance(null, Refusal)
        yield ask.judge(observed, isinstance(without, Refusal), advice, takes_null_values=takes_null)

    def try_lost_geometry(self, subject: Subject) -> Iterator[Finding]:
        """Ask for the geometry of a mask that has none yet."""
        added = self.images.draw(None, "alpha_mask")
        ask = Question("lost_geometry", "a mask whose geometry is lost spoils no other")
        if isinstance(added, Refusal):
            yield ask.answer(f"no mask could be added: {added}", UNKNOWN)
            return
        refusal = self.images.ask_geometry(added[0]["id"])
        observed = f"the request is refused: {refusal}" if refusal else "it is left out of the answer"
        yield ask.judge(observed, refusal, "Each lost geometry takes some requests more.", SLOWER)

    def try_image_stamps(self, _: Subject) -> Iterator[Finding]:
        """See which edits move the stamps of an image and of its project."""
        moved = self._moved(self.images)
        of_image = {edit: stamps for edit, stamps in moved.items() if edit.is_of_item}
        yield _item_stamps("image", "images", of_image)
        yield _project_stamps(moved)

    def try_video_stamps(self, _: Subject) -> Iterator[Finding]:
        """See which edits move the stamp of a video."""
        yield _item_stamps("video", "videos", self._moved(self.videos))

    def try_volume_stamps(self, _: Subject) -> Iterator[Finding]:
        """See which edits move the stamp of a volume."""
        yield _item_stamps("volume", "volumes", self._moved(self.volumes))

    def _moved(self, bench: Bench) -> dict[Edit, Stamps]:
        return {edit: bench.moves(edit) for edit in bench.edits()}

    def try_reservations(self, _: Subject) -> Iterator[Finding]:
        """Reserve a version twice, list it, and give it back."""
        ask = Question("reservation", "a version can be reserved once, and given back")
        first = self._reserve()
        if isinstance(first, Refusal):
            yield ask.answer(f"refused: {first}", FAILS, "No version can be made.")
            return
        second = self._reserve()
        page = self.images.write("projects.versions.list", projectId=self.images.project_id, filter=[])
        cancel_answer = self.images.write("projects.versions.cancel-reservation", **first)
        is_listed = isinstance(page, dict) and any(
            entity.get("id") == first.get("id") for entity in page.get("entities") or []
        )
        observed = (
            f"a second time: {_yes(second)}; listed: {_yes(is_listed)}; given back: {_yes(cancel_answer)}"
        )
        is_wrong = not isinstance(second, Refusal) or isinstance(cancel_answer, Refusal)
        advice = "Two tasks at once may make each other's versions fail."
        yield ask.judge(observed, is_wrong, advice, lists_reservations=is_listed)

    def try_expiry(self, _: Subject) -> Iterator[Finding]:
        """Reserve a version, leave it, and see when another can be reserved."""
        ask = Question("expiry", "a reservation that nobody gives back expires")
        if not self.expiry_wait_seconds:
            yield ask.answer("not tried", UNKNOWN, "Say with --expiry-wait how many seconds to wait for it.")
            return
        if isinstance(self._reserve(), Refusal) or not isinstance(self._reserve(), Refusal):
            yield ask.answer("reservations are not as expected: see above", UNKNOWN)
            return
        waited = 0.0
        while waited < self.expiry_wait_seconds:
            step = min(EXPIRY_STEP, self.expiry_wait_seconds - waited)
            self.client.pause(step)
            waited += step
            if not isinstance(self._reserve(), Refusal):
                yield ask.answer(f"within {waited:.0f} seconds", WORKS)
                return
        advice = "What a killed task held, its next try or `sv-versioning release` gives back."
        yield ask.answer(f"not within {waited:.0f} seconds", UNKNOWN, advice)

    def _reserve(self) -> Any:
        return self.images.write("projects.versions.reserve", projectId=self.images.project_id)

    def _add(self, project_type: str) -> int:
        name = f"sv-versioning doctor {uuid4().hex[:8]}"
        project = self.client.projects.add(self.workspace_id, name, project_type, "Made to be removed.")
        self.projects.append(project.id)
        return project.id

    def _remove(self) -> None:
        for project_id in self.projects:
            try:
                # Also for somebody who does not want to wait any longer.
                with self.client.finishing():
                    self.client.projects.archive(project_id)
            except SuperviselyError as error:
                self.left_behind.append(f"project {project_id}: {error.kind}")


def _yes(answer: object) -> str:
    return str(answer) if isinstance(answer, Refusal) else "no" if answer is False else "yes"


_NO_VERSION = "After such a change alone the server makes no version; change the project's description, too."


def _item_stamps(item: str, project_type: str, moved: Mapping[Edit, Stamps]) -> Finding:
    ask = Question(f"stamp.{item}", f"updatedAt of the {item} moves with each edit of it")
    outcome = _Outcome.of(moved, 0)
    observed = outcome.observed()
    moving = [] if outcome.unmoved else [project_type]
    answer = partial(ask.answer, observed, stamps_of_annotated_items_move=moving)
    if project_type in KNOWN_TO_MOVE:
        advice = "Such changes would be missed: make versions with capture='full'."
        return answer(FAILS, advice) if outcome.unmoved else answer(WORKS)
    if outcome.unmoved or outcome.refused:
        return answer(SLOWER, f"Versions read {project_type} in full; do not ask for capture='incremental'.")
    extra = f'"trusted_stamps": ["{project_type}"]'
    who = f"With {extra} in the connection's extra, or --capture incremental, versions of {project_type}"
    return answer(WORKS, f"{who} read only what changed.")


def _project_stamps(moved: Mapping[Edit, Stamps]) -> Finding:
    ask = Question("stamp.project", "updatedAt of the project moves with each edit of it")
    outcome = _Outcome.of(moved, 1)
    return ask.judge(outcome.observed(), outcome.unmoved, _NO_VERSION)


@dataclass(frozen=True)
class _Outcome:
    """What edits did to a stamp.

    :param unmoved: those that left it alone.
    :param refused: those that the server does not know.
    """

    unmoved: Sequence[str]
    refused: Sequence[str]

    @classmethod
    def of(cls, moved: Mapping[Edit, Stamps], index: int) -> _Outcome:
        """Take the item's stamp, which is the first, or the project's out of what was seen."""
        unmoved = [edit.what for edit, stamps in moved.items() if stamps and not stamps[index]]
        return cls(unmoved, [edit.what for edit, stamps in moved.items() if stamps is None])

    def observed(self) -> str:
        """Say it in a few words."""
        observed = f"not moved by: {', '.join(self.unmoved)}" if self.unmoved else "moved by every edit"
        return f"{observed}; refused: {', '.join(self.refused)}" if self.refused else observed
