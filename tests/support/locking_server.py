"""SeaweedFS in a process of its own: an S3 server that keeps what is under object lock.

The one of :mod:`tests.support.buckets` lets locks be shortened. Where uploads in several requests end at the
same moment, this one, too, may let two make one name.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120.0
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")
_OPTIONS = {
    "ip": "127.0.0.1",
    "ip.bind": "127.0.0.1",
    "master.telemetry": "false",
    "master.volumeSizeLimitMB": "64",
    "volume.max": "0",  # as many as the disk holds
    "s3.iam": "false",
    "s3.autoCreateBucket": "false",
    "s3.port.iceberg": "0",
    "s3.port.lance": "0",
}


@contextmanager
def locking_server(folder: Path) -> Iterator[Any]:
    """Start one that keeps its data in a folder; gives a client of it."""
    program = _find_program()
    identity = {"name": "tests", "credentials": [{"accessKey": "key", "secretKey": "secret"}]}
    (folder / "s3.json").write_text(json.dumps({"identities": [{**identity, "actions": ["Admin"]}]}))
    ports = _choose_ports()
    options = {**_OPTIONS, **ports, "dir": str(folder), "s3.config": str(folder / "s3.json")}
    command = [str(program), "-logtostderr=true", "server", "-s3", *(f"-{k}={v}" for k, v in options.items())]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        client = _client_of(int(ports["s3.port"]))
        _wait_for(client, process, folder / "log")
        yield client
    finally:
        # It takes half a minute to end when asked, and its data go with the folder.
        process.kill()
        process.wait()
        for port in ports.values():
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)


def make_locked_bucket(
    client: Any, bucket: str, mode: Literal["COMPLIANCE", "GOVERNANCE"] = "COMPLIANCE", days: int = 1
) -> None:
    """Make a bucket that keeps whatever is put into it for some days."""
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": mode, "Days": days}}
    client.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )


def _find_program() -> Path:
    """Find what ``make s3-env`` installed; without it tests are skipped, where people run them."""
    environment = os.environ.get("SV_SEAWEEDFS_ENV")
    program = (Path(environment) if environment else ROOT / ".venv-seaweedfs") / "bin" / "weed"
    if not program.exists():
        message = f"{program} does not exist: run make s3-env (or set SV_SEAWEEDFS_ENV)."
        assert "CI" not in os.environ, message
        pytest.skip(f"No S3 server with object lock: {message}")
    return program


def _choose_ports() -> dict[str, str]:
    ports: set[int] = set()
    while len(ports) < 2 * len(_PORTS):
        ports.add(free_port())
    names = [name for port in _PORTS for name in (port, f"{port}.grpc")]
    return {name: str(port) for name, port in zip(names, ports, strict=True)}


def _client_of(port: int) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}),
    )


def _wait_for(client: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    from botocore.exceptions import ClientError, EndpointConnectionError

    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            client.list_buckets()
            return
        except (ClientError, EndpointConnectionError) as error:
            if process.poll() is not None or time.monotonic() > give_up:
                raise AssertionError(f"SeaweedFS did not start:\n{log.read_text()[-4000:]}") from error
            time.sleep(0.1)
