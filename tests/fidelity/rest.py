"""The platform's API without our client: what is compared must not have gone through what is tested."""

from collections.abc import Iterator, Mapping
from typing import Any

import requests
from requests_toolbelt import MultipartDecoder


class Rest:
    """One user's access to a server."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        # The server is on this machine: no proxy, and no search for one at every request.
        self._session.trust_env = False
        self._session.headers["x-api-key"] = token

    def call(self, method: str, body: Any) -> Any:
        """POST JSON; an answer that is no success raises, with what the server says."""
        return self._checked(self._session.post(f"{self._url}/public/api/v3/{method}", json=body)).json()

    def pages(self, method: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Go through all entities of a listing, page by page; as many as the server says there are."""
        number, count = 1, 0
        while True:
            page = self.call(method, {**body, "page": number, "per_page": 500})
            yield from page["entities"]
            count += len(page["entities"])
            if number >= page["pagesCount"]:
                assert count == page["total"], f"{method} listed {count} of {page['total']}"
                return
            number += 1

    def file(self, method: str, number: int) -> bytes | None:
        """Ask for one file by its id; ``None`` where the server says that it has none."""
        answer = self._session.post(f"{self._url}/public/api/v3/{method}", json={"ids": [number]})
        if answer.status_code == 404:
            return None
        [part] = MultipartDecoder.from_response(self._checked(answer)).parts
        return part.content

    def upload(self, method: str, fields: list[tuple[str, Any]]) -> Any:
        """POST a multipart form."""
        return self._checked(self._session.post(f"{self._url}/public/api/v3/{method}", files=fields)).json()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    @staticmethod
    def _checked(answer: requests.Response) -> requests.Response:
        assert answer.ok, f"{answer.request.url}: {answer.status_code} {answer.text[:500]}"
        return answer
