"""A version written as a data set that training reads: in shards, by one process or by many.

Each shard is whole files of its own, and fragments of files that all have in common; the last step puts the
fragments together and makes the data set whole. What is there at the end is the same, byte for byte, for any
number of shards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_sv_versioning.dataset.destination_errors import destination_errors
from airflow_sv_versioning.dataset.export_job import ExportJob
from airflow_sv_versioning.dataset.export_options import ExportOptions
from airflow_sv_versioning.dataset.export_results import ExportResult, ShardResult
from airflow_sv_versioning.dataset.manifest import FORMAT, write_checksums, write_manifest, write_names
from airflow_sv_versioning.dataset.reader import VersionReader
from airflow_sv_versioning.dataset.shard_making import check_losses, make_shard
from airflow_sv_versioning.dataset.staging import (
    FRAGMENTS,
    Destination,
    FinishedElsewhereError,
    Shard,
    ShardRecord,
    Staging,
)
from airflow_sv_versioning.dataset.tally import Tally
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.runtime.progress import Progress

_NAMED = 10
_TRIES = 3


def export_dataset(
    reader: VersionReader, options: ExportOptions, destination: Destination, progress: Progress
) -> ExportResult:
    """Export all in this process.

    :raises ConfigurationError: the destination is not free, or an option cannot be.
    :raises LossyExportError: the format cannot hold all of it.
    :raises MissingMediaError: files of items are gone.
    :raises DestinationError: the destination failed; nothing that is left looks whole.
    """
    job = _plan(reader, options, destination)
    for tries_left in reversed(range(_TRIES)):
        try:
            made = _make(job, destination, Shard(), progress)
            return (
                made
                if isinstance(made, ExportResult)
                else _put_together(job, destination, 1, progress, is_ours=True)
            )
        except FinishedElsewhereError:
            # Another process took the only shard; it has finished when we come to the end again.
            if not tries_left:
                raise
    raise AssertionError("a try returns or raises")


def export_shard(
    reader: VersionReader, options: ExportOptions, destination: Destination, shard: Shard, progress: Progress
) -> ShardResult | ExportResult:
    """Write one shard; one that is there already stays. It may be tried again, also by two at once.

    :returns: the data set, where it is whole already.
    """
    return _make(_plan(reader, options, destination), destination, shard, progress)


def finish_export(
    reader: VersionReader, options: ExportOptions, destination: Destination, shards: int, progress: Progress
) -> ExportResult:
    """Put all shards together, and make the data set whole.

    :raises ConfigurationError: shards are not there: their tasks did not run, or with other arguments.
    """
    return _put_together(_plan(reader, options, destination), destination, shards, progress)


def check_free(destination: Destination) -> None:
    """See that there may be room for a data set, before anything is read.

    :raises ConfigurationError: something is there that is no data set.
    """
    with destination_errors(destination.url):
        manifest = destination.find_manifest()
    if manifest is not None and manifest.get("format") != FORMAT:
        raise _not_free(destination)


def _plan(reader: VersionReader, options: ExportOptions, destination: Destination) -> ExportJob:
    if options.media == "link" and not destination.is_local:
        raise ConfigurationError(
            f"media='link' makes links on a local disk, and {destination.url} is none; use media='copy'."
        )
    return ExportJob.plan(reader, options)


def _make(
    job: ExportJob, destination: Destination, shard: Shard, progress: Progress
) -> ShardResult | ExportResult:
    with destination_errors(destination.url):
        if manifest := _find_made(job, destination):
            return ExportResult(destination.url, created=False, manifest=manifest)
        with destination.staging(job.key) as staging:
            is_new = not staging.holds(shard)
            if is_new:
                make_shard(job, staging, shard, progress)
    return ShardResult(destination.url, shard.number, shard.count, created=is_new)


def _put_together(
    job: ExportJob, destination: Destination, shards: int, progress: Progress, *, is_ours: bool = False
) -> ExportResult:
    """Put shards together.

    :param is_ours: this process made them all.
    """
    with destination_errors(destination.url):
        if manifest := _find_made(job, destination):
            return ExportResult(destination.url, created=False, manifest=manifest)
        pieces = Shard.all_of(shards)
        with destination.staging(job.key) as staging:
            try:
                _check_shards(job, staging, pieces, destination, is_ours=is_ours)
                made = _finish(job, staging, pieces, progress)
            except FinishedElsewhereError:
                if (manifest := _find_made(job, destination)) is None:
                    raise
                return ExportResult(destination.url, created=False, manifest=manifest)
    return ExportResult(destination.url, created=True, manifest=made)


def _find_made(job: ExportJob, destination: Destination) -> Mapping[str, Any] | None:
    """Find this very data set, made before. :raises ConfigurationError: something else is there."""
    manifest = destination.find_manifest()
    if manifest is None:
        return None
    if job.is_told_by(manifest):
        destination.tidy()
        return manifest
    raise _not_free(destination)


def _not_free(destination: Destination) -> ConfigurationError:
    return ConfigurationError(
        f"The destination {destination.url} exists and holds something else; name one that does not exist."
    )


def _check_shards(
    job: ExportJob, staging: Staging, pieces: list[Shard], destination: Destination, *, is_ours: bool
) -> None:
    """See that all shards are there.

    :raises FinishedElsewhereError: another process has put them together, or is at it.
    """
    missing = [str(shard.number) for shard in pieces if not staging.holds(shard)]
    if missing and (is_ours or _find_made(job, destination)):
        raise FinishedElsewhereError(f"Another process finishes the export to {destination.url}. Try again.")
    if missing:
        raise ConfigurationError(
            f"{destination.url} cannot be finished: of {len(pieces)} shards {len(missing)} are missing: "
            f"{', '.join(missing[:_NAMED])}. Run them with the same arguments first."
        )


def _finish(job: ExportJob, staging: Staging, pieces: list[Shard], progress: Progress) -> Mapping[str, Any]:
    with staging.assembling(pieces) as assembly:
        records = [ShardRecord.read(folder) for folder in assembly.shards]
        tally = Tally.sum_of(record.summary for record in records)
        check_losses(job.options, tally)
        fragments = [folder / FRAGMENTS for folder in assembly.shards]
        job.format.assemble(job.contents, fragments, assembly.files)
        write_names(tally, assembly.files)
        manifest = _manifest(job, tally, write_checksums(records, assembly.files))
        write_manifest(manifest, assembly)
        progress.check()
        staging.complete(assembly)
    return manifest


def _manifest(job: ExportJob, tally: Tally, files: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        **job.request,
        "version": dict(job.contents.version),
        "project_type": job.contents.project_type,
        "parts": tally.parts(job.contents.items),
        "losses": tally.loss_list(),
        "media": {"files": tally.media_files, "bytes": tally.media_bytes, "gone": [*tally.gone.values()]},
        "renamed": len(tally.renamed),
        "files": files,
    }
