"""What Airflow is told about this provider.

Every Airflow process calls it, so it is a literal and imports nothing. The connection form is
declared here once; the hook renders the same table for Airflow 3.1, which asks the hook.
"""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Describe the provider to Airflow."""
    return {
        "package-name": "airflow-sv-versioning",
        "name": "Supervisely Versioning",
        "description": "Version `Supervisely <https://supervisely.com>`__ projects: back up, restore.",
        "integrations": [
            {
                "integration-name": "Supervisely",
                "external-doc-url": "https://docs.supervisely.com",
                "tags": ["service"],
            }
        ],
        "hooks": [
            {
                "integration-name": "Supervisely",
                "python-modules": ["airflow_sv_versioning.hooks.supervisely"],
            }
        ],
        "operators": [
            {
                "integration-name": "Supervisely",
                "python-modules": [
                    "airflow_sv_versioning.operators.compare",
                    "airflow_sv_versioning.operators.create",
                    "airflow_sv_versioning.operators.export",
                    "airflow_sv_versioning.operators.fill_vault",
                    "airflow_sv_versioning.operators.guarded",
                    "airflow_sv_versioning.operators.remove",
                    "airflow_sv_versioning.operators.restore",
                    "airflow_sv_versioning.operators.restored",
                    "airflow_sv_versioning.operators.retention",
                    "airflow_sv_versioning.operators.verify",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": "Supervisely",
                "python-modules": [
                    "airflow_sv_versioning.sensors.background_tasks",
                    "airflow_sv_versioning.sensors.project_versions",
                ],
            }
        ],
        "triggers": [
            {
                "integration-name": "Supervisely",
                "python-modules": [
                    "airflow_sv_versioning.triggers.background_tasks",
                    "airflow_sv_versioning.triggers.busy_projects",
                    "airflow_sv_versioning.triggers.new_versions",
                    "airflow_sv_versioning.triggers.project_versions",
                ],
            }
        ],
        "asset-uris": [
            {
                "schemes": ["supervisely"],
                "handler": "airflow_sv_versioning.assets.sanitize_uri",
                "factory": "airflow_sv_versioning.assets.create_asset",
                "to_openlineage_converter": "airflow_sv_versioning.assets.convert_to_openlineage",
            }
        ],
        "extra-links": [
            "airflow_sv_versioning.links.ProjectLink",
            "airflow_sv_versioning.links.RestoredProjectLink",
            "airflow_sv_versioning.links.VersionLink",
        ],
        "connection-types": [
            {
                "connection-type": "supervisely",
                "hook-class-name": "airflow_sv_versioning.hooks.supervisely.SuperviselyHook",
                "hook-name": "Supervisely",
                "ui-field-behaviour": {
                    "hidden-fields": ["login", "port", "schema"],
                    "relabeling": {"host": "Server address", "password": "API token"},
                    "placeholders": {"host": "https://app.supervisely.com"},
                },
                "conn-fields": {
                    "verify_ssl": {
                        "label": "Verify TLS",
                        "description": "Check the server's certificate.",
                        "schema": {"type": ["boolean", "null"], "default": True},
                    },
                    "ca_file": {
                        "label": "CA file",
                        "description": "Path of your company's CA certificates, in PEM form, on the workers.",
                        "schema": {"type": ["string", "null"], "default": None},
                    },
                    "timeout": {
                        "label": "Timeout, s",
                        "description": "How long to wait for the next bytes of an answer.",
                        "schema": {"type": ["integer", "null"], "default": 60, "minimum": 1},
                    },
                    "max_workers": {
                        "label": "Parallel requests",
                        "description": "The most at the same time; by default as many as suit the server.",
                        "schema": {"type": ["integer", "null"], "default": None, "minimum": 1},
                    },
                    "private_links": {
                        "label": "Private links",
                        "description": "Contact links of items that lead into private networks.",
                        "schema": {"type": ["boolean", "null"], "default": False},
                    },
                    "trusted_stamps": {
                        "label": "Trusted stamps",
                        "description": "Types whose updatedAt moves with every edit: videos, volumes.",
                        "schema": {"type": ["string", "null"], "default": None},
                    },
                },
            }
        ],
    }
