"""Thinning out the versions of a vault: what is planned, what is done, and what comes back."""

import json
from itertools import count
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    FormatError,
    IntegrityError,
    MediaAbsentError,
    RetentionRefusedError,
    VersionNotFoundError,
)
from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.holds import hold_version, release_version
from airflow_sv_versioning.vault.locks import making_version
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.retention.policy import RetentionPolicy
from airflow_sv_versioning.vault.trash import list_trashed, trash_version
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import Entry, VaultVersionRef, list_entries
from airflow_sv_versioning.versioning.prune import prune_vault
from airflow_sv_versioning.versioning.retention.applying import apply_retention
from airflow_sv_versioning.versioning.retention.holding import hold
from airflow_sv_versioning.versioning.retention.plan import ApprovedPlan, RetentionOrder, RetentionPlan
from airflow_sv_versioning.versioning.retention.planning import plan_retention
from airflow_sv_versioning.versioning.retention.undeleting import undelete_version
from tests.support.buckets import s3_path
from tests.support.locking_server import make_locked_bucket
from tests.support.projects import make_project
from tests.support.types import Client, Versions
from tests.support.vaults import in_trash_for, put_version

SHARED = b"in all versions"
LAST_THREE = RetentionPolicy(keep_last=3)
_numbers = count(1)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


@pytest.fixture
def owner(client: Client) -> Owner:
    project_id = client.projects.add(1, f"thinned {next(_numbers)} of {id(client)}").id
    return Owner.of(client.server_url, project_id)


@pytest.fixture
def filled(vault: Vault, owner: Owner) -> Vault:
    """A vault with five versions, a month old and older, each with a content of its own and one of all."""
    for number in range(1, 6):
        made_at = now().subtract(days=60 - number)
        put_version(vault, owner, number, made_at, [SHARED, b"only in " + b"x" * number])
    return vault


def order_of(vault: Vault, owner: Owner, policy: RetentionPolicy = LAST_THREE, **others) -> RetentionOrder:
    return RetentionOrder(
        vault_url=vault.url,
        server=owner.server,
        project_id=owner.project_id,
        policy=policy,
        **{"timezone": "UTC", "allow": "nothing", "made_at": now(), **others},
    )


def plan(client: Client, vault: Vault, owner: Owner, *experiments: object, **others) -> RetentionPlan:
    order = order_of(vault, owner, **others)
    return plan_retention(client, vault, order, experiments=experiments, progress=Progress())


def apply(client: Client, vault: Vault, planned: RetentionPlan):
    approved = ApprovedPlan.parse(json.loads(json.dumps(planned.as_dict())))
    return apply_retention(client, vault, approved, progress=Progress())


def removed(planned: RetentionPlan) -> list[int]:
    return sorted(version.decision.version.version_num for version in planned.removed)


def present(vault: Vault, owner: Owner) -> list[int]:
    return [entry.version_num for entry in list_entries(vault, owner)]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- plans --------------------------------------------------------------------------------------------------


def test_a_plan_says_of_each_version_what_becomes_of_it_and_what_it_alone_needs(client, filled, owner):
    planned = plan(client, filled, owner)

    rows = [version.as_dict() for version in planned.versions]
    assert [row["version_num"] for row in rows] == [5, 4, 3, 2, 1]
    assert [row["keep"] for row in rows] == [True, True, True, False, False]
    assert rows[0]["reasons"] == ["it is the newest", "keep_last 3"]
    assert rows[4]["reasons"] == ["no rule keeps it"]
    assert rows[4]["only_bytes"] == len(f"archive 1 of {owner}") + len(b"only in x")
    assert planned.summary()["remove_bytes"] == rows[3]["only_bytes"] + rows[4]["only_bytes"]


def test_a_plan_is_made_of_a_vault_that_refuses_every_write(client, filled, owner, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    # Who runs the tests may be an administrator, who writes to any folder, whatever its mode says.
    for method in ("write", "create", "move", "remove", "clear_incoming"):
        monkeypatch.setattr(filled.backend, method, refuse)

    assert removed(plan(client, filled, owner)) == [1, 2]


def test_an_address_without_versions_of_the_project_is_not_an_empty_plan(client, vault, owner):
    with pytest.raises(VersionNotFoundError, match="holds no version of project"):
        plan(client, vault, owner)


def test_a_project_that_cannot_be_seen_is_not_planned_for(client, filled, owner):
    client.projects.archive(owner.project_id)

    with pytest.raises(ConfigurationError, match="cannot be seen"):
        plan(client, filled, owner)


def test_more_than_half_are_refused(client, filled, owner):
    with pytest.raises(RetentionRefusedError, match="more than half"):
        plan(client, filled, owner, policy=RetentionPolicy(keep_last=2))
    allowed = plan(client, filled, owner, policy=RetentionPolicy(keep_last=2), allow="half")
    assert removed(allowed) == [1, 2, 3]


def test_held_versions_stay_until_they_are_released(client, filled, owner):
    hold_version(filled, owner, Entry(1, owner.project_id * 1000 + 1, 1), "audit", "ann")

    held = next(version for version in plan(client, filled, owner).versions[::-1])
    assert held.decision.keep
    assert [reason.split(" since ")[0] for reason in held.decision.reasons] == ["held by ann"]
    assert release_version(filled, owner, Entry(1, owner.project_id * 1000 + 1, 1))
    assert removed(plan(client, filled, owner)) == [1, 2]


def test_a_hold_that_nobody_can_read_is_one(client, filled, owner):
    name = f"state/holds/{owner.server}/{owner.project_id}/1-{owner.project_id * 1000 + 1}.json"
    filled.write_file(name, [b"{"])

    assert removed(plan(client, filled, owner)) == [2]


def test_a_version_that_an_experiment_names_stays(client, filled, owner):
    record = {
        "format": "sv-experiment/1",
        "server": client.server_url,
        "project_id": owner.project_id,
        "version_num": 1,
        "dag_id": "training",
        "run_id": "monday",
    }
    elsewhere = {**record, "server": "https://elsewhere.example", "version_num": 2}

    planned = plan(client, filled, owner, record, elsewhere)

    assert removed(planned) == [2]
    assert planned.versions[-1].decision.reasons == ("run monday of training used it",)
    with pytest.raises(ConfigurationError, match="no record of an experiment"):
        plan(client, filled, owner, {**record, "version_num": "first"})


def test_what_was_restored_is_previewed_or_has_no_readable_moment_stays(
    versions: Versions, client, vault, photos
):
    project_id = make_project(client, photos[:1])
    owner = Owner.of(client.server_url, project_id)
    made = versions.create(project_id, enable_preview=True)
    restored = versions.restore(project_id, version_id=made.version_id)
    old = now().subtract(years=1)
    put_version(vault, owner, 1, old, version_id=made.version_id)
    put_version(vault, owner, 2, "at some time")
    put_version(vault, owner, 3, old.add(days=2))
    put_version(vault, owner, 4, old.add(days=3))

    planned = plan(client, vault, owner, policy=RetentionPolicy(keep_last=1))

    reasons = {version.decision.version.version_num: version.decision.reasons for version in planned.versions}
    assert removed(planned) == [3]
    assert reasons[2] == ("nobody knows when it was made",)
    preview_id = versions.get_info_by_id(project_id, made.version_id).preview_project_id
    assert set(reasons[1]) == {
        f"project {restored.project_id} {restored.project_name!r} was restored from it",
        f"project {preview_id} is its preview",
    }
    client.projects.archive(restored.project_id)
    client.projects.archive(preview_id)
    assert removed(plan(client, vault, owner, policy=RetentionPolicy(keep_last=1))) == [1, 3]


def test_archives_on_the_platform_are_told_as_what_cannot_be_removed(versions, client, vault, photos):
    project_id = make_project(client, photos[:1])
    owner = Owner.of(client.server_url, project_id)
    made = versions.create(project_id)
    put_version(vault, owner, 1, now().subtract(years=1), version_id=made.version_id)
    put_version(vault, owner, 2, now().subtract(days=100))

    planned = plan(client, vault, owner, policy=RetentionPolicy(keep_last=1))

    file = client.files.find(client.projects.get(project_id).team_id, made.archive_path)
    [archive] = planned.summary()["cannot"]
    assert (archive["version_num"], archive["bytes"]) == (1, file.size_bytes)
    assert planned.summary()["cannot_bytes"] == file.size_bytes


def test_the_latest_version_is_safe_while_another_is_made_on_it(versions, client, vault, photos):
    project_id = make_project(client, photos[:1])
    owner = Owner.of(client.server_url, project_id)
    made = versions.create(project_id)
    put_version(vault, owner, 1, now().subtract(years=1), version_id=made.version_id)
    put_version(vault, owner, 2, now().subtract(days=100))

    with making_version(vault, owner, Progress(), 0):
        planned = plan(client, vault, owner, policy=RetentionPolicy(keep_last=1))

    assert planned.versions[-1].decision.reasons == ("a version is being made on it",)


# --- applying -----------------------------------------------------------------------------------------------


def test_what_was_planned_goes_to_the_trash_and_comes_back_as_it_was(client, filled, owner, tmp_path):
    before = files_of(tmp_path / "vault")

    result = apply(client, filled, plan(client, filled, owner))

    assert (result.removed_nums, result.locked) == ((2, 1), ())
    assert present(filled, owner) == [3, 4, 5]
    assert [trashed.version_num for trashed in list_trashed(filled, owner)] == [1, 2]
    for number in (1, 2):
        ref = VaultVersionRef.parse(f"{owner.server}/{owner.project_id}/{number}")
        assert undelete_version(filled, ref, Progress()).version_num == number
    assert files_of(tmp_path / "vault") == before


def test_what_was_made_since_does_not_disturb_a_plan(client, filled, owner):
    planned = plan(client, filled, owner)
    put_version(filled, owner, 6, now().add(seconds=1))

    assert apply(client, filled, planned).removed_nums == (2, 1)
    assert present(filled, owner) == [3, 4, 5, 6]


def test_a_plan_that_would_do_something_else_by_now_does_nothing(client, filled, owner):
    planned = plan(client, filled, owner)
    hold_version(filled, owner, Entry(2, owner.project_id * 1000 + 2, 1), "audit", "ann")

    with pytest.raises(RetentionRefusedError, match=r"something else now: version 2 stays \(held by ann"):
        apply(client, filled, planned)
    assert present(filled, owner) == [1, 2, 3, 4, 5]


def test_an_older_version_that_came_since_makes_a_plan_another_one(client, filled, owner):
    planned = plan(client, filled, owner)
    put_version(filled, owner, 7, now().subtract(days=55, hours=12))

    with pytest.raises(RetentionRefusedError, match="now: versions 3 would go, too"):
        apply(client, filled, planned)
    assert present(filled, owner) == [1, 2, 3, 4, 5, 7]


def test_a_plan_that_was_cut_short_goes_on(client, filled, owner, monkeypatch):
    planned = plan(client, filled, owner)
    removals = iter([None, None])
    remove = filled.backend.remove

    def remove_once(name: str) -> None:
        if name.startswith("versions/") and next(removals, "end") == "end":
            raise KeyboardInterrupt
        if name.startswith("versions/"):
            next(removals)
        remove(name)

    monkeypatch.setattr(filled.backend, "remove", remove_once)
    with pytest.raises(KeyboardInterrupt):
        apply(client, filled, planned)
    monkeypatch.undo()

    assert present(filled, owner) == [1, 3, 4, 5]
    assert apply(client, filled, planned).removed_nums == (2, 1)
    assert apply(client, filled, planned).removed_nums == (2, 1)
    assert present(filled, owner) == [3, 4, 5]


def test_a_summary_is_enough_to_apply_a_plan(client, filled, owner):
    planned = plan(client, filled, owner)
    approved = ApprovedPlan.parse(json.loads(json.dumps(planned.summary())))

    assert apply_retention(client, filled, approved, progress=Progress()).removed_nums == (2, 1)


@pytest.mark.parametrize("place", [0, 4])
def test_a_plan_that_somebody_changed_is_refused(client, filled, owner, place):
    data = plan(client, filled, owner).as_dict()
    data["versions"][place]["keep"] = not data["versions"][place]["keep"]

    with pytest.raises(IntegrityError, match="was changed"):
        ApprovedPlan.parse(data)


@pytest.mark.parametrize(
    "data", [{}, [], None, {"format": "sv-retention-plan/1"}, {"format": "sv-retention-plan/2"}]
)
def test_what_is_no_plan_is_refused(data):
    with pytest.raises(FormatError, match="no plan of retention"):
        ApprovedPlan.parse(data)


def test_a_plan_with_another_policy_than_its_digest_is_refused(client, filled, owner):
    data = plan(client, filled, owner).summary()
    approved = ApprovedPlan.parse({**data, "policy": {"keep_last": 4}})

    with pytest.raises(RetentionRefusedError, match="something else now: now versions 1 would go"):
        apply_retention(client, filled, approved, progress=Progress())
    assert present(filled, owner) == [1, 2, 3, 4, 5]


# --- the trash ----------------------------------------------------------------------------------------------


def test_a_version_whose_contents_are_gone_does_not_come_back(client, filled, owner):
    apply(client, filled, plan(client, filled, owner))
    filled.remove(next(iter(filled.find_sizes([*filled.iter_hashes()]))))
    for content in [*filled.iter_hashes()]:
        filled.remove(content)

    ref = VaultVersionRef.parse(f"{owner.server}/{owner.project_id}/1")
    with pytest.raises(MediaAbsentError, match="cannot be brought back"):
        undelete_version(filled, ref, Progress())
    assert present(filled, owner) == [3, 4, 5]


@pytest.mark.parametrize(("number", "error"), [("7", VersionNotFoundError), ("latest", ConfigurationError)])
def test_what_is_not_in_the_trash_does_not_come_back(client, filled, owner, number, error):
    ref = VaultVersionRef.parse(f"{owner.server}/{owner.project_id}/{number}")

    with pytest.raises(error, match="trash"):
        undelete_version(filled, ref, Progress())


def prune(client: Client, vault: Vault, owner: Owner):
    return prune_vault(client, vault, [owner.project_id], progress=Progress())


def test_what_lies_in_the_trash_keeps_its_contents_for_seven_days(client, filled, owner):
    apply(client, filled, plan(client, filled, owner))
    in_trash_for(6, filled, owner)

    assert (prune(client, filled, owner).removed, prune(client, filled, owner).kept) == (0, 11)
    in_trash_for(7, filled, owner)
    # An archive each, and the content that no other version has.
    assert (prune(client, filled, owner).removed, prune(client, filled, owner).kept) == (4, 7)
    ref = VaultVersionRef.parse(f"{owner.server}/{owner.project_id}/1")
    with pytest.raises(MediaAbsentError, match="pruned since"):
        undelete_version(filled, ref, Progress())


def test_a_plan_that_was_applied_long_ago_changes_nothing(client, filled, owner):
    planned = plan(client, filled, owner)
    apply(client, filled, planned)
    in_trash_for(8, filled, owner)

    assert apply(client, filled, planned).removed_nums == (2, 1)
    assert [trashed.is_young for trashed in list_trashed(filled, owner)] == [False, False]


def test_what_is_held_in_the_trash_keeps_its_contents(client, filled, owner):
    apply(client, filled, plan(client, filled, owner))
    in_trash_for(8, filled, owner)
    ref = VaultVersionRef.parse(f"{owner.server}/{owner.project_id}/1")

    assert hold(filled, ref, "audit", "ann").is_in_trash
    assert prune(client, filled, owner).removed == 2
    assert undelete_version(filled, ref, Progress()).version_num == 1


def test_whole_versions_keep_their_contents_whatever_the_server_lists(client, filled, owner):
    assert [*client.versions.list_all(owner.project_id)] == []
    assert prune(client, filled, owner).removed == 0


def test_what_retention_took_out_is_not_needed_because_the_platform_has_it_still(
    versions, client, vault, photos
):
    project_id = make_project(client, photos[:1])
    owner = Owner.of(client.server_url, project_id)
    made = versions.create(project_id, vault=vault)
    put_version(vault, owner, 2, now().subtract(days=1))
    trash_version(vault, owner, Entry(1, made.version_id, 1), "digest")
    in_trash_for(8, vault, owner)

    assert prune(client, vault, owner).removed == 2
    assert prune(client, vault, owner).kept == 1


def test_what_retention_took_out_comes_back_by_its_number_and_not_with_all(versions, client, vault, photos):
    project_id = make_project(client, photos[:1])
    owner = Owner.of("https://old.example", project_id)
    made = versions.create(project_id, vault=vault, as_server="old.example")
    put_version(vault, owner, 2, now().subtract(days=1))
    trash_version(vault, owner, Entry(1, made.version_id, 1), "digest")
    in_trash_for(8, vault, owner)
    assert versions.prune_vault(vault, [project_id], as_server="old.example").removed == 2

    assert versions.push_to_vault(project_id, vault, as_server="old.example").versions == ()
    assert present(vault, owner) == [2]
    assert versions.push_to_vault(project_id, vault, [1], as_server="old.example").is_whole
    assert present(vault, owner) == [1, 2]


@pytest.mark.parametrize("place", ["versions", "state/trash"])
def test_a_file_of_a_vault_that_cannot_be_read_stops_everything(client, filled, owner, place, tmp_path):
    planned = plan(client, filled, owner)
    apply(client, filled, planned)
    next((tmp_path / "vault" / place).rglob("*.json")).write_bytes(b"{")

    with pytest.raises(FormatError, match="cannot be read"):
        apply(client, filled, planned)
    if place == "state/trash":
        with pytest.raises(FormatError, match="cannot be read"):
            prune(client, filled, owner)


# --- object lock --------------------------------------------------------------------------------------------


def test_what_a_bucket_keeps_is_told_and_stays(client, owner, locking_s3):
    make_locked_bucket(locking_s3, "thinned", days=1)
    vault = Vault(s3_path(locking_s3, "s3://thinned/vault"))
    for number in range(1, 4):
        put_version(vault, owner, number, now().subtract(days=60 - number))
    planned = plan(client, vault, owner, policy=RetentionPolicy(keep_last=2))

    result = apply(client, vault, planned)

    [(version_num, lock)] = result.locked
    assert (version_num, result.removed_nums) == (1, ())
    assert lock.startswith("locked until 20")
    assert present(vault, owner) == [1, 2, 3]
    vault.add([b"needed by nobody"])
    pruned = prune(client, vault, owner)
    assert (pruned.removed, pruned.locked, pruned.kept) == (0, 1, 3)
