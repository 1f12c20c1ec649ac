"""The wire of the OpenAI Responses API with the tool that draws: its route, its streams and its faults.

Strategy: as on the Images wire, whose keys and error replies it has. What a prompt is refused for is an error
reply, or the end of a stream that has begun; a refused picture is a response that failed. Of the reasons to
finish "refusal" is one in words and "NO_IMAGE" a call that failed; all others leave the response incomplete.

Source: https://platform.openai.com/docs/guides/tools-image-generation
"""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from . import openai_exchange, openai_responses_events
from .faults import Wishes
from .openai_body import read_body
from .openai_errors import OpenAIError, moderation_blocked, overloaded, wished_error
from .openai_responses_memory import ResponseMemory
from .openai_responses_object import ended
from .openai_responses_reply import Reply, compose, conversation_of
from .openai_responses_request import AskedResponse, read_request
from .transport import Outgoing, page
from .wire import Wire


def routes() -> list[Route]:
    """The route of this wire with a memory of its own, to be mounted at the root."""
    return [Route("/v1/responses", _Service(ResponseMemory()).create, methods=["POST"])]


class _Service:
    """The endpoint, over the memory of one app."""

    def __init__(self, memory: ResponseMemory) -> None:
        self._memory = memory

    async def create(self, request: Request) -> Response:
        """POST /v1/responses: check everything, then answer."""
        wishes = Wishes()
        try:
            openai_exchange.check_caller(request)
            body = await read_body(request, takes_form=False)
            asked = await asyncio.to_thread(read_request, body.values, self._memory)
            wishes = openai_exchange.wishes_of(request, asked.prompt)
            outgoing = page(wishes) or await self._composed(asked, wishes)
        except OpenAIError as error:
            outgoing = openai_exchange.failed(error)
        except ClientDisconnect:
            outgoing = Outgoing()
        return openai_exchange.deliver(outgoing, wishes)

    async def _composed(self, asked: AskedResponse, wishes: Wishes) -> Outgoing:
        error = wished_error(wishes) or (None if asked.stream else _error_of_whole(wishes))
        if error is not None:
            raise error
        if wishes.never:
            return Outgoing()
        odd = openai_exchange.odd(wishes, "response.completed" if asked.stream else None)
        if odd is not None:
            return odd
        return await asyncio.to_thread(self._composed_in_thread, asked, wishes)

    def _composed_in_thread(self, asked: AskedResponse, wishes: Wishes) -> Outgoing:
        reply = compose(asked, wishes)
        if asked.store and reply.status != "failed":
            self._memory.add(reply.id, conversation_of(reply))
        if not asked.stream:
            return openai_exchange.whole(ended(reply))
        return openai_exchange.streamed(_events(reply, wishes))


def _error_of_whole(wishes: Wishes) -> OpenAIError | None:
    """The wished error that a stream tells by an event."""
    if wishes.block_reason is not None:
        return moderation_blocked("input")
    return overloaded() if wishes.error_mid_stream else None


def _events(reply: Reply, wishes: Wishes) -> list[openai_exchange.Event]:
    if wishes.error_mid_stream:
        return openai_responses_events.broken(reply, overloaded())
    found = openai_responses_events.events(reply)
    # The last event repeats every picture, and being the largest it would be the one that is cut.
    return found[:-1] if wishes.cut_off and reply.output else found


WIRE = Wire(
    title="OpenAI Responses API, the tool that draws",
    paths=("POST /v1/responses",),
    routes=routes,
)
