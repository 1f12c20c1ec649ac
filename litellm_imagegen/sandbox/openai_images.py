"""The wire of the OpenAI Images API, and of Azure's form of it: routes, keys, streams and faults.

Strategy: check the caller, read the request, read the wishes, compose the reply off the event loop, hand
it to `Delivery`. A request that the provider would refuse is refused before any wish is looked at. Azure
differs in its addresses, its key, how it names a model and how it words some errors; a `Door` holds that.

Source: https://platform.openai.com/docs/api-reference/images and
https://learn.microsoft.com/azure/ai-services/openai/how-to/dall-e
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from . import openai_reply
from .faults import UnknownFaultError, Wishes, read_wishes
from .openai_body import read_body
from .openai_errors import (
    OpenAIError,
    bad_request,
    key_refused,
    model_not_found,
    moderation_blocked,
    organization_refused,
    overloaded,
    resource_not_found,
    wished_error,
)
from .openai_fields import Operation
from .openai_models import MODELS, Model, deployed_model, find_model
from .openai_request import Asked, ModelFinder, deployment_of_body, model_of_body, read_request
from .transport import Delivery, Outgoing, page
from .wire import Wire

_JSON = "application/json"
_EVENTS = "text/event-stream; charset=utf-8"
_AZURE = "/openai"
_DEPLOYMENT = f"{_AZURE}/deployments/{{deployment}}"
_NO_PICTURE = "NO_IMAGE"


@dataclass(frozen=True, kw_only=True)
class Door:
    """One of the ways in: OpenAI's own, or Azure's, with the way it finds the model of a request."""

    azure: bool
    find_model: ModelFinder


class _NotGoogles(Route):
    """A route that passes over requests with a Google key: the Gemini API has the same addresses."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match as any route does, but a request with a Google key never."""
        if scope["type"] == "http":
            request = Request(scope)
            if "x-goog-api-key" in request.headers or "key" in request.query_params:
                return Match.NONE, {}
        return super().matches(scope)


def routes() -> list[Route]:
    """The routes of this wire, to be mounted at the root."""
    found: list[Route] = []
    for base in ("", _AZURE):
        found += _image_routes(f"{base}/v1")
    found += _image_routes(_DEPLOYMENT)
    return [
        *found,
        _NotGoogles("/v1/models", _list_models, methods=["GET"]),
        _NotGoogles("/v1/models/{model}", _get_model, methods=["GET"]),
    ]


def _image_routes(base: str) -> list[Route]:
    return [
        Route(f"{base}/images/generations", _generate, methods=["POST"]),
        Route(f"{base}/images/edits", _edit, methods=["POST"]),
    ]


async def _generate(request: Request) -> Response:
    return await _answer(request, "generation")


async def _edit(request: Request) -> Response:
    return await _answer(request, "edit")


async def _answer(request: Request, operation: Operation) -> Response:
    wishes = Wishes()
    door = _door(request)
    try:
        _check_caller(request, door)
        body = await read_body(request, operation)
        asked = await asyncio.to_thread(read_request, body, operation, door.find_model)
        wishes = _wishes(request, asked.prompt)
        outgoing = page(wishes) or await _composed(asked, wishes)
    except OpenAIError as error:
        outgoing = _error(error, door)
    except ClientDisconnect:
        outgoing = Outgoing()
    return _delivery(outgoing, wishes)


async def _composed(asked: Asked, wishes: Wishes) -> Outgoing:
    _raise_wished(wishes)
    if wishes.never:
        return Outgoing()
    if wishes.not_json:
        return _odd(b"<this is not JSON>", asked)
    if wishes.unknown_shape:
        return _odd(b'{"hello": "world"}', asked)
    if wishes.error_mid_stream and not asked.stream:
        raise overloaded()
    return await asyncio.to_thread(_composed_in_thread, asked, wishes)


def _raise_wished(wishes: Wishes) -> None:
    error = wished_error(wishes)
    if error is not None:
        raise error
    if wishes.block_reason is not None:
        raise moderation_blocked("input")
    if wishes.refuse_picture:
        raise moderation_blocked("output")


def _composed_in_thread(asked: Asked, wishes: Wishes) -> Outgoing:
    if wishes.error_mid_stream:
        events = openai_reply.events(openai_reply.compose_partials(asked))
        broken = ("error", {"type": "error", **overloaded().body()})
        return _streamed([(name, _dump(body)) for name, body in [*events, broken]])
    reply = openai_reply.compose(asked, wishes)
    if asked.stream:
        return _streamed([(name, _dump(body)) for name, body in openai_reply.events(reply)])
    return Outgoing(content_type=_JSON, pieces=[_dump(openai_reply.whole(reply))])


def _odd(body: bytes, asked: Asked) -> Outgoing:
    """A reply with a body of no known shape, as the only event if the reply is streamed."""
    if asked.stream:
        return _streamed([(openai_reply.event_name(asked, "completed"), body)])
    return Outgoing(content_type=_JSON, pieces=[body])


def _streamed(events: Sequence[tuple[str, bytes]]) -> Outgoing:
    pieces = [b"event: " + name.encode() + b"\ndata: " + body + b"\n\n" for name, body in events]
    return Outgoing(content_type=_EVENTS, pieces=pieces, streamed=True)


def _error(error: OpenAIError, door: Door) -> Outgoing:
    body = error.azure_body() if door.azure else error.body()
    return Outgoing(status=error.status, content_type=_JSON, headers=error.headers, pieces=[_dump(body)])


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


def _delivery(outgoing: Outgoing, wishes: Wishes) -> Response:
    headers = {"x-request-id": f"req_{uuid.uuid4().hex}", **outgoing.headers}
    return Delivery(replace(outgoing, headers=headers), wishes)


def _door(request: Request) -> Door:
    deployment: str | None = request.path_params.get("deployment")
    if deployment is not None:
        return Door(azure=True, find_model=lambda _: deployed_model(deployment))
    if request.url.path.startswith(f"{_AZURE}/"):
        return Door(azure=True, find_model=deployment_of_body)
    return Door(azure=False, find_model=model_of_body)


def _check_caller(request: Request, door: Door) -> None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    key = token.strip() if kind.lower() == "bearer" else ""
    if door.azure:
        key = request.headers.get("api-key") or key
    if not key or key.startswith("invalid"):
        raise key_refused(given=bool(key))
    if not door.azure and request.headers.get("openai-organization", "").startswith("invalid"):
        raise organization_refused()
    if "deployment" in request.path_params and not request.query_params.get("api-version"):
        raise resource_not_found()


def _wishes(request: Request, prompt: str) -> Wishes:
    try:
        wishes = read_wishes(texts=[prompt], header=request.headers.get("x-sandbox"))
    except UnknownFaultError as fault:
        raise bad_request(str(fault)) from None
    absent = {
        "drafts": wishes.drafts,
        "words only": wishes.words_only,
        "words": wishes.words,
        "max tokens or finish": wishes.finish_reason not in (None, _NO_PICTURE),
    }
    for word, wished in absent.items():
        if wished:
            raise bad_request(f"The sandbox fault '{word}' does not exist on the OpenAI Images wire.")
    return wishes


async def _list_models(request: Request) -> Response:
    data = [_described(name, model) for model in MODELS.values() for name in (model.name, *model.snapshots)]
    return _about_models(request, {"object": "list", "data": data})


async def _get_model(request: Request) -> Response:
    name: str = request.path_params["model"]
    model = find_model(name)
    return _about_models(request, model_not_found(name) if model is None else _described(name, model))


def _about_models(request: Request, found: dict[str, Any] | OpenAIError) -> Response:
    wishes = Wishes()
    door = _door(request)
    try:
        _check_caller(request, door)
        wishes = _wishes(request, "")
        _raise_wished(wishes)
        if isinstance(found, OpenAIError):
            raise found
        outgoing = page(wishes) or Outgoing(content_type=_JSON, pieces=[_dump(found)])
    except OpenAIError as error:
        outgoing = _error(error, door)
    return _delivery(outgoing, wishes)


def _described(name: str, model: Model) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": model.created, "owned_by": "system"}


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
