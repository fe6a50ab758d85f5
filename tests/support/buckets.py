"""A real S3 server in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from upath import UPath


@contextmanager
def s3_server(bucket: str) -> Iterator[Any]:
    """Start one with a bucket; gives a client of it."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=bucket)
    yield client
    server.stop()


def s3_path(client: Any, url: str) -> UPath:
    """A path on that server, as fsspec has it."""
    options = {"endpoint_url": client.meta.endpoint_url, "region_name": "us-east-1"}
    return UPath(url, key="key", secret="secret", client_kwargs=options)


def read_objects(client: Any, bucket: str, prefix: str) -> dict[str, bytes]:
    """Read all objects below a prefix, by their names there."""
    listed = client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
    return {
        entry["Key"].removeprefix(f"{prefix}/"): client.get_object(Bucket=bucket, Key=entry["Key"])[
            "Body"
        ].read()
        for entry in listed
    }
