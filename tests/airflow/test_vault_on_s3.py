"""A vault on a real S3 server, through Airflow's object storage and a connection."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    IntegrityError,
    MediaAbsentError,
    TransportError,
)
from airflow_sv_versioning.hooks.object_storage import Destination, find_destination, find_place
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.hooks.vaults import find_vault
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.audit import check_vault
from airflow_sv_versioning.vault.backends import SPOOL_BYTES
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import list_entries
from tests.support.airflow_runs import pulled, state, task_instance
from tests.support.buckets import s3_server
from tests.support.media import hash_of
from tests.support.projects import add_dataset, make_project
from tests.support.types import Client, Made, Patch, Request, RunDag
from tests.support.vaults import in_trash_for, put_version

pytestmark = pytest.mark.usefixtures("connection")

pytest.importorskip("moto.server")
pytest.importorskip("airflow.providers.amazon")
pytest.importorskip("s3fs")

BUCKET = "originals"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """An S3 server with a bucket; yields a client of it."""
    with s3_server(BUCKET) as client:
        yield client


@pytest.fixture
def url(s3: Any, monkeypatch: Patch, request: Request) -> str:
    """The URL of a vault of its own, reached with the connection ``s3_originals``."""
    connection = {
        "conn_type": "aws",
        "login": "key",
        "password": "secret",
        "extra": {"endpoint_url": s3.meta.endpoint_url, "region_name": "us-east-1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_S3_ORIGINALS", json.dumps(connection))
    return f"s3://s3_originals@{BUCKET}/{request.node.name}"


@pytest.fixture
def vault(url: str, airflow_db: None) -> Vault:
    found = find_vault(url)
    assert found is not None
    return found


def keys(s3: Any, request: Request) -> list[str]:
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{request.node.name}/")
    return [entry["Key"].removeprefix(f"{request.node.name}/") for entry in listed.get("Contents", [])]


def test_contents_go_to_s3_and_come_back(vault: Vault, s3: Any, request: Request):
    large = b"".join(bytes([number]) * (SPOOL_BYTES // 2) for number in range(6))

    vault.put(hash_of(b"small"), [b"small"])
    vault.put(hash_of(large), (large[start : start + 999_983] for start in range(0, len(large), 999_983)))

    assert sorted(keys(s3, request)) == sorted(
        f"media/{digest[:2]}/{digest}"
        for digest in (hashlib.sha256(content).hexdigest() for content in (b"small", large))
    )
    assert b"".join(vault.iter_chunks(hash_of(large))) == large
    assert vault.find_sizes([hash_of(b"small"), hash_of(b"no")]) == {hash_of(b"small"): 5}
    assert set(vault.iter_hashes()) == {hash_of(b"small"), hash_of(large)}
    vault.remove(hash_of(large))
    with pytest.raises(MediaAbsentError):
        vault.open(hash_of(large))


@pytest.mark.parametrize("size", [10, SPOOL_BYTES + 1], ids=["small", "large"])
def test_what_breaks_on_its_way_is_never_seen(vault: Vault, s3: Any, request: Request, size: int):
    def breaking() -> Iterator[bytes]:
        yield b"." * size
        raise TransportError("cut")

    with pytest.raises(TransportError):
        vault.add(breaking())
    with pytest.raises(IntegrityError):
        vault.put(hash_of(b"other"), [b"." * size])

    assert keys(s3, request) == []
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_what_others_write_and_remove_is_seen_at_once(vault: Vault, s3: Any, request: Request):
    """Drivers remember listings; processes share a vault all the same."""
    contents = [str(number).encode() for number in range(20)]
    for content in contents:
        vault.add([content])
    assert len(list(vault.iter_hashes())) == 20
    gone, new = (hashlib.sha256(content).hexdigest() for content in (b"7", b"new"))
    s3.delete_object(Bucket=BUCKET, Key=f"{request.node.name}/media/{gone[:2]}/{gone}")
    s3.put_object(Bucket=BUCKET, Key=f"{request.node.name}/media/{new[:2]}/{new}", Body=b"new")

    assert not vault.holds(hash_of(b"7"))
    assert vault.holds(hash_of(b"new"))
    assert len(list(vault.iter_hashes())) == 20
    with pytest.raises(MediaAbsentError):
        vault.open(hash_of(b"7"))


def test_a_version_keeps_its_originals_on_s3(
    run_dag: RunDag, dag_id: str, client: Client, photos: list[Path], url: str, vault: Vault
):
    project_id = make_project(client, photos[:3])
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator(
            task_id="create", project_id=project_id, vault="{{ params.vault }}", params={"vault": url}
        )

    first = pulled(run_dag(dag), "create", "version")["media"]
    add_dataset(client, project_id, "more", photos[2:4])
    second = pulled(run_dag(dag), "create", "version")["media"]

    assert (first["vault"], first["copied"], first["present"]) == (url, 3, 0)
    assert (second["copied"], second["present"], second["lost_count"]) == (1, 3, 0)
    assert set(vault.iter_hashes()) == {hash_of(photo.read_bytes()) for photo in photos[:4]}


def test_every_use_of_a_vault_reaches_it_through_its_connection(project_id: int, url: str, vault: Vault):
    with SuperviselyHook() as hook:
        hook.versions.create(project_id, vault=url)
        verified = hook.versions.verify(project_id, vault=url)
        checked = hook.versions.check_vault(url)
        vault.add([b"needed by nobody"])
        pruned = hook.versions.prune_vault(url, [project_id])

    assert (verified.checks[3].name, verified.checks[3].state) == ("vault", "good")
    assert (checked.is_good, checked.media, pruned.removed) == (True, 3, 1)


def test_flipped_bits_on_s3_are_found(vault: Vault, s3: Any, request: Request):
    vault.add([b"photo"])
    (key,) = keys(s3, request)
    s3.put_object(Bucket=BUCKET, Key=f"{request.node.name}/{key}", Body=b"phot0")

    assert list(check_vault(vault, Progress()).damaged) == [hash_of(b"photo")]
    check_vault(vault, Progress(), set_aside=True)
    assert keys(s3, request) == [f"damaged/{key.rpartition('/')[2]}"]


@pytest.mark.parametrize(
    "bad", ["s3://s3_originals@no-such-bucket/x", "s3://no_such_connection@bucket/x", "nosuch://bucket/x"]
)
def test_a_vault_that_is_set_up_wrongly_fails_the_task_for_good(
    run_dag: RunDag, dag_id: str, project_id: int, url: str, bad: str, client: Any
):
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator(
            task_id="create", project_id=project_id, vault=bad, retries=1, retry_delay=timedelta(0)
        )

    run = run_dag(dag)

    assert (state(run, "create"), task_instance(run, "create").try_number) == ("failed", 1)
    assert list(client.versions.list_all(project_id)) == []


def test_a_local_folder_needs_no_url(tmp_path: Path):
    vault = find_vault(str(tmp_path))
    assert vault is not None
    assert vault.url == tmp_path.as_uri()
    assert find_vault(None) is None


@pytest.mark.parametrize("bad", ["ftp://somewhere/else", "", "None", " \n"])
def test_what_names_no_vault_is_refused(bad: str):
    with pytest.raises(ConfigurationError):
        find_vault(bad)


def test_a_data_set_goes_to_s3_through_its_connection(
    made: Made, url: str, vault: Vault, s3: Any, request: Request, tmp_path: Path
):
    with SuperviselyHook() as hook:
        result = hook.versions.export(
            made.project_id,
            made.version_id,
            format="coco",
            media="copy",
            destination=find_place("destination", f"{url}/lemons/"),
            cache=tmp_path,
        )

    assert result.as_dict()["media"]["files"] == 3
    assert {"lemons/_SUCCESS", "lemons/manifest.json"} <= {*keys(s3, request)}
    assert not any("_parts" in key for key in keys(s3, request))


def destination(location: str) -> Destination:
    found = find_destination("report", location)
    assert found is not None
    return found


@pytest.mark.usefixtures("airflow_db")
def test_a_file_is_brought_into_a_bucket_and_replaced(url: str, s3: Any, request: Request, tmp_path: Path):
    file = tmp_path / "report.html"

    for content in (b"of yesterday", b"of today"):
        file.write_bytes(content)
        destination(f"{url}/reports/diff.html").take(file)

    assert keys(s3, request) == ["reports/diff.html"]
    key = f"{request.node.name}/reports/diff.html"
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"of today"


@pytest.mark.usefixtures("airflow_db")
def test_a_file_for_a_bucket_that_is_not_there_is_refused(url: str, tmp_path: Path):
    file = tmp_path / "report.html"
    file.write_bytes(b"of today")

    with pytest.raises(ConfigurationError, match=r"cannot be written: .* Is its bucket or folder there\?"):
        destination(url.replace(f"@{BUCKET}", "@not-there")).take(file)


def test_a_vault_is_thinned_out_and_what_went_comes_back(client: Client, url: str):
    owner = Owner.of(client.server_url, make_project(client, []))
    with SuperviselyHook() as hook:
        vault = find_vault(url)
        assert vault is not None
        for number in range(1, 4):
            put_version(vault, owner, number, now().subtract(days=60 - number), [b"x" * number])
        planned = hook.versions.plan_retention(owner.project_id, vault=url, policy={"keep_last": 2})
        result = hook.versions.apply_retention(planned.summary())

        assert (result.removed_nums, result.locked) == ((1,), ())
        assert [entry.version_num for entry in list_entries(vault, owner)] == [2, 3]
        assert hook.versions.prune_vault(url, [owner.project_id]).removed == 0
        version = f"{owner.server}/{owner.project_id}/1"
        assert hook.versions.undelete_version(url, version).version_num == 1
        hook.versions.apply_retention(planned)
        in_trash_for(7, vault, owner)
        assert hook.versions.prune_vault(url, [owner.project_id]).removed == 2
