"""Addresses of the platform's pages for people.

Source: ``ProjectInfo.url`` of the official SDK (``/projects/<id>/datasets``), and the address of a project's
*Versions* tab in a browser.
"""

from __future__ import annotations


def project_page(server_url: str, project_id: int) -> str:
    """Make the address of a project.

    :param server_url: the server's address without trailing slash.
    """
    return f"{server_url}/projects/{project_id}/datasets"


def version_page(server_url: str, project_id: int, version_id: int | None = None) -> str:
    """Make the address of a version, or of all versions of a project.

    The platform has one page for them all. The embedded server's page jumps to the version; others leave out
    of account what stands behind the ``#``.
    """
    page = f"{server_url}/projects/{project_id}/versions"
    return page if version_id is None else f"{page}#version-{version_id}"
