"""What only writing tells, tried on projects of our own that are removed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from uuid import uuid4

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.versioning.doctor.bench import OUTSIDE, Bench, Edit, ImageBench, VideoBench
from airflow_sv_versioning.versioning.doctor.findings import FAILS, SLOWER, UNKNOWN, WORKS, Finding
from airflow_sv_versioning.versioning.doctor.subject import Refusal, Subject

Stamps = tuple[bool, bool] | None


class Scratch:
    """Two projects in a workspace, one of images and one of videos, for as long as the block lasts.

    :param left_behind: takes what could not be removed.
    """

    def __init__(self, client: SuperviselyClient, workspace_id: int, left_behind: list[str]) -> None:
        self._client = client
        self._workspace_id = workspace_id
        self._left_behind = left_behind
        self._projects: list[int] = []

    def __enter__(self) -> Scratch:
        try:
            self.images = ImageBench(self._client, self._add("images"))
            self.videos = VideoBench(self._client, self._add("videos"))
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def trials(self) -> Iterator[Callable[[Subject], Iterator[Finding]]]:
        """What is tried, in turn."""
        yield from (self.try_bounds, self.try_null_value, self.try_lost_geometry)
        yield from (self.try_image_stamps, self.try_video_stamps, self.try_reservations)

    def try_bounds(self, _: Subject) -> Iterator[Finding]:
        """Draw outside of an image, without and with the wish not to be checked."""
        plain = self.images.draw(OUTSIDE)
        forced = self.images.draw(OUTSIDE, skipBoundsValidation=True)
        assumption = "figures that reach out of their image can be restored"
        observed = f"added: {_yes(plain)}; with skipBoundsValidation: {_yes(forced)}"
        rules = {"checks_bounds": isinstance(plain, Refusal)}
        if isinstance(forced, Refusal):
            advice = "Versions with figures outside of their images cannot be restored."
            yield Finding("bounds", assumption, observed, FAILS, advice, rules)
        else:
            yield Finding("bounds", assumption, observed, WORKS, rules=rules)

    def try_null_value(self, _: Subject) -> Iterator[Finding]:
        """Tag a video with the value null, and without a value."""
        without, null = self.videos.tag(), self.videos.tag(value=None)
        assumption = "tags without a value can be restored"
        observed = f"added without the member value: {_yes(without)}; with null: {_yes(null)}"
        rules = {"takes_null_values": not isinstance(null, Refusal)}
        if isinstance(without, Refusal):
            advice = "Versions with such tags cannot be restored."
            yield Finding("null_value", assumption, observed, FAILS, advice, rules)
        else:
            yield Finding("null_value", assumption, observed, WORKS, rules=rules)

    def try_lost_geometry(self, subject: Subject) -> Iterator[Finding]:
        """Ask for the geometry of a mask that has none yet."""
        added = self.images.draw(None, "alpha_mask")
        assumption = "a mask whose geometry is lost spoils no other"
        if isinstance(added, Refusal):
            yield Finding("lost_geometry", assumption, f"no mask could be added: {added}", UNKNOWN)
            return
        refusal = self.images.ask_geometry(added[0]["id"])
        observed = f"the request is refused: {refusal}" if refusal else "it is left out of the answer"
        yield Finding("lost_geometry", assumption, observed, SLOWER if refusal else WORKS)

    def try_image_stamps(self, _: Subject) -> Iterator[Finding]:
        """See which edits move the stamps that incremental captures of images rest on."""
        moved = self._moved(self.images)
        yield from _stamps("image", {edit: stamps for edit, stamps in moved.items() if edit.is_of_item}, 0)
        yield from _stamps("project", moved, 1)

    def try_video_stamps(self, _: Subject) -> Iterator[Finding]:
        """See which edits move the stamp of a video."""
        yield from _stamps("video", self._moved(self.videos), 0)

    def _moved(self, bench: Bench) -> dict[Edit, Stamps]:
        return {edit: bench.moves(edit) for edit in bench.edits()}

    def try_reservations(self, _: Subject) -> Iterator[Finding]:
        """Reserve a version twice, list it, and give it back."""
        assumption = "a version can be reserved once, and given back"
        first = self.images.write("projects.versions.reserve", projectId=self.images.project_id)
        if isinstance(first, Refusal):
            yield Finding("reservation", assumption, f"refused: {first}", FAILS, "No version can be made.")
            return
        second = self.images.write("projects.versions.reserve", projectId=self.images.project_id)
        listed = self.images.write("projects.versions.list", projectId=self.images.project_id, filter=[])
        back = self.images.write("projects.versions.cancel-reservation", **first)
        is_listed = isinstance(listed, dict) and any(
            entity.get("id") == first.get("id") for entity in listed.get("entities") or []
        )
        observed = f"a second time: {_yes(second)}; listed: {_yes(is_listed)}; given back: {_yes(back)}"
        is_right = isinstance(second, Refusal) and not isinstance(back, Refusal)
        advice = "" if is_right else "Two tasks at once may make each other's versions fail."
        rules = {"lists_reservations": is_listed}
        yield Finding("reservation", assumption, observed, WORKS if is_right else FAILS, advice, rules)

    def _add(self, project_type: str) -> int:
        name = f"sv-versioning doctor {uuid4().hex[:8]}"
        project = self._client.projects.add(self._workspace_id, name, project_type, "Made to be removed.")
        self._projects.append(project.id)
        return project.id

    def _remove(self) -> None:
        for project_id in self._projects:
            try:
                self._client.projects.archive(project_id)
            except SuperviselyError as error:
                self._left_behind.append(f"project {project_id}: {error.kind}")


def _yes(answer: object) -> str:
    return str(answer) if isinstance(answer, Refusal) else "no" if answer is False else "yes"


def _stamps(whose: str, moved: Mapping[Edit, Stamps], index: int) -> Iterator[Finding]:
    still = [edit.what for edit, stamps in moved.items() if stamps and not stamps[index]]
    refused = [edit.what for edit, stamps in moved.items() if stamps is None]
    assumption = f"updatedAt of the {whose} moves with each edit of it"
    observed = f"not moved by: {', '.join(still)}" if still else "moved by every edit"
    if refused:
        observed += f"; refused: {', '.join(refused)}"
    advice = "Such changes would be missed: make versions with capture='full'." if still else ""
    yield Finding(f"stamp.{whose}", assumption, observed, FAILS if still else WORKS, advice)
