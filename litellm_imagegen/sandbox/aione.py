"""AIone's chat endpoint, behind the door that it shares with other gateways, and its list of models.

Strategy: the gateway turns a chat into a Gemini request and the answer back; streams it does not have. A
reply with a picture has an array as its content, any other a string. What a safety block looks like is not
published: here a blocked prompt leaves an empty array, a refused picture an empty string.

Source: https://1jxizqf5ai.apifox.cn, "14 - Gemini Image Generation"
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from . import aione_errors, chat_reply
from .aione_models import MODELS
from .chat_drawing import Canvas, gemini_canvas, native_finish, pieces
from .chat_exchange import Gateway, GatewayError, failed, wishes_of
from .chat_pictures import PictureRules
from .chat_reply import Piece, Reply
from .chat_request import Chat, read_chat
from .chat_usage import gemini_usage
from .faults import Wishes
from .gemini_models import Model
from .openai_errors import OpenAIError, bad_request, invalid_value
from .openai_exchange import bearer_key
from .openai_readers import text
from .transport import Delivery, Outgoing, page
from .wire import Wire

# The gateway makes inline data of data URLs; an address goes no further.
_PICTURES = PictureRules(kinds=("png", "jpeg", "webp", "heic", "heif"), addresses="unseen")
_FIELDS = {"aspect_ratio": text(), "image_size": text()}
_FINISH = {"STOP": "stop", "NO_IMAGE": "stop", "MAX_TOKENS": "length"}
_CREATED = 1_775_260_800


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for."""

    chat: Chat
    model: Model
    canvas: Canvas


class Aione(Gateway[Asked]):
    """The row of AIone at the door."""

    def is_for(self, model: str) -> bool:
        """A bare name."""
        return "/" not in model

    def check_key(self, key: str) -> None:
        """Check the bearer key. Raises GatewayError."""
        aione_errors.check_key(key)

    def refused(self, error: OpenAIError) -> GatewayError:
        """A refusal in AIone's form."""
        return aione_errors.of_request(error)

    def wished_error(self, asked: Asked, wishes: Wishes) -> GatewayError | None:
        """The error that was wished for."""
        return aione_errors.wished_error(wishes)

    def read(self, values: Mapping[str, Any]) -> Asked:
        """Read a request. Raises OpenAIError or GatewayError."""
        chat = read_chat(values, _FIELDS, _PICTURES)
        model = MODELS.get(chat.model)
        if model is None:
            raise aione_errors.model_not_found(chat.model)
        if chat.stream:
            raise bad_request("stream must be false or left out: image models do not stream.", param="stream")
        return Asked(chat=chat, model=model, canvas=_canvas(chat, model))

    def compose(self, asked: Asked, wishes: Wishes) -> Outgoing:
        """The reply as one body."""
        found = pieces(asked.canvas, wishes)
        reply = Reply(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            model=asked.chat.model,
            pieces=found,
            finish_reason=_FINISH.get(native_finish(wishes), "content_filter"),
            usage=_usage(asked, found, blocked=wishes.block_reason is not None),
            message={} if wishes.block_reason is None else {"content": []},
            no_words="",
            without_choices=wishes.empty,
        )
        return chat_reply.as_body(chat_reply.whole_in_parts(reply))


def _canvas(chat: Chat, model: Model) -> Canvas:
    ratio, size = chat.fields.get("aspect_ratio"), chat.fields.get("image_size")
    if ratio is not None and ratio not in model.ratios:
        raise invalid_value("aspect_ratio", f"'{ratio[:80]}'; it takes {', '.join(model.ratios)}.")
    if size is not None and size not in (model.output_tokens if model.takes_image_size else ()):
        taken = ", ".join(model.output_tokens) if model.takes_image_size else "no size"
        raise invalid_value("image_size", f"'{size[:80]}'; this model takes {taken}.")
    canvas = gemini_canvas(chat, model, ratio=ratio, size=size)
    # A seed is not among the fields that the gateway hands on.
    return replace(canvas, seed=None)


def _usage(asked: Asked, found: list[Piece], *, blocked: bool) -> dict[str, int]:
    size = asked.chat.fields.get("image_size")
    usage = gemini_usage(asked.chat, asked.model, size, found, blocked=blocked)
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


AIONE = Aione()


class _AionesKeyOnly(Route):
    """A route that passes over requests without a key of AIone: OpenAI has the same address."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match as any route does, with a key of AIone."""
        if scope["type"] == "http" and bearer_key(Request(scope)).startswith(aione_errors.KEY_PREFIX):
            return super().matches(scope)
        return Match.NONE, {}


async def _list_models(request: Request) -> Response:
    wishes = Wishes()
    try:
        AIONE.check_key(bearer_key(request))
        wishes = wishes_of(request, "")
        error = aione_errors.wished_error(wishes)
        if error is not None:
            raise error
        listed = [
            {"id": name, "object": "model", "created": _CREATED, "owned_by": "google"} for name in MODELS
        ]
        outgoing = page(wishes) or chat_reply.as_body({"object": "list", "data": listed})
    except OpenAIError as error:
        outgoing = failed(AIONE.refused(error))
    except GatewayError as error:
        outgoing = failed(error)
    return Delivery(outgoing, wishes)


WIRE = Wire(
    title="AIone, its list of models (its chat is at the gateways' door, its Gemini form on Gemini's wire)",
    paths=("GET /v1/models",),
    routes=lambda: [_AionesKeyOnly("/v1/models", _list_models, methods=["GET"])],
)
