"""Users, teams and workspaces."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_sv_versioning.client.models import Team, User, Workspace
from airflow_sv_versioning.client.transport import Transport


class Accounts:
    """Who works on the server, and where."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_me(self) -> User:
        """Read the user that the token belongs to. Source: POST users.me."""
        return self._transport.call_record("users.me", None, User)

    def find_member(self, team_id: int, login: str) -> User | None:
        """Find a member of a team by login; ``None`` where it has none of this login.

        Source: POST members.list.
        """
        filters = [{"field": "login", "operator": "=", "value": login}]
        members = self._transport.list_records("members.list", {"teamId": team_id, "filter": filters}, User)
        # Some servers ignore filters that they do not know.
        return next((member for member in members if member.login == login), None)

    def get_team(self, team_id: int) -> Team:
        """Read a team with its subscription. Source: POST teams.info."""
        return self._transport.call_record("teams.info", {"id": team_id}, Team)

    def get_workspace(self, workspace_id: int) -> Workspace:
        """Read a workspace. Source: POST workspaces.info."""
        return self._transport.call_record("workspaces.info", {"id": workspace_id}, Workspace)

    def list_workspaces(self, team_id: int, name: str | None = None) -> Iterator[Workspace]:
        """Stream the workspaces of a team, or those of one name. Source: POST workspaces.list."""
        filters = [] if name is None else [{"field": "name", "operator": "=", "value": name}]
        body = {"teamId": team_id, "filter": filters}
        yield from self._transport.list_records("workspaces.list", body, Workspace)

    def add_workspace(self, team_id: int, name: str, *, hidden: bool = False) -> Workspace:
        """Make a workspace. Source: POST workspaces.add, workspaces.visibility.set."""
        body = {"teamId": team_id, "name": name, "description": ""}
        workspace = self._transport.call_record("workspaces.add", body, Workspace, idempotent=False)
        if hidden:
            self._transport.call("workspaces.visibility.set", {"id": workspace.id, "hidden": True})
        return workspace
