"""A watcher tells of versions that anybody makes, once of each."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_sv_versioning.assets import read_version_event
from airflow_sv_versioning.triggers.new_versions import NewVersionTrigger
from tests.support.airflow_runs import EVENT_KEYS
from tests.support.projects import touch
from tests.support.proxy import alter, refuse
from tests.support.types import Client, Versions, Wire

pytestmark = pytest.mark.usefixtures("connection")


class AssetStore:
    """Stands in for Airflow's asset state store in a trigger."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    async def aget(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    async def aset(self, key: str, value: Any) -> None:
        self.values[key] = value


def watch(
    project_id: int, store: AssetStore | None, count: int, meanwhile: Any = None
) -> list[dict[str, Any]]:
    """Run a watcher until it has told of ``count`` versions; the triggerer stops when it takes the last."""

    async def listen() -> list[dict[str, Any]]:
        trigger = NewVersionTrigger(project_id=project_id, poke_interval=0.02)
        trigger.asset_state_store = store  # type: ignore[assignment]
        told: list[dict[str, Any]] = []
        making = asyncio.create_task(asyncio.to_thread(meanwhile, trigger)) if meanwhile else None
        async for event in trigger.run():
            told.append(event.payload)
            if len(told) == count:
                # Airflow takes the event before it lets the trigger go on.
                await trigger._keep(event.payload["version_num"])
                break
        await trigger.cleanup()
        if making:
            await making
        return told

    return asyncio.run(asyncio.wait_for(listen(), 60))


def _after_first_look(trigger: NewVersionTrigger, act: Any) -> None:
    while trigger._cursor is None:
        time.sleep(0.01)
    act()


def test_a_watcher_tells_of_versions_made_after_its_start(project_id, versions: Versions, client: Client):
    versions.create(project_id, "old")
    touch(client, project_id)

    [told] = watch(
        project_id, None, 1, lambda t: _after_first_look(t, lambda: versions.create(project_id, "new"))
    )

    assert (told["version_num"], told["title"], told["created"]) == (2, "new", True)
    unchanged = versions.create(project_id).as_dict()
    assert {key: told[key] for key in EVENT_KEYS} == {key: unchanged[key] for key in EVENT_KEYS} | {
        "created": True
    }
    assert read_version_event(SimpleNamespace(extra={"from_trigger": True, "payload": told})) == told


def test_a_watcher_that_was_down_tells_what_it_missed_once(project_id, versions: Versions, client: Client):
    store = AssetStore()
    [first] = watch(project_id, store, 1, lambda t: _after_first_look(t, lambda: versions.create(project_id)))
    for _ in range(2):
        touch(client, project_id)
        versions.create(project_id)

    told = watch(project_id, store, 2)

    assert first["version_num"] == 1
    assert [version["version_num"] for version in told] == [2, 3]


def test_versions_that_are_left_out_are_passed(project_id, versions: Versions, client: Client):
    store = AssetStore()
    store.values["supervisely_version_num"] = 0
    for title in ("draft", "release 1", "Release"):
        touch(client, project_id)
        versions.create(project_id, title)

    async def listen() -> list[str]:
        trigger = NewVersionTrigger(project_id=project_id, poke_interval=0.02, title="release*")
        trigger.asset_state_store = store  # type: ignore[assignment]
        told: list[str] = []

        async def take() -> None:
            async for event in trigger.run():
                told.append(event.payload["title"])

        taking = asyncio.create_task(take())
        while store.values["supervisely_version_num"] < 3:
            await asyncio.sleep(0.01)
        taking.cancel()
        await trigger.cleanup()
        return told

    assert asyncio.run(asyncio.wait_for(listen(), 60)) == ["release 1"]


def test_unfinished_versions_are_not_told_of(proxy: Wire, project_id: int, versions: Versions):
    versions.create(project_id, "unfinished first")
    store = AssetStore()
    store.values["supervisely_version_num"] = 0
    unfinished = alter(
        lambda page: {**page, "entities": [{**v, "teamFileId": None} for v in page["entities"]]}
    )
    proxy.on("projects.versions.list", unfinished, unfinished)

    [told] = watch(project_id, store, 1)

    assert told["archive_path"] is not None
    assert len(proxy.seen("projects.versions.list")) == 3


def test_a_watcher_outlives_what_fails(proxy: Wire, one_try: None, project_id: int, versions: Versions):
    proxy.on("projects.versions.list", refuse(503), refuse(404))

    told = watch(project_id, None, 1, lambda t: _after_first_look(t, lambda: versions.create(project_id)))

    assert told[0]["version_num"] == 1


def test_a_watcher_of_several_assets_has_no_store_and_works(project_id: int, versions: Versions):
    class Ambiguous(AssetStore):
        async def aget(self, key: str, default: Any = None) -> Any:
            raise ValueError("Task has 2 concrete inlets")

    told = watch(
        project_id, Ambiguous(), 1, lambda t: _after_first_look(t, lambda: versions.create(project_id))
    )

    assert told[0]["version_num"] == 1


def test_equal_watchers_are_one_trigger():
    assert NewVersionTrigger(project_id=7).serialize() == NewVersionTrigger(project_id=7).serialize()
    path, arguments = NewVersionTrigger(project_id=7).serialize()
    assert path == "airflow_sv_versioning.triggers.new_versions.NewVersionTrigger"
    assert NewVersionTrigger(**arguments).project_id == 7
    # As an earlier version of this package wrote them.
    old = {name: arguments[name] for name in ("project_id", "supervisely_conn_id", "poke_interval")}
    assert NewVersionTrigger(**old).serialize() == (path, arguments)
