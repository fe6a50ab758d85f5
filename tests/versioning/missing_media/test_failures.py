"""Restores of missing media that fail half-way: nothing is left, and nothing lands twice."""

from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import (
    CancelledError,
    IntegrityError,
    MissingMediaError,
    SuperviselyError,
)
from airflow_sv_versioning.restore.placeholders import PLACEHOLDERS
from airflow_sv_versioning.vault.proof import hex_digest
from airflow_sv_versioning.vault.vault import Vault
from tests.support.clients import impatient_client
from tests.support.missing_media import Filled
from tests.support.projects import count_projects
from tests.support.proxy import Request, alter, first, lose_answer, refuse
from tests.support.types import Client, Patch, Server, Versions, Wire

UPLOADS = {"images": "images.bulk.upload", "videos": "videos.bulk.upload", "volumes": "images.bulk.upload"}
TAGS = {
    "images": "tags.entities.bulk.add",
    "videos": "videos.tags.bulk.add",
    "volumes": "volumes.tags.bulk.add",
}


@pytest.fixture
def wire(server: Server):
    with Wire(server.url) as proxy:
        yield proxy


@pytest.fixture
def wired(wire, server: Server):
    with impatient_client(wire.url, server.token) as client:
        yield Versions(client)


@pytest.fixture
def untouched(client: Client):
    """Check that a test leaves no project."""
    projects = count_projects(client)
    yield
    assert count_projects(client) == projects


@pytest.fixture
def damaged(filled: Filled, lose, tmp_path: Path):
    """A copy of the vault in which one content is not what its name says."""
    (path,) = lose(1)
    content_hash = filled.hashes[path]
    digest = hex_digest(content_hash)
    file = tmp_path / "media" / digest[:2] / digest
    file.parent.mkdir(parents=True)
    original = b"".join(Vault(filled.vault).iter_chunks(content_hash))
    file.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    return tmp_path


def test_a_damaged_original_is_not_put_back(filled: Filled, damaged, versions: Versions, untouched):
    with pytest.raises(IntegrityError):
        versions.restore(*filled.version, missing_entities="reupload", vault=damaged)


def test_a_server_that_vault_something_else_is_noticed(filled: Filled, lose, wire, wired, untouched):
    lose(1)
    wire.always(UPLOADS[filled.type], alter(lambda answer: [{**answer[0], "hash": "A" * 43 + "="}]))

    with pytest.raises(IntegrityError, match="The server stored"):
        wired.restore(*filled.version, missing_entities="reupload")


def test_an_upload_that_is_refused_leaves_nothing(filled: Filled, lose, wire, wired, untouched):
    lose(1)
    wire.always(UPLOADS[filled.type], refuse(400))

    with pytest.raises(SuperviselyError):
        wired.restore(*filled.version, missing_entities="reupload")


def test_an_upload_whose_answer_is_lost_is_sent_again(filled: Filled, lose, wire, wired):
    lose(1)
    wire.on(UPLOADS[filled.type], lose_answer())

    restored = wired.restore(*filled.version, missing_entities="reupload", verify="full")

    assert len(restored.reuploaded) == 1


def test_a_stop_between_uploads_leaves_nothing(filled: Filled, lose, versions: Versions, untouched):
    lose(2)
    log: list[str] = []

    with pytest.raises(CancelledError):
        versions.restore(
            *filled.version,
            missing_entities="placeholder",
            report=log.append,
            should_stop=lambda: any(line.startswith("Missing: ") for line in log),
        )


def test_a_mark_whose_answer_is_lost_is_set_once(filled: Filled, lose, wire, wired):
    lose(2)
    lost: list[Request] = []

    def lose_first_mark(exchange):
        # Of all tags in these projects, only the mark has no value.
        if not lost and all(tag.get("value") is None for tag in exchange.request.json["tags"]):
            lost.append(exchange.request)
            return lose_answer()(exchange)
        return exchange.forward()

    wire.always(TAGS[filled.type], lose_first_mark)

    restored = wired.restore(*filled.version, missing_entities="placeholder", verify="full")

    assert len(lost) == 1
    assert len(restored.placeholders) == 2


def test_a_tag_that_is_refused_undoes_the_restore(filled: Filled, lose, wire, wired, untouched):
    lose(1)
    wire.always(TAGS[filled.type], refuse(400))

    with pytest.raises(SuperviselyError):
        wired.restore(*filled.version, missing_entities="placeholder")


def test_an_item_of_unknown_size_is_told_before_anything_is_made(
    filled: Filled, lose, versions: Versions, untouched, monkeypatch: Patch
):
    lost = lose(2)
    monkeypatch.setattr(type(PLACEHOLDERS[filled.type]), "shape_of", lambda self, row: None)

    with pytest.raises(MissingMediaError, match="does not tell a size") as caught:
        versions.restore(*filled.version, missing_entities="placeholder")

    assert sorted(caught.value.missing) == lost


def test_a_version_without_a_vault_says_so(
    filled: Filled, lose, versions: Versions, client: Client, untouched
):
    from tests.support.projects import touch

    touch(client, filled.project_id)
    bare = versions.create(filled.project_id)
    lose(1)

    with pytest.raises(MissingMediaError, match="no vault was given, and the version names none"):
        versions.restore(filled.project_id, bare.version_id, missing_entities="reupload")


def test_the_word_of_the_sdk_means_skip(filled: Filled, lose, versions: Versions):
    lost = lose(1)

    assert list(versions.restore(*filled.version, skip_missed_entities=True).skipped) == lost


@pytest.fixture
def vanishing(lose, wire):
    """The paths of what goes when a restore has begun to make its project."""
    lost: list[str] = []
    wire.on("datasets.add", first(lambda: lost.extend(lose(1))))
    return lost


def test_a_file_that_goes_during_a_restore_is_named(filled: Filled, vanishing, wired, untouched):
    with pytest.raises(MissingMediaError, match=r"cannot make 1 of \d+ .*missing_entities='skip'") as raised:
        wired.restore(*filled.version)

    assert raised.value.missing == vanishing
    assert filled.hashes[vanishing[0]] in str(raised.value)


@pytest.mark.parametrize(("policy", "told"), [("skip", "skipped"), ("reupload", "reuploaded")])
def test_a_file_that_goes_during_a_restore_is_treated_as_asked(
    policy, told, filled: Filled, vanishing, wired
):
    restored = wired.restore(*filled.version, missing_entities=policy)

    assert list(getattr(restored, told)) == vanishing
