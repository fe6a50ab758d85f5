"""The platform's REST API, without Airflow and without knowledge of snapshots.

Which methods there are, what they take and answer, and how sure each is: ``docs/protocol.md``.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from airflow_sv_versioning.client.item_types import check_types

if TYPE_CHECKING:
    from airflow_sv_versioning.client.transport import Transport


class SuperviselyClient:
    """One user's access to one server; may be shared by threads.

    :param server_address: with or without scheme and port.
    :param token: the user's API token.
    :param timeout: seconds to wait for the next bytes of an answer.
    :param verify_ssl: check the certificates of servers.
    :param ca_file: certificates of the CAs to believe, in PEM form; by default what ``REQUESTS_CA_BUNDLE``,
        ``CURL_CA_BUNDLE`` or ``SSL_CERT_FILE`` name, else the public ones.
    :param max_workers: requests that may run at the same time; by default seven to the vendor's cloud, as
        the official client has it, and eight to others.
    :param private_links: contact links of items that lead into private networks, too.
    :param trusted_stamps: types of projects, such as ``videos``, whose items' ``updatedAt`` this server was
        seen to move with every edit; versions of such projects read only what changed.
    :raises ConfigurationError: address, token, CA file or a type cannot be right.
    """

    def __init__(
        self,
        server_address: str,
        token: str,
        *,
        timeout: float = 60.0,
        verify_ssl: bool = True,
        ca_file: str | None = None,
        max_workers: int | None = None,
        private_links: bool = False,
        trusted_stamps: Collection[str] | None = None,
        transport: Transport | None = None,
    ) -> None:
        # `requests` is heavy, and Airflow imports this module while it reads DAG files.
        from airflow_sv_versioning.client.accounts import Accounts
        from airflow_sv_versioning.client.datasets import Datasets
        from airflow_sv_versioning.client.figures import Figures
        from airflow_sv_versioning.client.files import Files
        from airflow_sv_versioning.client.images import Images
        from airflow_sv_versioning.client.links import Links
        from airflow_sv_versioning.client.media import Media
        from airflow_sv_versioning.client.objects import Objects
        from airflow_sv_versioning.client.originals import Originals
        from airflow_sv_versioning.client.projects import Projects
        from airflow_sv_versioning.client.surroundings import Trust
        from airflow_sv_versioning.client.tags import Tags
        from airflow_sv_versioning.client.tasks import Tasks
        from airflow_sv_versioning.client.transport import Transport
        from airflow_sv_versioning.client.versions import Versions
        from airflow_sv_versioning.client.videos import Videos
        from airflow_sv_versioning.client.volumes import Volumes
        from airflow_sv_versioning.client.workflow import Workflow

        self.trusted_stamps = check_types("trusted_stamps", trusted_stamps or ())
        trust = Trust.choose(verify_ssl=verify_ssl, ca_file=ca_file)
        self.transport = transport or Transport(
            server_address, token, timeout=timeout, trust=trust, max_workers=max_workers
        )
        self.accounts = Accounts(self.transport)
        self.projects = Projects(self.transport)
        self.datasets = Datasets(self.transport)
        self.images = Images(self.transport)
        self.videos = Videos(self.transport)
        self.volumes = Volumes(self.transport)
        self.media = Media(self.transport)
        self.objects = Objects(self.transport)
        self.originals = Originals(self.transport)
        self.figures = Figures(self.transport)
        self.tags = Tags(self.transport)
        self.files = Files(self.transport)
        self.versions = Versions(self.transport)
        self.tasks = Tasks(self.transport)
        self.workflow = Workflow(self.transport)
        self.links = Links(self.transport, allow_private=private_links, trust=trust)

    @property
    def server_url(self) -> str:
        """The server's address with scheme, without trailing slash."""
        return self.transport.server_url

    @property
    def identity(self) -> str:
        """A digest of server and token: equal for clients that see the same."""
        return self.transport.identity

    @property
    def max_workers(self) -> int:
        """How many requests may run at the same time."""
        return self.transport.max_workers

    def interrupt(self) -> None:
        """End the requests under way and refuse later ones, for good; a signal handler may call it.

        What was asked for ends with :class:`~airflow_sv_versioning.exceptions.CancelledError`, and what it
        made is undone.
        """
        self.transport.interruption.ask()

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody called :meth:`interrupt`."""
        return self.transport.interruption.is_asked

    def pause(self, seconds: float) -> None:
        """Sleep, unless somebody calls :meth:`interrupt`.

        :raises CancelledError: somebody did.
        """
        self.transport.pause(seconds)

    def finishing(self) -> AbstractContextManager[None]:
        """Let requests of this thread through after an interruption: for what must still be undone."""
        return self.transport.interruption.finishing()

    def close(self) -> None:
        """Close all connections."""
        self.links.close()
        self.transport.close()

    def __enter__(self) -> SuperviselyClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
