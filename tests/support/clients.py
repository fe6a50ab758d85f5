"""Clients for tests."""

import time

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.retry import RetryPolicy
from airflow_sv_versioning.client.transport import Transport


def impatient_client(
    url: str, token: str, *, timeout: float = 30.0, timeout_in_all: float | None = None, tries: int = 3
) -> SuperviselyClient:
    """Make a client that hardly waits: neither between its tries, nor for what may land late."""
    policy = RetryPolicy(tries=tries, base_seconds=0.001)
    transport = Transport(
        url, token, timeout=timeout, timeout_in_all=timeout_in_all, policy=policy, sleep=_nap
    )
    return SuperviselyClient(url, token, transport=transport)


def _nap(seconds: float) -> None:
    time.sleep(min(seconds, 0.005))
