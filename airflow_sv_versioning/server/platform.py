"""Everything a running server holds, without HTTP."""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.server.behaviour.media import Links
from airflow_sv_versioning.server.behaviour.tasks import fail_unfinished
from airflow_sv_versioning.server.database import FIRST_ID, Database, Writer
from airflow_sv_versioning.server.jobs import Jobs
from airflow_sv_versioning.server.settings import Settings
from airflow_sv_versioning.server.storage import Storage, hex_digest

USER_ID = TEAM_ID = WORKSPACE_ID = 1
LOGIN = "admin"
DATABASE = "server.sqlite"


class Platform:
    """One data folder, opened.

    A fresh folder gets one user, one team and one workspace. Only one server may have a folder open.

    :raises ConfigurationError: the folder is in use, or was written by another version of this server.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        _make_private(settings.data)
        with ExitStack() as opened:
            opened.callback(os.close, _lock_folder(settings.data))
            self.storage = Storage(settings.data)
            self.links = Links(settings.data / "remote-storage", settings.link_timeout_seconds)
            self.database = Database(
                settings.data / DATABASE, settings.clock, settings.rules.stamps_of_annotated_items_move
            )
            opened.callback(self.database.close)
            with self.database.write() as tx:
                self.token, self._storage_secret = _settle(tx, settings.token)
                fail_unfinished(tx)
            self.jobs = Jobs(self.database)
            opened.callback(self.jobs.close)
            self._opened = opened.pop_all()

    def storage_path(self, blob_hash: str, name: str) -> str:
        """Path of the address that serves a blob to whoever knows it."""
        digest = hex_digest(blob_hash)
        return f"/storage/{self._signature(digest)}/{digest}/{quote(name, safe='')}"

    def is_signed(self, digest: str, signature: str) -> bool:
        """Whether the address of the blob with this digest, in hex, is one of ours."""
        return hmac.compare_digest(self._signature(digest).encode(), signature.encode())

    def is_token(self, token: str) -> bool:
        """Whether the token opens this server."""
        return secrets.compare_digest(self.token.encode(), token.encode())

    @property
    def session(self) -> str:
        """What the cookie of a browser holds that has shown the token: it opens no method of the API."""
        return hmac.digest(self._storage_secret.encode(), f"pages {self.token}".encode(), "sha256").hex()

    def is_session(self, cookie: str) -> bool:
        """Whether a browser's cookie is :attr:`session`."""
        return hmac.compare_digest(self.session.encode(), cookie.encode())

    def close(self) -> None:
        """End background work and let go of the folder; twice does no harm."""
        self._opened.close()

    def _signature(self, digest: str) -> str:
        return hmac.digest(self._storage_secret.encode(), digest.encode(), "sha256").hex()[:32]


def _make_private(folder: Path) -> None:
    """Make the folder and its database readable to nobody else on this machine: the token lies in it.

    A folder that holds other things keeps its mode; the database and the blobs are private by their own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / DATABASE).exists() or not any(folder.iterdir()):
        folder.chmod(0o700)
    # The files that SQLite makes beside it take over its mode.
    (folder / DATABASE).touch(mode=0o600)
    (folder / DATABASE).chmod(0o600)


def _lock_folder(folder: Path) -> int:
    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise ConfigurationError(
            f"{folder} is served by another process; stop it or use another folder"
        ) from error
    return handle


def _settle(tx: Writer, token: str | None) -> tuple[str, str]:
    state = tx.find("SELECT token, storage_secret FROM state")
    if state is None:
        new_token, secret = token or secrets.token_hex(32), secrets.token_hex(32)
        tx.run("INSERT INTO state VALUES (1, ?, 0, ?, ?)", (FIRST_ID, new_token, secret))
        _add_first_accounts(tx)
        return new_token, secret
    if token is not None and token != state["token"]:
        tx.run("UPDATE state SET token = ?", (token,))
    return token or state["token"], state["storage_secret"]


def _add_first_accounts(tx: Writer) -> None:
    stamps = (tx.stamp, tx.stamp)
    tx.run(
        "INSERT INTO users VALUES (?, ?, 'Administrator', 'admin@localhost', ?, ?)", (USER_ID, LOGIN, *stamps)
    )
    tx.run("INSERT INTO teams VALUES (?, 'Team', '', ?, ?)", (TEAM_ID, *stamps))
    tx.run("INSERT INTO workspaces VALUES (?, ?, 'Workspace', '', 0, ?, ?)", (WORKSPACE_ID, TEAM_ID, *stamps))
