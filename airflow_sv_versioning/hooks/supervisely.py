"""From an Airflow connection to the platform."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from airflow_sv_versioning._airflow import AirflowNotFoundException
from airflow_sv_versioning.exceptions import ConfigurationError, SuperviselyError
from airflow_sv_versioning.get_provider_info import get_provider_info
from airflow_sv_versioning.hooks.connection import client_arguments

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions


class SuperviselyHook(BaseHook):
    """One connection's access to the platform.

    .. code-block:: python

        with SuperviselyHook("supervisely_default") as hook:
            project = hook.client.projects.get(7)
            version = hook.versions.create(project.id)

    The connection's host is the server address, with or without scheme, port and path; its password is
    the API token; its extra may hold ``verify_ssl``, ``ca_file``, ``timeout`` (seconds), ``max_workers``,
    ``private_links`` and ``trusted_stamps``.

    :param supervisely_conn_id: the connection; it is read on first use.
    """

    conn_name_attr = "supervisely_conn_id"
    default_conn_name = "supervisely_default"
    conn_type = "supervisely"
    hook_name = "Supervisely"

    def __init__(self, supervisely_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.supervisely_conn_id = supervisely_conn_id

    @cached_property
    def client(self) -> SuperviselyClient:
        """The platform's REST API; :meth:`close` ends it.

        :raises ConfigurationError: the connection is missing or cannot work.
        """
        from airflow_sv_versioning.client import SuperviselyClient

        return SuperviselyClient(**self.client_arguments())

    def client_arguments(self) -> dict[str, Any]:
        """Read the connection as the keyword arguments of :class:`SuperviselyClient`.

        :raises ConfigurationError: the connection is missing or cannot work.
        """
        try:
            connection = self.get_connection(self.supervisely_conn_id)
        except AirflowNotFoundException as error:
            raise self._no_connection() from error
        return client_arguments(connection)

    async def get_async_client(self) -> SuperviselyClient:
        """Open a client on an event loop; call it in threads and close it after use.

        Nothing of Airflow is left in it: a thread of the triggerer must not talk to Airflow.

        :raises ConfigurationError: the connection is missing or cannot work.
        """
        from airflow_sv_versioning.client import SuperviselyClient

        try:
            connection = await self.aget_connection(self.supervisely_conn_id)
        except AirflowNotFoundException as error:
            raise self._no_connection() from error
        return SuperviselyClient(**client_arguments(connection, mask=False))

    def _no_connection(self) -> ConfigurationError:
        variable = f"AIRFLOW_CONN_{self.supervisely_conn_id.upper()}"
        if os.environ.get(variable):
            # Airflow passes over what it cannot read, as if it were not there.
            return ConfigurationError(
                f"Airflow cannot read the connection {self.supervisely_conn_id!r} in {variable}; "
                "write a URI, or a JSON object in which host and password are texts and the port is a number."
            )
        return ConfigurationError(
            f"There is no connection {self.supervisely_conn_id!r}; add one of type 'Supervisely' with "
            "the server address as host and the API token as password, or name another one in "
            "supervisely_conn_id."
        )

    @cached_property
    def versions(self) -> ProjectVersions:
        """Create, restore and list project versions."""
        from airflow_sv_versioning.hooks.vaults import find_vault
        from airflow_sv_versioning.versioning import ProjectVersions

        return ProjectVersions(self.client, find_vault)

    def get_conn(self) -> SuperviselyClient:
        """Return :attr:`client`, under the name that Airflow's hooks give it."""
        return self.client

    def close(self) -> None:
        """Close what was opened; the next use opens it anew."""
        self.__dict__.pop("versions", None)
        if (client := self.__dict__.pop("client", None)) is not None:
            client.close()

    def __enter__(self) -> SuperviselyHook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def test_connection(self) -> tuple[bool, str]:
        """Say whom the token belongs to; the text is shown unmasked, so it never holds the token."""
        from airflow_sv_versioning.exceptions import UnexpectedAnswerError

        try:
            with self:
                user = self.client.accounts.get_me()
                message = f"Connected to {self.client.server_url} as {user.login}."
                return True, f"{message} What versions can rest on there is told by: sv-versioning doctor"
        except UnexpectedAnswerError as error:
            return False, f"{error} Is the host of the connection a Supervisely server?"
        except SuperviselyError as error:
            return False, str(error)

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Render the declared fields for Airflow 3.1; newer ones read the declaration."""
        from wtforms import BooleanField, IntegerField, StringField

        fields = {"boolean": BooleanField, "integer": IntegerField, "string": StringField}
        return {
            name: fields[field["schema"]["type"][0]](
                field["label"], description=field["description"], default=field["schema"]["default"]
            )
            for name, field in _form()["conn-fields"].items()
        }

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Render the declared behaviour of standard fields for Airflow 3.1."""
        return {key.replace("-", "_"): value for key, value in _form()["ui-field-behaviour"].items()}


def _form() -> dict[str, Any]:
    form: dict[str, Any] = get_provider_info()["connection-types"][0]
    return form
