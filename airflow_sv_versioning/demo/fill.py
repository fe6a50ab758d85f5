"""Give an empty server something to look at and to version."""

from __future__ import annotations

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.demo.load import load_folder, make_project
from airflow_sv_versioning.demo.loopback import no_proxy_to_this_machine
from airflow_sv_versioning.demo.photographs import FOLDERS

_TYPES = ("images", "videos", "volumes", "point_clouds", "point_cloud_episodes")


def fill_if_empty(server_url: str, token: str, workspace_id: int) -> int | None:
    """Load the demo's photographs into a workspace that has no projects.

    :returns: the new project's id; ``None`` where there are projects already, which are left alone.
    """
    with no_proxy_to_this_machine(), SuperviselyClient(server_url, token) as client:
        if client.projects.list_ids(workspace_id, _TYPES):
            return None
        project = make_project(client, workspace_id)
        for folder in FOLDERS:
            load_folder(client, project, folder)
        return project.id
