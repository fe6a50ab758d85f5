"""Give volumes whose files were uploaded anew the pictures of their slices, as the official client does."""

from __future__ import annotations

from threading import Semaphore

from airflow_sv_versioning.project_types.volumes.upload import upload_slices
from airflow_sv_versioning.restore.media_files import media_file
from airflow_sv_versioning.restore.work import RestoreWork, Step, naming

_VOLUMES_AT_ONCE = 2


class SlicesRestore(Step):
    """Uploads slices, a few volumes at a time: each is in memory with all of its voxels."""

    def __init__(self, work: RestoreWork) -> None:
        super().__init__(work)
        self._turns = Semaphore(_VOLUMES_AT_ONCE)

    def run(self) -> None:
        """Upload the slices of all volumes that are not what the platform knew before."""
        self._work.drain(self._upload, sorted(self._work.plan.references))

    def _upload(self, volume_id: int) -> None:
        plan = self._work.plan
        label = f"The slices of volume {plan.missing[volume_id].path!r} (id {volume_id})"
        with self._turns, naming(label), media_file(plan, volume_id) as path:
            upload_slices(self._work.client, self._work.item_ids[volume_id], path)
