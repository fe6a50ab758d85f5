"""Read a vault back: every content against its digest, and every version against what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError, IntegrityError, MediaAbsentError
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.audited_versions import AuditedVersions, Present
from airflow_sv_versioning.vault.proof import content_hash_of
from airflow_sv_versioning.vault.shares import Sample
from airflow_sv_versioning.vault.vault import Vault, VaultFile

_WORKERS = 8
_LISTED = 100
_TOLD_EVERY = 1_000


@dataclass(frozen=True)
class VaultCheck:
    """What a vault turned out to hold.

    :param media: originals that were read, of ``size_bytes`` together.
    :param archives: archives that were read, of ``archive_bytes`` together.
    :param listed: archives and originals that are there, read or not.
    :param versions: versions whose needs were held against what is there.
    :param damaged: hash of each original that is not what its name says -> what was read.
    :param damaged_archives: hex SHA-256 by which the vault names an archive -> what was read.
    :param absent: hash of each content that a version needs and the vault has not -> a version that needs it.
    :param wrong: file that says something of a version -> why that cannot be true.
    :param sample: the share of the contents that was read, such as ``1/7``; ``None`` for all.
    :param set_aside: damaged contents were moved away, so that the next version copies them again.
    """

    vault: str
    media: int
    size_bytes: int
    damaged: Mapping[str, str]
    absent: Mapping[str, str]
    set_aside: bool = False
    archives: int = 0
    archive_bytes: int = 0
    listed: int = 0
    versions: int = 0
    damaged_archives: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    sample: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether all is as it should be."""
        return not (self.damaged or self.damaged_archives or self.absent or self.wrong)

    def as_dict(self) -> dict[str, Any]:
        """Write the report as JSON-able data, with the first of what is wrong."""
        faults = ("damaged", "damaged_archives", "absent", "wrong")
        return {
            "vault": self.vault,
            "is_good": self.is_good,
            "sample": self.sample,
            "listed": self.listed,
            "media": self.media,
            "size_bytes": self.size_bytes,
            "archives": self.archives,
            "archive_bytes": self.archive_bytes,
            "versions": self.versions,
            **{f"{fault}_count": len(getattr(self, fault)) for fault in faults},
            **{fault: dict(islice(getattr(self, fault).items(), _LISTED)) for fault in faults},
            "set_aside": self.set_aside,
        }


def check_vault(
    vault: Vault, progress: Progress, *, sample: Sample | None = None, set_aside: bool = False
) -> VaultCheck:
    """Read the contents of a vault, side by side, and hold what versions need against what is there.

    Takes about a hundred bytes of memory for each content.

    :param sample: read only these contents; whether the others are there is looked up all the same.
    :param set_aside: move damaged contents into the vault's folder ``damaged``, and note the versions that
        lack something: the next run completes them, as far as the platform still has it.
    :raises ConfigurationError: there is no vault.
    """
    reading = _Reading(vault, sample, set_aside, progress)
    reading.run()
    versions = AuditedVersions(vault, reading.present, set_aside, progress)
    versions.run()
    if not reading.listed and not versions.owners:
        raise ConfigurationError(f"There is no vault at {vault.url}. Is the address right?")
    damaged = reading.media.damaged
    return VaultCheck(
        vault=vault.url,
        media=reading.media.count,
        size_bytes=reading.media.size_bytes,
        damaged={content_hash_of(digest): why for digest, why in damaged.items()},
        absent=versions.absent,
        set_aside=set_aside and bool(damaged or reading.archives.damaged),
        archives=reading.archives.count,
        archive_bytes=reading.archives.size_bytes,
        listed=reading.listed,
        versions=versions.count,
        damaged_archives={digest.hex(): why for digest, why in reading.archives.damaged.items()},
        wrong=versions.wrong,
        sample=str(sample) if sample else None,
    )


@dataclass
class _Tally:
    """Contents of one kind that were read."""

    count: int = 0
    size_bytes: int = 0
    damaged: dict[bytes, str] = field(default_factory=dict)


@dataclass
class _Reading:
    """List all contents, and read those that have their turn."""

    vault: Vault
    sample: Sample | None
    set_aside: bool
    progress: Progress
    present: Present = field(default_factory=Present)
    listed: int = 0
    media: _Tally = field(default_factory=_Tally)
    archives: _Tally = field(default_factory=_Tally)

    def run(self) -> None:
        for file, fault in map_ordered(self._read, self._list(), _WORKERS):
            if fault is None:
                # Somebody removed it since it was listed; whether it is needed is looked up later.
                self.present.forget(file)
                continue
            tally = self.archives if file.is_archive else self.media
            tally.count += 1
            tally.size_bytes += file.size_bytes
            if fault:
                self._note(file, fault, tally)
            self.progress.count("Contents read", self.media.count + self.archives.count)

    def _list(self) -> Iterator[VaultFile]:
        for file in self.vault.iter_contents():
            self.listed += 1
            self.present.add(file)
            if self.listed % _TOLD_EVERY == 0:
                self.progress.count("Contents listed", self.listed)
            if self.sample is None or self.sample.takes(file.digest):
                yield file

    def _read(self, file: VaultFile) -> tuple[VaultFile, str | None]:
        """Prove a content: what is wrong with it, nothing where it is good, ``None`` where it is gone."""
        self.progress.check()
        try:
            self.vault.check_file(file)
        except IntegrityError as error:
            return file, error.message
        except MediaAbsentError:
            return file, None
        return file, ""

    def _note(self, file: VaultFile, fault: str, tally: _Tally) -> None:
        tally.damaged[file.digest] = fault
        self.progress.say(f"Damaged: {file.name}: {fault}")
        if self.set_aside:
            self.vault.set_aside(file)
            self.present.forget(file)
