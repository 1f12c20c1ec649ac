"""The wire of the Vercel AI Gateway for pictures: its address, its key, its replies and its faults.

Strategy: the address is OpenAI's too; a body whose model is written creator/model is the gateway's. Check
the key, read the request, read the wishes, compose the reply off the event loop, hand it to `Delivery`. A
request that the gateway or a provider would refuse is refused before any wish is looked at.

Source: https://vercel.com/docs/ai-gateway/capabilities/image-generation/openai
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from . import chat_exchange, chat_reply, openai_images
from .chat_exchange import GatewayError
from .faults import Wishes
from .openai_body import read_body
from .openai_errors import OpenAIError, bad_request
from .openai_exchange import NO_PICTURE, bearer_key
from .shared_address import by_model
from .transport import Delivery, Outgoing, page
from .vercel_errors import (
    blocked,
    check_key,
    new_generation_id,
    refused_value,
    upstream_failed,
    wished_error,
)
from .vercel_models import is_written_so
from .vercel_request import AskedImages, read_request
from .wire import Wire

_ADDRESS = "/v1/images/generations"


def routes() -> list[Route]:
    """The route of this wire, to be mounted at the root before OpenAI's, which it has within."""
    return [Route(_ADDRESS, by_model(is_written_so, _answer, openai_images.generate), methods=["POST"])]


async def _answer(request: Request) -> Response:
    wishes = Wishes()
    try:
        check_key(bearer_key(request))
        body = await read_body(request, takes_form=False)
        asked = await asyncio.to_thread(read_request, body.values)
        wishes = _wishes(request, asked)
        outgoing = page(wishes) or await _composed(asked, wishes)
    except OpenAIError as error:
        outgoing = chat_exchange.failed(refused_value(error))
    except GatewayError as error:
        outgoing = chat_exchange.failed(error)
    except ClientDisconnect:
        outgoing = Outgoing()
    return Delivery(outgoing, wishes)


async def _composed(asked: AskedImages, wishes: Wishes) -> Outgoing:
    error = _wished_error(asked, wishes)
    if error is not None:
        raise error
    if wishes.never:
        return Outgoing()
    odd = chat_exchange.odd(wishes, stream=False)
    return await asyncio.to_thread(_composed_in_thread, asked, wishes) if odd is None else odd


def _wished_error(asked: AskedImages, wishes: Wishes) -> GatewayError | None:
    if wishes.block_reason is not None:
        return blocked(*asked.order.blocked_prompt())
    if wishes.refuse_picture:
        return blocked(*asked.order.blocked_picture())
    return upstream_failed() if wishes.error_mid_stream else wished_error(wishes, asked.model)


def _composed_in_thread(asked: AskedImages, wishes: Wishes) -> Outgoing:
    count = 0 if wishes.empty or wishes.finish_reason is not None else wishes.pictures or asked.count
    drawn = asked.order.draw(wishes, count)
    data = []
    for picture in drawn:
        revised = {} if picture.revised_prompt is None else {"revised_prompt": picture.revised_prompt}
        data.append({"b64_json": picture.picture, **revised})
    usage = asked.order.usage(count)
    body = {
        "created": int(time.time()),
        "data": data,
        **({} if usage is None else {"usage": usage}),
        "provider_metadata": {
            asked.order.vendor: {"images": [dict(picture.about) for picture in drawn]},
            "gateway": _gateway_metadata(asked, count),
        },
    }
    return chat_reply.as_body(body)


def _gateway_metadata(asked: AskedImages, count: int) -> dict[str, Any]:
    creator, _, name = asked.model.partition("/")
    routing = {
        "originalModelId": asked.model,
        "resolvedProvider": creator,
        "resolvedProviderApiModelId": name,
        "fallbacksAvailable": [],
        "finalProvider": creator,
        "attempts": [{"provider": creator, "modelApiId": asked.model, "success": True}],
    }
    cost = asked.order.cost(count)
    told = {} if cost is None else {"cost": f"{cost:.10f}".rstrip("0").rstrip(".")}
    return {"routing": routing, **told, "generationId": new_generation_id()}


def _wishes(request: Request, asked: AskedImages) -> Wishes:
    wishes = chat_exchange.wishes_of(request, asked.prompt)
    absent = {
        "drafts": wishes.drafts,
        "words only": wishes.words_only,
        "words": wishes.words,
        "max tokens or finish": wishes.finish_reason not in (None, NO_PICTURE),
    }
    for word, wished in absent.items():
        if wished:
            raise bad_request(f"The sandbox fault '{word}' does not exist on Vercel's wire for pictures.")
    return wishes


WIRE = Wire(
    title="Vercel AI Gateway, pictures",
    paths=(f"POST {_ADDRESS} (models written creator/model)",),
    routes=routes,
)
