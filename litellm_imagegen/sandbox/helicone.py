"""The wire of the Helicone AI Gateway: chat, and the Responses API with pictures in its message.

Strategy: both endpoints are gateways of the common exchange that differ in how they read and what they
answer. Chat has a place at the door of all gateways, the Responses API shares OpenAI's address and is told
apart by how the model is written; both are here without /v1 too, where nobody else is. A refusal is no
error on this gateway: it ends as any answer does, with nothing in it.

Source: https://docs.helicone.ai/gateway/concepts/image-generation
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import chat_reply, helicone_errors, helicone_reply, openai_exchange, openai_responses
from .chat_exchange import Gateway, GatewayError, read_json
from .faults import Wishes
from .helicone_models import is_of_google, is_written_so
from .helicone_request import Asked, read_chat_request, read_responses_request
from .openai_errors import OpenAIError
from .shared_address import by_model
from .transport import Outgoing
from .wire import Wire


class _Helicone(Gateway[Asked]):
    """What both endpoints have in common."""

    def is_for(self, model: str) -> bool:
        """model/provider, or a list with commas."""
        return is_written_so(model)

    def check_key(self, key: str) -> None:
        """Check the bearer key. Raises GatewayError."""
        helicone_errors.check_key(key)

    def refused(self, error: OpenAIError) -> GatewayError:
        """A refusal in Helicone's form."""
        return helicone_errors.of_request(error)

    def wished_error(self, asked: Asked, wishes: Wishes) -> GatewayError | None:
        """The error that was wished for; without a stream that breaks there is only the error."""
        if wishes.error_mid_stream and not asked.chat.stream:
            return helicone_errors.provider_down()
        return helicone_errors.wished_error(wishes)


class HeliconeChat(_Helicone):
    """The endpoint for chat completions."""

    def read(self, values: Mapping[str, Any]) -> Asked:
        """Read a request. Raises OpenAIError or GatewayError."""
        return read_chat_request(values)

    def compose(self, asked: Asked, wishes: Wishes) -> Outgoing:
        """The reply, as one body or as a stream."""
        reply = helicone_reply.chat_of(asked, wishes, helicone_reply.answered(asked, wishes))
        if not asked.chat.stream:
            return chat_reply.as_body(chat_reply.whole(reply))
        if wishes.error_mid_stream:
            begun = chat_reply.chunk(reply, {"role": "assistant", "content": "Here is"})
            return chat_reply.as_stream([begun, helicone_errors.provider_down().body], done=False)
        return chat_reply.as_stream(chat_reply.chunks(reply, include_usage=asked.chat.include_usage))


class HeliconeResponses(_Helicone):
    """The endpoint of the Responses API."""

    def read(self, values: Mapping[str, Any]) -> Asked:
        """Read a request. Raises OpenAIError or GatewayError."""
        return read_responses_request(values)

    def compose(self, asked: Asked, wishes: Wishes) -> Outgoing:
        """The reply, as one body or as events."""
        response = helicone_reply.response_of(asked, wishes, helicone_reply.answered(asked, wishes))
        if not asked.chat.stream:
            return openai_exchange.whole(helicone_reply.ended(response))
        if wishes.error_mid_stream:
            error = helicone_errors.provider_down().body["error"]
            return openai_exchange.streamed(helicone_reply.broken(response, error))
        found = helicone_reply.events(response)
        # The last two events repeat every picture, and being the largest one of them would be cut.
        return openai_exchange.streamed(found[:-2] if wishes.cut_off else found)


HELICONE = HeliconeChat()
_RESPONSES = HeliconeResponses()


def routes() -> list[Route]:
    """The routes of this wire, to be mounted at the root before OpenAI's, which it has within."""
    (of_openai,) = openai_responses.routes()
    shared = by_model(is_of_google, _respond, of_openai.endpoint)
    return [
        Route("/v1/responses", shared, methods=["POST"]),
        Route("/responses", _respond, methods=["POST"]),
        Route("/chat/completions", _chat, methods=["POST"]),
    ]


async def _respond(request: Request) -> Response:
    return await _RESPONSES.answer(request, await read_json(request))


async def _chat(request: Request) -> Response:
    return await HELICONE.answer(request, await read_json(request))


WIRE = Wire(
    title="Helicone AI Gateway (its chat is at the gateways' door as well)",
    paths=(
        "POST /v1/responses (models written model/provider, or gemini-...)",
        "POST /responses",
        "POST /chat/completions",
    ),
    routes=routes,
)
