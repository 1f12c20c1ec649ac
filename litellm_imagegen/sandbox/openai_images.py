"""The wire of the OpenAI Images API, and of Azure's form of it: routes, keys, streams and faults.

Strategy: check the caller, read the request, read the wishes, compose the reply off the event loop, hand
it to `Delivery`. A request that the provider would refuse is refused before any wish is looked at. A prompt
is refused before a stream begins; a picture that is refused, and an error, end one that has begun. Azure
differs in its addresses, its key, how it names a model and how it words some errors; a `Door` holds that.

Source: https://platform.openai.com/docs/api-reference/images and
https://learn.microsoft.com/azure/ai-services/openai/how-to/dall-e
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from . import openai_exchange, openai_listing, openai_reply
from .faults import Wishes
from .openai_body import read_body
from .openai_errors import (
    OpenAIError,
    bad_request,
    moderation_blocked,
    overloaded,
    resource_not_found,
    wished_error,
)
from .openai_fields import Operation
from .openai_models import deployed_model
from .openai_request import Asked, ModelFinder, deployment_of_body, model_of_body, read_request
from .transport import Outgoing, page
from .wire import Wire

_AZURE = "/openai"
_DEPLOYMENT = f"{_AZURE}/deployments/{{deployment}}"


@dataclass(frozen=True, kw_only=True)
class Door:
    """One of the ways in: OpenAI's own, or Azure's, with the way it finds the model of a request."""

    azure: bool
    find_model: ModelFinder


def routes() -> list[Route]:
    """The routes of this wire, to be mounted at the root."""
    found: list[Route] = []
    for base in ("", _AZURE):
        found += _image_routes(f"{base}/v1")
    found += _image_routes(_DEPLOYMENT)
    return [*found, *openai_listing.routes()]


def _image_routes(base: str) -> list[Route]:
    return [
        Route(f"{base}/images/generations", generate, methods=["POST"]),
        Route(f"{base}/images/edits", _edit, methods=["POST"]),
    ]


async def generate(request: Request) -> Response:
    """POST .../images/generations, on any of the doors."""
    return await _answer(request, "generation")


async def _edit(request: Request) -> Response:
    return await _answer(request, "edit")


async def _answer(request: Request, operation: Operation) -> Response:
    wishes = Wishes()
    door = _door(request)
    try:
        _check_caller(request, door)
        body = await read_body(request, takes_form=operation == "edit")
        asked = await asyncio.to_thread(read_request, body, operation, door.find_model)
        wishes = _wishes(request, asked)
        outgoing = page(wishes) or await _composed(asked, wishes)
    except OpenAIError as error:
        outgoing = openai_exchange.failed(error, azure=door.azure)
    except ClientDisconnect:
        outgoing = Outgoing()
    return openai_exchange.deliver(outgoing, wishes)


async def _composed(asked: Asked, wishes: Wishes) -> Outgoing:
    early = wished_error(wishes)
    if early is None and wishes.block_reason is not None:
        early = moderation_blocked("input")
    late = _late_error(wishes)
    if early is not None:
        raise early
    if late is not None and not asked.stream:
        raise late
    if wishes.never:
        return Outgoing()
    event_name = openai_reply.event_name(asked, "completed") if asked.stream else None
    odd = openai_exchange.odd(wishes, event_name)
    if odd is not None:
        return odd
    return await asyncio.to_thread(_composed_in_thread, asked, wishes, late)


def _late_error(wishes: Wishes) -> OpenAIError | None:
    """The wished error of a stream that has begun, in the place of its picture."""
    if wishes.refuse_picture:
        return moderation_blocked("output")
    return overloaded() if wishes.error_mid_stream else None


def _composed_in_thread(asked: Asked, wishes: Wishes, late: OpenAIError | None) -> Outgoing:
    if late is not None:
        events = openai_reply.events(openai_reply.compose_partials(asked, wishes))
        broken = {"type": "error", **late.body(), "sequence_number": len(events)}
        return openai_exchange.streamed([*events, ("error", broken)])
    reply = openai_reply.compose(asked, wishes)
    if asked.stream:
        return openai_exchange.streamed(openai_reply.events(reply))
    return openai_exchange.whole(openai_reply.whole(reply))


def _door(request: Request) -> Door:
    deployment: str | None = request.path_params.get("deployment")
    if deployment is not None:
        return Door(azure=True, find_model=lambda _: deployed_model(deployment))
    if request.url.path.startswith(f"{_AZURE}/"):
        return Door(azure=True, find_model=deployment_of_body)
    return Door(azure=False, find_model=model_of_body)


def _check_caller(request: Request, door: Door) -> None:
    if not door.azure:
        openai_exchange.check_caller(request)
        return
    openai_exchange.check_key(request.headers.get("api-key") or openai_exchange.bearer_key(request))
    if "deployment" in request.path_params and not request.query_params.get("api-version"):
        raise resource_not_found()


def _wishes(request: Request, asked: Asked) -> Wishes:
    wishes = openai_exchange.wishes_of(request, asked.prompt)
    absent = {
        "drafts": wishes.drafts and not asked.stream,
        "words only": wishes.words_only,
        "words": wishes.words,
        "max tokens or finish": wishes.finish_reason not in (None, openai_exchange.NO_PICTURE),
    }
    for word, wished in absent.items():
        if wished:
            raise bad_request(f"The sandbox fault '{word}' does not exist on the OpenAI Images wire.")
    return wishes


WIRE = Wire(
    title="OpenAI Images API, and Azure's form of it",
    paths=(
        "POST /v1/images/generations",
        "POST /v1/images/edits",
        "GET /v1/models",
        "GET /v1/models/{model}",
        "POST /openai/deployments/{deployment}/images/generations?api-version=...",
        "POST /openai/deployments/{deployment}/images/edits?api-version=...",
        "POST /openai/v1/images/generations",
        "POST /openai/v1/images/edits",
    ),
    routes=routes,
)
