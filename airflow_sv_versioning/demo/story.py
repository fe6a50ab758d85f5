"""What the demo does, step by step, and what must hold after each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.demo import changes
from airflow_sv_versioning.demo.airflow_runs import AirflowRuns, XComs
from airflow_sv_versioning.demo.background import check_finished, finish_import, start_import
from airflow_sv_versioning.demo.content import Content, differences, read_content
from airflow_sv_versioning.demo.load import LoadedProject, annotate, load_folder
from airflow_sv_versioning.demo.photographs import LATE_FOLDER
from airflow_sv_versioning.demo.steps import Step, Steps
from airflow_sv_versioning.exceptions import IntegrityError
from airflow_sv_versioning.versioning import ProjectVersions

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient

BACKUP, RERUN, TRAINING = "pre_training_backup", "reproducible_rerun", "train_on_version"
_BY_CHANCE = 0.5
_RESTORE, _USE = "experiment.restore_version", "experiment.operation.rerun"


@dataclass(frozen=True)
class Story:
    """A project is backed up, left alone, changed, and brought back as it was.

    :param project: loaded, without versions.
    :param data_sets: takes what is exported.
    """

    client: SuperviselyClient
    workspace_id: int
    project: LoadedProject
    runs: AirflowRuns
    steps: Steps
    data_sets: Path

    def tell(self) -> None:
        """Do all of it.

        :raises IntegrityError: something is not as it should be.
        """
        with self.steps.step("Back up") as step:
            first = self._first_backup(step)
            # What version 1 must bring back, read from the project and not from the archive.
            then = self._read()
        with self.steps.step("Back up again") as step:
            self._backup_of_unchanged(step, first)
        with self.steps.step("Correct annotations") as step:
            now = self._correct(step, then)
        with self.steps.step("Back up once more") as step:
            self._backup_of_changed(step, first, now)
        with self.steps.step("Restore and rerun") as step:
            restored_id = self._restore(step, first)
        with self.steps.step("Compare") as step:
            self._compare(step, restored_id, then)
        with self.steps.step("Train") as step:
            self._train(step)

    def _first_backup(self, step: Step) -> Mapping[str, Any]:
        project_id, client = self.project.id, self.client
        clone_id = client.projects.clone(project_id, self.workspace_id, f"{self.project.name}, a copy")
        import_id = start_import(client, self.workspace_id, project_id)
        importing = [import_id]

        def work_while_airflow_waits(line: str) -> None:
            if importing and "Waiting for" in line and f"(id {import_id}, " in line:
                importing.clear()
                finish_import(client, import_id, lambda: load_folder(client, self.project, LATE_FOLDER))

        version = self._backup(work_while_airflow_waits)
        expect(not importing, f"The backup did not wait for task {import_id}.", task_id=import_id)
        check_finished(client.tasks.get(clone_id))
        self._expect_version(version, number=1, created=True)
        step.result = f"{_described(version)}, after tasks {clone_id} and {import_id}"
        return version

    def _backup_of_unchanged(self, step: Step, first: Mapping[str, Any]) -> None:
        version = self._backup()
        self._expect_version(version, number=1, created=False)
        is_same = version["version_id"] == first["version_id"]
        expect(is_same, f"An unchanged project gave version id {version['version_id']}.")
        step.result = f"version 1 (id {version['version_id']}) {version['status']}"

    def _correct(self, step: Step, then: Content) -> Content:
        for photograph in changes.corrected():
            annotate(self.client, self.project, photograph)
        now = self._read()
        changed = differences(then, now)
        expect(len(changed) == len(changes.corrected()), f"The corrections changed {changed}.")
        step.result = changes.SUMMARY
        return now

    def _backup_of_changed(self, step: Step, first: Mapping[str, Any], now: Content) -> None:
        version = self._backup()
        self._expect_version(version, number=2, created=True)
        expect(version["version_id"] != first["version_id"], "Version 2 has the id of version 1.")
        expect(self._read() == now, "The backup changed the project.")
        step.result = _described(version)

    def _restore(self, step: Step, first: Mapping[str, Any]) -> int:
        xcoms = self.runs.run(
            RERUN,
            {
                "project_id": self.project.id,
                "version_id": first["version_id"],
                # It is compared in the next step.
                "keep_restored_project": True,
            },
            [(_RESTORE, "return_value"), (_RESTORE, "restore"), (_USE, "return_value")],
        )
        restored: dict[str, Any] = xcoms[f"{_RESTORE}.restore"]
        project_id = int(xcoms[f"{_RESTORE}.return_value"])
        expect(project_id != self.project.id, "The restore went into the source project.")
        expect(xcoms[f"{_USE}.return_value"] == first["counts"]["images"], "The task saw other images.")
        name = restored["project_name"]
        step.result = f"version 1 as project {project_id} '{name}', used by a task"
        return project_id

    def _compare(self, step: Step, restored_id: int, then: Content) -> None:
        restored, now = read_content(self.client, restored_id), self._read()
        lost = differences(restored, then)
        expect(not lost, f"Project {restored_id} is not what version 1 was: {lost}.", project_id=restored_id)
        expect(restored.digest == then.digest, f"Project {restored_id} has another digest than version 1.")
        changed = differences(restored, now)
        expect(bool(changed), f"Project {self.project.id} is still as in version 1.")
        step.result = (
            f"project {restored_id} is what version 1 was; "
            f"project {self.project.id} now differs in {len(changed)} images"
        )

    def _train(self, step: Step) -> None:
        xcoms = self.runs.run(
            TRAINING,
            {"project_id": self.project.id, "data_sets": str(self.data_sets)},
            [("create_version", "version"), ("export", "return_value"), ("train", "return_value")],
        )
        version, data_set, trained = xcoms.values()
        self._expect_version(version, number=2, created=False)
        is_same = trained["version"]["version_id"] == version["version_id"]
        expect(is_same, f"The training names {trained['version']}, the backup was {version['version_id']}.")
        items = sum(part["items"] for part in data_set["parts"].values())
        expect(items == version["counts"]["images"], f"The data set has {items} images.")
        accuracy = trained["balanced_accuracy"]
        expect(accuracy > _BY_CHANCE, f"The model is as good as chance: {accuracy}.")
        parts = ", ".join(f"{part['items']} in {name}" for name, part in data_set["parts"].items())
        step.result = f"version 2 as COCO ({parts}), balanced accuracy {accuracy}"

    def _backup(self, on_line: Any = None) -> Mapping[str, Any]:
        xcoms: XComs = self.runs.run(
            BACKUP,
            {"project_id": self.project.id},
            [("create_version", "return_value"), ("create_version", "version"), ("train", "return_value")],
            on_line,
        )
        version: dict[str, Any] = xcoms["create_version.version"]
        trained_on = xcoms["train.return_value"]["version_id"]
        handed_on = xcoms["create_version.return_value"] == version["version_id"] == trained_on
        expect(handed_on, f"Version {version['version_id']} was made, the training got {trained_on}.")
        return version

    def _expect_version(self, version: Mapping[str, Any], *, number: int, created: bool) -> None:
        as_expected = (version["version_num"], version["created"]) == (number, created)
        expect(as_expected, f"Expected version {number}, created {created}; got {dict(version)}.")
        versions = ProjectVersions(self.client)
        numbers = sorted(info.version_num for info in versions.get_list(self.project.id))
        expect(numbers == list(range(1, number + 1)), f"The server lists versions {numbers}.")

    def _read(self) -> Content:
        return read_content(self.client, self.project.id)


def expect(condition: bool, message: str, **context: Any) -> None:
    """Go on only if it holds.

    :raises IntegrityError: it does not.
    """
    if not condition:
        raise IntegrityError(message, **context)


def _described(version: Mapping[str, Any]) -> str:
    return (
        f"version {version['version_num']} (id {version['version_id']}) {version['status']}: "
        f"{version['counts']['images']} images, {version['counts']['figures']} figures"
    )
