"""What a wire hands to the app: a name, the addresses it serves, its routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import Route


@dataclass(frozen=True, kw_only=True)
class Wire:
    """One provider's wire. `paths` are for people to read; `routes` makes the routes, mounted at the root."""

    title: str
    paths: tuple[str, ...]
    routes: Callable[[], list[Route]]
