"""The sandbox as one ASGI app: the routes of every wire, and a page that says what is here.

Strategy: a wire is a module that holds a `Wire`; adding one is a line in `WIRES`. Requests that are still
open are counted and shown, so that a test can see whether a handler outlives its caller.
"""

from __future__ import annotations

import json
import traceback

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from . import (
    aione,
    bfl,
    bfl_faults,
    gateway_door,
    gemini,
    helicone,
    imagen,
    imagen_wishes,
    openai_images,
    openai_responses,
    openrouter,
    vercel_images,
)
from .faults import WORDS
from .wire import Wire

# Where two wires have one address the first is asked first, and passes over what is not for it.
WIRES: tuple[Wire, ...] = (
    aione.WIRE,
    vercel_images.WIRE,
    helicone.WIRE,
    openai_images.WIRE,
    openai_responses.WIRE,
    gateway_door.WIRE,
    openrouter.WIRE,
    gemini.WIRE,
    imagen.WIRE,
    bfl.WIRE,
)


class _OpenRequests:
    """Counts requests which have begun and not ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["open_requests"] = self._count
        self._count += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._count -= 1


async def _about(request: Request) -> Response:
    """What this is, which wires it speaks, how to wish for a fault; and the number of other open requests."""
    about = {
        "what": "A simulated provider of image models. It draws a real picture for each request; no key is "
        "checked with anyone and nothing is fetched.",
        "wires": {wire.title: list(wire.paths) for wire in WIRES},
        "faults": {word.syntax: word.meaning for word in WORDS},
        "faults of one wire": {
            "bfl": {word.syntax: word.meaning for word in bfl_faults.WORDS},
            "imagen": {word.syntax: word.meaning for word in imagen_wishes.OWN_WORDS},
        },
        "how to wish for a fault": "Write [sandbox: slow 2; no image] in the prompt, or send the header "
        "x-sandbox: slow 2; no image (the header wins). Any key will do, but one that starts with 'invalid'; "
        "AIone's have to start with 'sk-nex-'.",
        "open_requests": request.state.open_requests,
    }
    return Response(json.dumps(about, indent=2) + "\n", media_type="application/json")


async def _own_error(_: Request, error: Exception) -> Response:
    """An error in the sandbox itself: told in full, since its log is silent when it runs in a thread."""
    text = "".join(traceback.format_exception(error))
    return Response(
        f"The sandbox itself failed; this is no simulated fault.\n\n{text}", 500, media_type="text/plain"
    )


def create_app() -> ASGIApp:
    """A new app with all wires at its root."""
    routes: list[BaseRoute] = [Route("/", _about, methods=["GET"])]
    for wire in WIRES:
        routes += wire.routes()
    return _OpenRequests(Starlette(routes=routes, exception_handlers={Exception: _own_error}))
