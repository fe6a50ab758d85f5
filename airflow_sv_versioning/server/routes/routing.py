"""How methods of the API become routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter

Route = TypeVar("Route", bound=Callable[..., Any])


def reads(router: APIRouter, method: str) -> Callable[[Route], Route]:
    """A method that changes nothing: POST, and GET with a query string."""
    return router.api_route(f"/{method}", methods=["GET", "POST"])


def writes(router: APIRouter, method: str) -> Callable[[Route], Route]:
    """A method that changes something: POST only."""
    return router.post(f"/{method}")
