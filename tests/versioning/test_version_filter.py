"""Of which versions somebody is told: what nobody can tell stays in."""

from typing import Any

import pytest

from airflow_sv_versioning.client.models import VersionInfo
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.versioning.changes import Changes, count_changes
from airflow_sv_versioning.versioning.version_filter import VersionFilter
from tests.support.projects import remove_image, touch
from tests.support.proxy import answer
from tests.support.types import Client, Server, Versions, Wire


def version(**facts: Any) -> VersionInfo:
    given: dict[str, Any] = {"version_id": 7, "project_id": 1, "version_num": 3, "team_file_id": 1, **facts}
    return VersionInfo(**given)


@pytest.mark.parametrize(
    ("pattern", "titles", "others"),
    [
        ("release *", ["release 1", "release "], ["Release 1", "a release 1", "release"]),
        ("v[0-9]*", ["v1", "v2.1"], ["version", ""]),
        ("done", ["done"], ["done."]),
        ("", [""], ["a"]),
        ("*", ["", "any"], []),
    ],
)
def test_a_title_is_as_its_pattern_whatever_the_system(
    pattern: str, titles: list[str], others: list[str], client: Client
):
    filter_ = VersionFilter(title=pattern)

    assert [filter_.reason_against(client, version(title=title)) for title in titles] == [""] * len(titles)
    for title in others:
        assert filter_.reason_against(client, version(title=title)) == (
            f"its title {title!r} is not as {pattern!r}"
        )


def test_an_author_is_named_by_id_or_by_a_login_that_is_looked_up_once(
    wired_client: Client, wire: Wire, server: Server
):
    me = wired_client.accounts.get_me()
    mine, other = (version(created_by=who, team_id=server.team_id) for who in (me.id, me.id + 1))
    wire.requests.clear()

    for author, looked_up in ((me.id, 0), (me.login, 1)):
        filter_ = VersionFilter(author=author)
        assert filter_.reason_against(wired_client, mine) == ""
        assert filter_.reason_against(wired_client, other) == (
            f"it was made by user {me.id + 1}, not by {author!r}"
        )
        assert len(wire.requests) == looked_up


def test_a_server_may_name_makers_by_login_or_not_at_all(client: Client, server: Server):
    me = client.accounts.get_me()
    named = version(created_by=me.login, team_id=server.team_id)

    assert VersionFilter(author=me.login).reason_against(client, named) == ""
    assert VersionFilter(author=me.id).reason_against(client, named) == ""
    assert "not by 'bob'" in VersionFilter(author="bob").reason_against(client, named)
    for untold in (None, {"id": 1}, 1.5):
        assert VersionFilter(author="bob").reason_against(client, version(created_by=untold)) == ""


def test_a_login_that_the_team_does_not_have_is_an_error_also_where_filters_are_ignored(
    wire: Wire, wired_client: Client, server: Server
):
    everybody = wired_client.transport.call("members.list", {"teamId": server.team_id})
    wire.always("members.list", lambda _: answer(200, everybody))

    with pytest.raises(
        ConfigurationError, match=rf"Team {server.team_id} has no member with the login 'ann'"
    ):
        VersionFilter(author="ann").reason_against(
            wired_client, version(created_by=1, team_id=server.team_id)
        )


def test_changes_are_those_that_are_recorded_and_unrecorded_ones_stay_in(
    versions: Versions, client: Client, project_id: int
):
    versions.create(project_id)
    remove_image(client, project_id)
    changed = versions.create(project_id).changes
    touch(client, project_id)
    versions.create(project_id, capture="full")
    first, second, full = versions.get_list(project_id)

    assert changed is not None
    assert (changed["items"]["removed"], changed["figures"]["removed"], changed["tags"]["removed"]) == (
        1,
        2,
        1,
    )
    count = count_changes(Changes(changed))
    assert count is not None
    assert count == 4 + changed["datasets"]["changed"]
    assert VersionFilter(least_changes=count).reason_against(client, second) == ""
    assert VersionFilter(least_changes=count + 1).reason_against(client, second) == f"it has {count} changes"
    for unrecorded in (first, full, version(project_id=project_id)):
        assert VersionFilter(least_changes=1_000_000).reason_against(client, unrecorded) == ""


WHOLE: dict[str, Any] = {
    **{part: {"added": 1} for part in ("datasets", "items", "figures", "objects", "tags")},
    "definitions": 1,
}


@pytest.mark.parametrize(
    ("found", "count"),
    [
        (WHOLE, 6),
        ({**WHOLE, "objects": {}}, 5),
        (None, None),
        ({**WHOLE, "tags": None}, None),
        ({**WHOLE, "definitions": None}, None),
        ({**WHOLE, "items": {"added": "3"}}, None),
        ({**WHOLE, "items": {"added": -3}}, None),
        ({**WHOLE, "items": {"added": True}}, None),
        ({name: part for name, part in WHOLE.items() if name != "figures"}, None),
    ],
)
def test_changes_of_another_shape_are_not_counted(found: Any, count: int | None):
    assert count_changes(Changes(found)) == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"title": 7}, "title must be a text"),
        ({"author": ""}, "author must be a user's id or login"),
        ({"author": -1}, "author must be a positive whole number"),
        ({"author": True}, "author must be a positive whole number"),
        ({"least_changes": -1}, "least_changes must be a whole number, 0 or more"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(arguments: dict[str, Any], message: str):
    with pytest.raises(ConfigurationError, match=message):
        VersionFilter(**arguments)
