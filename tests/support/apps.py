"""Applications that run on the server as long as a test wants."""

from collections.abc import Callable

from tests.support.types import Client


class App:
    """An application run on the server whose status the test decides."""

    def __init__(self, client: Client, workspace_id: int, project_id: int | None) -> None:
        self._client = client
        state = {} if project_id is None else {"slyProjectId": project_id}
        body = {
            "workspaceId": workspace_id,
            "moduleId": 1,
            "description": "Import",
            "params": {"state": state},
        }
        answer = client.transport.call("tasks.run.app", body)[0]
        self.id = answer.get("id") or answer["taskId"]
        self.become("started")

    def become(self, status: str) -> None:
        self._client.transport.call("tasks.status.update", {"id": self.id, "status": status})


StartApp = Callable[..., App]
