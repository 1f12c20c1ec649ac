"""The address that several gateways have in common, told apart by how they write a model's id.

Strategy: `creator/model` is Vercel's, `model/provider` Helicone's, a bare id AIone's. A gateway is a row of
`GATEWAYS`; the first that knows the id answers, the last one whatever nobody knows.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .aione import AIONE
from .chat_exchange import Gateway, read_json
from .helicone import HELICONE
from .vercel_chat import VERCEL
from .wire import Wire

GATEWAYS: tuple[Gateway[Any], ...] = (HELICONE, VERCEL, AIONE)


def routes() -> list[Route]:
    """The route of this door, to be mounted at the root."""
    return [Route("/v1/chat/completions", _answer, methods=["POST"])]


async def _answer(request: Request) -> Response:
    body = await read_json(request)
    gateway = next((gateway for gateway in GATEWAYS if gateway.is_for(body.model)), GATEWAYS[-1])
    return await gateway.answer(request, body)


WIRE = Wire(
    title="Chat completions of the gateways: Vercel, Helicone, AIone",
    paths=("POST /v1/chat/completions",),
    routes=routes,
)
