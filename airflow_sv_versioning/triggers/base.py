"""What the triggers of this package share: how they are described, and the client that they open."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger

from airflow_sv_versioning.hooks.supervisely import SuperviselyHook

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient


class SuperviselyTrigger(BaseTrigger):
    """A trigger that looks at the platform; each argument of its constructor is an attribute, too."""

    supervisely_conn_id: str
    _client: SuperviselyClient | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Describe the trigger; the token stays in the connection."""
        arguments = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def cleanup(self) -> None:
        """Close the connections to the server; the next look reads the Airflow connection anew."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.close)

    async def open_client(self) -> SuperviselyClient:
        """Open the connection's client, which stays open until :meth:`cleanup`."""
        if self._client is None:
            self._client = await SuperviselyHook(self.supervisely_conn_id).get_async_client()
        return self._client
