"""Addresses that two wires share: whose a request is stands in its body, in the name of its model.

Strategy: read the body once, look at the name, and hand on the request with its whole body. A body that
names no model, or is no JSON, is for the wire that the address had first, which knows how to refuse it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from . import strict
from .openai_body import LARGEST_BODY

Endpoint = Callable[[Request], Awaitable[Response]]


def by_model(takes: Callable[[str], bool], own: Endpoint, otherwise: Endpoint) -> Endpoint:
    """The endpoint that asks `own` where `takes` says yes to the model's name, and else `otherwise`."""

    async def answer(request: Request) -> Response:
        name, again = await _peeked(request)
        endpoint = own if name is not None and takes(name) else otherwise
        return await endpoint(again)

    return answer


async def _peeked(request: Request) -> tuple[str | None, Request]:
    """The model that a request names, and the request with its body still to be read."""
    messages: list[Message] = []
    body = bytearray()
    more = True
    # A body that is too large is left to the wire, which stops reading it in its own way.
    while more and len(body) <= LARGEST_BODY:
        messages.append(await request.receive())
        body += messages[-1].get("body", b"")
        more = bool(messages[-1].get("more_body", False))
    name = await asyncio.to_thread(_named_model, bytes(body))

    async def receive() -> Message:
        return messages.pop(0) if messages else await request.receive()

    return name, Request(request.scope, receive)


def _named_model(body: bytes) -> str | None:
    try:
        values = strict.decode_json(body)
    except ValueError:
        return None
    name = values.get("model") if isinstance(values, dict) else None
    return name if isinstance(name, str) else None
