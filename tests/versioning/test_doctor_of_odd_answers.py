"""What a doctor says where an instance refuses, leaves out or makes up what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from airflow_sv_versioning.exceptions import CancelledError
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.versioning.doctor import diagnose, instance, item_annotations, listings, versions
from airflow_sv_versioning.versioning.doctor.scratch import Scratch
from airflow_sv_versioning.versioning.doctor.subject import Subject
from tests.support.clients import impatient_client
from tests.support.proxy import Exchange, Fault, Reply, alter, answer, first, refuse
from tests.support.typed_projects import MAKERS
from tests.support.types import Client, TempFolders, Versions, Wire


@dataclass(frozen=True)
class Patient:
    """A server behind a wire, with a project of images with a version, one of videos, and an empty one."""

    client: Client
    token: str
    wire: Wire
    projects: Mapping[str, int]

    def subject(self, kind: str) -> Subject:
        project = self.client.projects.get(self.projects[kind])
        return Subject(self.client, project=project, datasets=list(self.client.datasets.list_all(project.id)))

    def answer_with(self, method: str, *faults: Fault) -> None:
        """Break the requests for a method, one fault each, and all later ones by the last."""
        self.wire.on(method, *faults[:-1])
        self.wire.always(method, faults[-1])


@pytest.fixture(scope="module")
def bed(tmp_path_factory: TempFolders) -> Iterator[Patient]:
    folder = tmp_path_factory.mktemp("patient")
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer(folder / "server"))
        wire = stack.enter_context(Wire(server.info.url))
        client = stack.enter_context(impatient_client(wire.url, server.info.token))
        projects = {kind: MAKERS[kind](client, folder) for kind in ("images", "videos")}
        projects["empty"] = client.projects.add(1, "empty", "videos").id
        client.datasets.add(projects["empty"], "nothing here")
        Versions(client).create(projects["images"])
        yield Patient(client, server.info.token, wire, projects)


@pytest.fixture
def ill(bed: Patient) -> Iterator[Patient]:
    yield bed
    bed.wire.heal()


REFUSED = refuse(403)
NO_PARTS = Reply(200, {"Content-Type": "multipart/form-data; boundary=b"})


def nothing(_: Exchange) -> Reply:
    return answer(200, {})


def forward(exchange: Exchange) -> Reply:
    return exchange.forward()


def entities(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    return alter(lambda told: {**told, "entities": [change(entity) for entity in told["entities"]]})


def to_the_first_page(exchange: Exchange) -> Reply:
    """Give the first page once more where the cursor says that it leads on."""
    reply = exchange.forward()
    return answer(200, {**reply.json, "entities": [{"id": 1}]}) if "after" in exchange.request.json else reply


def files(**changes: Any) -> Fault:
    return alter(lambda told: [{**file, **changes} for file in told])


ANNOTATIONS = (item_annotations.check_annotations, "videos.annotations.bulk.info")
CURSOR = (listings.check_cursor, "videos.list")
FIELDS = (listings.check_figure_fields, "figures.list")
HASHES = (instance.check_hashes, "images.internal.hashes.list")
FOLDER = (versions.check_folder, "file-storage.list")


@pytest.mark.parametrize(
    ("kind", "question", "faults", "verdict", "observed"),
    [
        ("images", (instance.check_load, "users.me"), [forward, REFUSED], "slower", "19 refused: status 403"),
        ("images", (instance.check_absence, "projects.info"), [nothing], "fails", "as if it were there"),
        ("images", (instance.check_absence, "projects.info"), [refuse(409)], "unknown", "status 409"),
        ("images", (instance.check_plan, "teams.info"), [forward], "unknown", "the plan is not told"),
        ("images", HASHES, [REFUSED], "works", "refused"),
        ("images", HASHES, [nothing], "works", "refused"),
        ("videos", ANNOTATIONS, [REFUSED], "fails", "refused: status 403"),
        ("videos", ANNOTATIONS, [alter(lambda told: told[::-1])], "works", "in another order"),
        ("videos", ANNOTATIONS, [alter(lambda told: told[1:])], "fails", "1 came for 2"),
        ("empty", ANNOTATIONS, [forward], "unknown", "the project has no items"),
        ("empty", CURSOR, [forward], "unknown", "no two items"),
        ("videos", CURSOR, [forward, REFUSED], "slower", "refused: status 403"),
        ("videos", CURSOR, [alter(lambda told: {**told, "after": None})], "slower", "after is null"),
        ("videos", CURSOR, [to_the_first_page], "fails", "leads elsewhere than page 2"),
        ("images", FIELDS, [entities(lambda told: {"id": told["id"]})], "fails", "customData, description"),
        ("empty", FIELDS, [forward], "unknown", "no figures to look at"),
        ("images", (listings.check_coordinates, "figures.list"), [REFUSED], "fails", "refused: status 403"),
        ("empty", (listings.check_coordinates, "figures.list"), [forward], "unknown", "no figure"),
        ("images", FOLDER, [refuse(404)], "works", "no version has been made"),
        ("images", FOLDER, [files(hash=None)], "unknown", "no hash is told"),
        ("images", FOLDER, [files(hash="x")], "fails", "another than that of the downloaded file"),
    ],
)
def test_an_odd_answer_is_told(kind, question, faults, verdict, observed, ill: Patient):
    check, method = question
    subject = ill.subject(kind)
    ill.answer_with(method, *faults)

    *_, finding = check(subject)

    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding


ADDING = "figures.bulk.add"


@pytest.mark.parametrize(
    ("trial", "method", "fault", "verdict", "observed"),
    [
        (Scratch.try_bounds, ADDING, REFUSED, "fails", "with skipBoundsValidation: status 403"),
        (Scratch.try_null_value, "videos.tags.bulk.add", REFUSED, "fails", "without value: status 403"),
        (Scratch.try_lost_geometry, ADDING, REFUSED, "unknown", "no mask could be added: status 403"),
        (
            Scratch.try_lost_geometry,
            "figures.bulk.download.geometry",
            lambda _: NO_PARTS,
            "works",
            "it is left out",
        ),
    ],
)
def test_what_cannot_be_written_is_told(trial, method, fault, verdict, observed, ill: Patient):
    with Scratch(ill.client, 1, []) as scratch:
        ill.wire.always(method, fault)
        [finding] = trial(scratch, Subject(ill.client))

    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding


def test_an_answer_that_is_empty_spoils_no_other_question(ill: Patient):
    ill.wire.always(ADDING, alter(lambda _: []))

    found = {finding.name: finding for finding in diagnose(ill.client, None, 1).findings}

    for name in ("lost_geometry", "image_stamps", "video_stamps", "volume_stamps"):
        assert (found[name].verdict, "another shape" in found[name].observed) == ("unknown", True), name
    assert found["reservation"].verdict == "works"


def test_one_method_that_wants_another_token_spoils_no_other_question(ill: Patient):
    healthy = {finding.name for finding in diagnose(ill.client, ill.projects["images"]).findings}
    ill.wire.always("images.list", refuse(401))

    found = {finding.name: finding for finding in diagnose(ill.client, ill.projects["images"]).findings}

    assert set(found) == healthy
    assert (found["page_size"].verdict, found["page_size"].observed) == ("unknown", "authentication")


def test_somebody_who_stops_the_questions_gets_no_diagnosis(ill: Patient):
    with impatient_client(ill.wire.url, ill.token) as client:
        ill.wire.on("projects.versions.list", first(client.interrupt))

        with pytest.raises(CancelledError):
            diagnose(client, ill.projects["images"])
