"""Hold what a vault says of versions against what it has: manifests, needs, and what both name."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.lacking import note_lacking
from airflow_sv_versioning.vault.proof import content_hash_of
from airflow_sv_versioning.vault.references import (
    Owner,
    find_archives_and_lost,
    iter_needed,
    list_needing,
    list_owners,
    needs_name,
)
from airflow_sv_versioning.vault.trash import split_trash
from airflow_sv_versioning.vault.vault import Vault, VaultFile
from airflow_sv_versioning.vault.versions import Entry, list_entries, list_projects, read_version


@dataclass
class Present:
    """The contents that a vault has, as its listing tells.

    :ivar archive_sizes: in bytes, by digest.
    """

    digests: set[bytes] = field(default_factory=set)
    archive_sizes: dict[bytes, int] = field(default_factory=dict)

    def add(self, file: VaultFile) -> None:
        """Take a content in."""
        self.digests.add(file.digest)
        if file.is_archive:
            self.archive_sizes[file.digest] = file.size_bytes

    def forget(self, file: VaultFile) -> None:
        """Take a content out."""
        self.digests.discard(file.digest)
        if file.is_archive:
            self.archive_sizes.pop(file.digest, None)


@dataclass
class AuditedVersions:
    """All versions that a vault knows.

    :ivar absent: hash of each content that a version needs and the vault has not -> a version that needs it.
    :ivar wrong: file that says something of a version -> why that cannot be true.
    """

    vault: Vault
    present: Present
    notes_lacking: bool
    progress: Progress
    owners: list[Owner] = field(default_factory=list)
    count: int = 0
    absent: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Look through all of them."""
        self.owners = sorted({*list_owners(self.vault), *list_projects(self.vault)})
        for owner in self.owners:
            entries = {entry.version_id: entry for entry in list_entries(self.vault, owner)}
            version_ids = {*list_needing(self.vault, owner), *entries} - self._find_gone(owner)
            for version_id in sorted(version_ids):
                self.progress.check()
                self._check(owner, version_id, entries.get(version_id))
                self.count += 1
                self.progress.count("Versions looked at", self.count)

    def _find_gone(self, owner: Owner) -> set[int]:
        """Find the versions that retention took out for good, whatever is left of them."""
        try:
            return split_trash(self.vault, owner)[1]
        except FormatError as error:
            self._note(f"the trash of {owner}", error.message)
            return set()

    def _check(self, owner: Owner, version_id: int, entry: Entry | None) -> None:
        absent = self._find_absent(owner, version_id, entry)
        self.absent.update(dict.fromkeys(absent, f"version id {version_id} of {owner}"))
        lacks = [f"{len(absent)} contents"] if absent else []
        if entry and (fault := self._find_archive_fault(owner, entry)):
            self._note(entry.name(owner), fault)
            lacks.append("its archive")
        if lacks and self.notes_lacking:
            note_lacking(self.vault, owner, version_id, " and ".join(lacks))

    def _find_absent(self, owner: Owner, version_id: int, entry: Entry | None) -> set[str]:
        """Find the contents that a version needs and nobody has lost, but are not there."""
        unlisted: set[bytes] = set()
        is_known = False
        try:
            for digest in iter_needed(self.vault, owner, version_id):
                is_known = True
                if digest not in self.present.digests:
                    unlisted.add(digest)
            if unlisted:
                return self._confirm(owner, version_id, unlisted)
        except FormatError as error:
            self._note(needs_name(owner, version_id), error.message)
            return set()
        if entry and not is_known:
            self._note(entry.name(owner), "The vault does not know what this version needs.")
        return set()

    def _confirm(self, owner: Owner, version_id: int, unlisted: set[bytes]) -> set[str]:
        """Ask for what the listing had not: it may have come since, or was never to be had."""
        archives, lost = find_archives_and_lost(self.vault, owner, version_id)
        hashes = {content_hash_of(digest) for digest in unlisted - archives}
        hashes -= {content_hash for content_hash in lost if content_hash in hashes}
        absent = hashes - self.vault.find_sizes(hashes).keys()
        for digest in unlisted & archives:
            if self.vault.find_archive_size(digest.hex()) is None:
                absent.add(content_hash_of(digest))
        return absent

    def _find_archive_fault(self, owner: Owner, entry: Entry) -> str:
        """Say what is wrong with a manifest or the archive that it names; nothing where all is right."""
        try:
            version = read_version(self.vault, owner, entry)
        except FormatError as error:
            return error.message
        sha256 = version.archive_sha256
        size_bytes = self.present.archive_sizes.get(bytes.fromhex(sha256))
        if size_bytes is None:
            size_bytes = self.vault.find_archive_size(sha256)
        if size_bytes is None:
            return f"Its archive {sha256} is not there."
        if size_bytes != version.archive_size_bytes:
            return f"Its archive {sha256} has {size_bytes:,} bytes, not {version.archive_size_bytes:,}."
        return ""

    def _note(self, file: str, fault: str) -> None:
        self.wrong[file] = fault
        self.progress.say(f"Wrong: {file}: {fault}")
