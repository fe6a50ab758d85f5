"""One shard of an export: its items written, and what was written recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from airflow_sv_versioning.dataset.entries import Placed
from airflow_sv_versioning.dataset.export_job import ExportJob
from airflow_sv_versioning.dataset.export_options import ExportOptions
from airflow_sv_versioning.dataset.item_media import ItemMedia
from airflow_sv_versioning.dataset.records import Item
from airflow_sv_versioning.dataset.staging import FILES, FRAGMENTS, Shard, ShardRecord, Staging, names_below
from airflow_sv_versioning.dataset.tally import Tally
from airflow_sv_versioning.exceptions import LossyExportError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.streams import sha256_of

_NAMED = 10


def make_shard(job: ExportJob, staging: Staging, shard: Shard, progress: Progress) -> None:
    """Make a shard, and hand it to its destination.

    :raises LossyExportError: the format cannot hold all of it.
    :raises MissingMediaError: files of its items are gone.
    """
    with staging.making() as folder:
        files, fragments = folder / FILES, folder / FRAGMENTS
        files.mkdir()
        fragments.mkdir()
        tally = _write_items(job, shard, folder, progress)
        check_losses(job.options, tally)
        _record(job, folder, tally).write(folder)
        progress.check()
        staging.keep(folder, shard)


def _write_items(job: ExportJob, shard: Shard, folder: Path, progress: Progress) -> Tally:
    tally = Tally()
    placed = list(job.items_of(shard))
    writer = job.format.open_writer(job.contents, folder / FILES, folder / FRAGMENTS)
    try:
        for number, item in enumerate(_items(job, placed, folder / FILES, tally), 1):
            writer.write(item)
            tally.count(item)
            progress.count("Items exported", number, len(placed))
    finally:
        writer.close()
    tally.count_losses(writer.losses)
    return tally


def _items(job: ExportJob, placed: Sequence[Placed], files: Path, tally: Tally) -> Iterator[Item]:
    if job.options.media == "none":
        return job.reader.whole_items(placed)
    return ItemMedia(job, files, tally).bring(job.reader.whole_items(placed, with_media=True))


def check_losses(options: ExportOptions, tally: Tally) -> None:
    """See that nothing is lost that must not be. :raises LossyExportError: something is."""
    losses = tally.loss_list()
    if losses and not options.allow_lossy:
        named = (f"{loss['figures']:,} of {loss['class']!r} ({loss['what']})" for loss in losses[:_NAMED])
        more = ", ..." if len(losses) > _NAMED else ""
        raise LossyExportError(
            f"{options.format} cannot hold all figures: {', '.join(named)}{more}. Choose another format, "
            "select other classes, or use allow_lossy to go without what cannot be held.",
            losses=losses,
        )


def _record(job: ExportJob, folder: Path, tally: Tally) -> ShardRecord:
    """Tell what a shard has; the items' own files were proved when they came."""
    media = job.format.media_folder(job.contents) if job.options.media != "none" else None
    files = {}
    for name in names_below(folder / FILES):
        path = folder / FILES / name
        is_media = media is not None and name.startswith(f"{media}/")
        files[name] = (path.stat().st_size, None if is_media else sha256_of(path))
    return ShardRecord(files, names_below(folder / FRAGMENTS), tally.as_dict())
