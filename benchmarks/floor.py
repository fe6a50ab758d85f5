"""The same requests as a first create's, by a bare parallel client that throws the bytes away."""

from __future__ import annotations

import argparse
import http.client
import json
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from airflow_sv_versioning.client.figures import _FIELDS, LIST_BATCH
from airflow_sv_versioning.client.images import LIST_PAGE
from benchmarks.measuring import measure

WORKERS = 8


class _Bare:
    """One connection a thread; answers are read, and decoded only where the next request needs it."""

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url).netloc
        self._headers = {"x-api-key": token, "Content-Type": "application/json"}
        self._local = threading.local()

    def call(self, method: str, body: dict[str, Any], encoding: str = "gzip") -> bytes:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(self._address)
        headers = {**self._headers, "Accept-Encoding": encoding}
        self._local.connection.request("POST", f"/public/api/v3/{method}", json.dumps(body), headers)
        answer: bytes = self._local.connection.getresponse().read()
        return answer


def _work(arguments: argparse.Namespace) -> None:
    bare = _Bare(arguments.url, arguments.token)
    window: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for dataset_id, ids in _batches(bare, arguments.project):
            window.append(pool.submit(bare.call, "figures.list", _figures(dataset_id, ids)))
            if len(window) >= 2 * WORKERS:
                window.popleft().result()


def _batches(bare: _Bare, project_id: int) -> Iterator[tuple[int, list[int]]]:
    listing = {"projectId": project_id, "recursive": True, "per_page": 500}
    for dataset in json.loads(bare.call("datasets.list", listing, "identity"))["entities"]:
        body = {"datasetId": dataset["id"], "pagination_mode": "token", "per_page": LIST_PAGE, "sort": "id"}
        while True:
            page = json.loads(bare.call("images.list", body, "identity"))
            ids = [image["id"] for image in page["entities"]]
            for start in range(0, len(ids), LIST_BATCH):
                yield dataset["id"], ids[start : start + LIST_BATCH]
            if page["after"] is None:
                break
            body["after"] = page["after"]


def _figures(dataset_id: int, ids: list[int]) -> dict[str, Any]:
    return {
        "datasetId": dataset_id,
        "fields": list(_FIELDS),
        "filter": [{"field": "entityId", "operator": "in", "value": ids}],
        "integerCoords": False,
        "page": 1,
        "per_page": 20000,
    }


if __name__ == "__main__":
    measure(_work)
