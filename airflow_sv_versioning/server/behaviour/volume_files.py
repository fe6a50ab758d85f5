"""The files that volumes are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_sv_versioning.server.behaviour.nrrd import NrrdError, NrrdFacts, read_facts
from airflow_sv_versioning.server.database import Database, Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import dumps, loads
from airflow_sv_versioning.server.storage import Storage


class VolumeFiles:
    """Uploaded volumes, looked into when they are first needed: a large one takes a moment."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    def stored(self, hashes: Sequence[str]) -> dict[str, NrrdFacts]:
        """What uploaded volumes hold.

        :raises RequestRejectedError: a hash is not stored here, or is not of a whole NRRD file.
        """
        with self._database.read() as db:
            require_stored(db, self._storage, hashes)
            known = _known(db, hashes)
        found = self._look_into([blob_hash for blob_hash in dict.fromkeys(hashes) if blob_hash not in known])
        if found:
            with self._database.write() as tx:
                _remember(tx, found)
        return {**known, **found}

    def _look_into(self, hashes: Sequence[str]) -> dict[str, NrrdFacts]:
        found: dict[str, NrrdFacts] = {}
        unfit: dict[str, str] = {}
        for blob_hash in hashes:
            try:
                found[blob_hash] = read_facts(self._storage.path(blob_hash))
            except NrrdError as error:
                unfit[blob_hash] = str(error)
        if unfit:
            first, reason = next(iter(unfit.items()))
            raise bad_request(
                f"{len(unfit)} files are no volumes; {first}: {reason}",
                type="NOT_A_VOLUME",
                hashes=list(unfit),
            )
        return found


def require_stored(db: Reader, storage: Storage, hashes: Sequence[str]) -> None:
    """Refuse hashes that were never uploaded, or whose bytes are gone."""
    uploaded = db.all(f"SELECT hash FROM media WHERE {in_list('hash')}", (json_list(hashes),))  # noqa: S608
    stored = {row["hash"] for row in uploaded if storage.has(row["hash"])}
    missing = sorted(set(hashes) - stored)
    if missing:
        raise bad_request(
            f"{len(missing)} hashes are not stored on this server; upload the files first: "
            + ", ".join(missing[:3]),
            type="HASHES_NOT_FOUND",
            hashes=missing,
        )


def _known(db: Reader, hashes: Sequence[str]) -> dict[str, NrrdFacts]:
    sql = f"SELECT hash, volume FROM media WHERE volume IS NOT NULL AND {in_list('hash')}"  # noqa: S608
    return {row["hash"]: loads(row["volume"]) for row in db.all(sql, (json_list(hashes),))}


def _remember(tx: Writer, files: Mapping[str, NrrdFacts]) -> None:
    tx.run_many(
        "UPDATE media SET volume = ?, mime = ? WHERE hash = ?",
        [(dumps(facts), facts["mime"], blob_hash) for blob_hash, facts in files.items()],
    )
