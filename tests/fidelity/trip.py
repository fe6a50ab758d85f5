"""One project's way: onto a server, into a version, back as a new project, held against the source."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fidelity.building import build
from tests.fidelity.losses import held
from tests.fidelity.media import Media, stored_media
from tests.fidelity.reading import read
from tests.fidelity.rest import Rest
from tests.fidelity.sdk_losses import left_by_sdk
from tests.fidelity.values import Project, describe
from tests.support.compare import differences
from tests.support.sdk import SdkProcess
from tests.support.types import Client, Made, Server, Versions

FORMATS = {"images": ("v2.1.0", "v1.0.0"), "videos": ("v2.1.0", "v2.0.0"), "volumes": ("v2.1.0", "v2.0.0")}
"""What a project of a type can be archived in, the newest first."""


MAX_TOLD = 10


class UnequalError(AssertionError):
    """What came back is not what was there; the text says what differs, and in which project."""


@dataclass(frozen=True)
class RoundTrip:
    """What projects are sent round with."""

    server: Server
    client: Client
    versions: Versions
    rest: Rest
    media: Media

    def check(
        self, project: Project, formats: tuple[str, ...] = (), *, reader: SdkProcess | None = None
    ) -> None:
        """Bring a project into a version and back, in each format.

        :param reader: lets the official SDK bring the versions back, too.
        :raises UnequalError: something is lost, changed or new.
        """
        source_id = build(self.rest, self.media, self.server.workspace_id, project)
        source = read(self.rest, source_id)
        digests: set[str | None] = set()
        for archive_format in formats or FORMATS[project.type]:
            with _naming(archive_format, project):
                made = self._create(source_id, archive_format)
                version_id = made.version_id
                digests.add(made.content_digest)
                assert len(digests) == 1, "the digest of the content depends on the format"
                restored = self.versions.restore(source_id, version_id, verify="full")
                _compare(held(read(self.rest, restored.project_id)), held(source))
                assert restored.warnings or held(source) == source, "what is lost is not named"
            if reader:
                with _naming(f"{archive_format}, restored by the official SDK", project):
                    known = {"project_id": source_id, "version_id": version_id}
                    restored_id = reader.call(self.server, "restore_unhurried", **known)
                    _compare(left_by_sdk(held(read(self.rest, restored_id))), left_by_sdk(held(source)))

    def _create(self, source_id: int, archive_format: str) -> Made:
        # A version of an unchanged project would be the one before, in the format that it has.
        self.rest.call("projects.editInfo", {"id": source_id, "description": f"as {archive_format}"})
        made = self.versions.create(source_id, archive_format=archive_format)
        assert made.created
        assert made.archive_format == archive_format
        return made


def _compare(found: Any, wanted: Any) -> None:
    unequal = list(differences(found, wanted))
    assert not unequal, "\n  ".join([f"{len(unequal)} differences", *unequal[:MAX_TOLD]])


@contextmanager
def _naming(way: str, project: Project) -> Iterator[None]:
    """Say of whatever goes wrong on which way it did, and with which project."""
    try:
        yield
    except Exception as error:
        what = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        raise UnequalError(f"{way}: {what}\n  {describe(project)}") from error


@contextmanager
def round_trips(server: Server, folder: Path) -> Iterator[RoundTrip]:
    """Prepare a server: connections, and the files that all projects are made of."""
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

    rest = Rest(server.url, server.token)
    with (
        SuperviselyClient(server.url, server.token, private_links=True) as client,
        stored_media(rest, folder) as media,
    ):
        yield RoundTrip(server, client, ProjectVersions(client), rest, media)
    rest.close()
