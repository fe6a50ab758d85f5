"""What the official SDK needs to reach a server, in an environment of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airflow_sv_versioning.client.address import normalize_server_address
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook


class SdkEnvironment(Mapping[str, str]):
    """A connection as the environment variables that the official SDK reads, for ``env_vars`` of a task.

    .. code-block:: python

        @task.external_python(python=SDK_PYTHON, expect_airflow=False, env_vars=SdkEnvironment())
        def train(project_id: int):
            import supervisely as sly

            api = sly.Api.from_env()

    They are ``SERVER_ADDRESS`` and ``API_TOKEN``, and where the connection has a ``ca_file``,
    ``REQUESTS_CA_BUNDLE`` and ``SSL_CERT_FILE``. The connection is read on the worker, when the task starts
    the other Python, and the token is in that one's environment alone: not in the DAG, an XCom or a rendered
    field, and masked in logs.

    :param supervisely_conn_id: the connection.
    """

    def __init__(self, supervisely_conn_id: str = SuperviselyHook.default_conn_name) -> None:
        self.supervisely_conn_id = supervisely_conn_id

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.supervisely_conn_id!r})"

    def _read(self) -> dict[str, str]:
        arguments = SuperviselyHook(self.supervisely_conn_id).client_arguments()
        # Without a scheme the SDK would send the token over plain HTTP.
        address = normalize_server_address(arguments["server_address"])
        variables = {"SERVER_ADDRESS": address, "API_TOKEN": arguments["token"]}
        if ca_file := arguments.get("ca_file"):
            variables |= {"REQUESTS_CA_BUNDLE": ca_file, "SSL_CERT_FILE": ca_file}
        return variables
