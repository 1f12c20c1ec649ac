"""The Gemini API's wire: its routes, its key, its way to stream and to fail.

Strategy: check the key, the address and the model, read the request, read the wishes, compose the reply
off the event loop, hand it to `Delivery`. A request that the provider would refuse is refused before any
wish is looked at.

Source: https://ai.google.dev/api/generate-content and
https://ai.google.dev/gemini-api/docs/image-generation
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from . import gemini_reply
from .faults import UnknownFaultError, Wishes, read_wishes
from .gemini_errors import (
    GeminiError,
    bad_request,
    key_invalid,
    key_missing,
    model_not_found,
    unavailable,
    wished_error,
)
from .gemini_models import MODELS, Model
from .gemini_request import Asked, read_request
from .transport import Delivery, Outgoing, page
from .wire import Wire

Form = Literal["whole", "array", "events"]

_VERSIONS = ("v1beta", "v1")
_LARGEST_BODY = 100 * 1024 * 1024
_QUERY_FIELDS = {"key", "alt", "prettyPrint", "quotaUser", "pageSize", "pageToken"}
_MODEL_NAME = re.compile(r"[A-Za-z0-9._-]+")
_JSON = "application/json; charset=UTF-8"
_EVENTS = "text/event-stream"


def routes() -> list[Route]:
    """The routes of this wire, to be mounted at the root."""
    found: list[Route] = []
    for version in _VERSIONS:
        models = f"/{version}/models"
        found += [
            Route(models + "/{model}:generateContent", _generate, methods=["POST"]),
            Route(models + "/{model}:streamGenerateContent", _stream_generate, methods=["POST"]),
            Route(models, _list_models, methods=["GET"]),
            Route(models + "/{model}", _get_model, methods=["GET"]),
        ]
    return found


async def _generate(request: Request) -> Response:
    return await _answer(request, "whole")


async def _stream_generate(request: Request) -> Response:
    return await _answer(request, "events" if request.query_params.get("alt") == "sse" else "array")


async def _answer(request: Request, form: Form) -> Response:
    wishes = Wishes()
    try:
        _check_caller(request)
        if request.query_params.get("alt") not in (None, "json", *(("sse",) if form != "whole" else ())):
            raise bad_request("Invalid value for the parameter alt.")
        model = _model(request)
        asked = await asyncio.to_thread(read_request, await _body(request), model)
        wishes = _wishes(request, asked.prompt_texts)
        outgoing = page(wishes)
        if outgoing is None:
            outgoing = await _composed(asked, wishes, form)
    except GeminiError as error:
        outgoing = _error(error, form)
    except ClientDisconnect:
        outgoing = Outgoing()
    return Delivery(outgoing, wishes)


async def _composed(asked: Asked, wishes: Wishes, form: Form) -> Outgoing:
    error = wished_error(wishes)
    if error is not None:
        raise error
    if wishes.never:
        return Outgoing()
    if wishes.not_json:
        return _laid_out([b"<this is not JSON>"], form)
    if wishes.unknown_shape:
        return _laid_out([b'{"hello": "world"}'], form)
    if wishes.error_mid_stream and form == "whole":
        raise unavailable()
    return await asyncio.to_thread(_composed_in_thread, asked, wishes, form)


def _composed_in_thread(asked: Asked, wishes: Wishes, form: Form) -> Outgoing:
    if wishes.error_mid_stream:
        reply = gemini_reply.Reply(asked=asked)
        return _laid_out([_dump(gemini_reply.first_delta(reply)), _dump(unavailable().body())], form)
    reply = gemini_reply.compose(asked, wishes)
    bodies = [gemini_reply.whole(reply)] if form == "whole" else gemini_reply.events(reply)
    return _laid_out([_dump(body) for body in bodies], form)


def _laid_out(bodies: Sequence[bytes], form: Form) -> Outgoing:
    """Bodies as one reply, as an array sent piece by piece, or as server-sent events without names."""
    if form == "whole":
        return Outgoing(content_type=_JSON, pieces=bodies)
    if form == "events":
        pieces = [b"data: " + body + b"\r\n\r\n" for body in bodies]
        return Outgoing(content_type=_EVENTS, pieces=pieces, streamed=True)
    pieces = [(b"[" if index == 0 else b",\r\n") + body for index, body in enumerate(bodies)]
    return Outgoing(content_type=_JSON, pieces=[*pieces, b"]"], streamed=True)


def _error(error: GeminiError, form: Form) -> Outgoing:
    body = _dump([error.body()] if form == "array" else error.body())
    return Outgoing(status=error.code, content_type=_JSON, headers=error.headers, pieces=[body])


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


def _check_caller(request: Request) -> None:
    for name in request.query_params:
        if name not in _QUERY_FIELDS:
            raise bad_request(f'Unknown name "{name[:80]}": the query holds no such parameter.')
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
    if not key:
        raise key_missing()
    if key.startswith("invalid"):
        raise key_invalid()


def _model(request: Request) -> Model:
    name: str = request.path_params["model"]
    if not _MODEL_NAME.fullmatch(name):
        raise bad_request("The model's name has an unexpected form: letters, digits, '.', '_' and '-' only.")
    if name not in MODELS:
        raise model_not_found(name, request.url.path.split("/")[1])
    return MODELS[name]


async def _body(request: Request) -> bytes:
    """The request's body. Raises GeminiError when it is larger than this API takes (100 MB)."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise bad_request(f"The request's payload is larger than the limit of {_LARGEST_BODY} bytes.")
    return bytes(body)


def _wishes(request: Request, texts: Sequence[str]) -> Wishes:
    try:
        return read_wishes(texts=texts, header=request.headers.get("x-sandbox"))
    except UnknownFaultError as fault:
        raise bad_request(str(fault)) from None


async def _list_models(request: Request) -> Response:
    return _about_models(request, lambda: {"models": [_described(model) for model in MODELS.values()]})


async def _get_model(request: Request) -> Response:
    return _about_models(request, lambda: _described(_model(request)))


def _about_models(request: Request, body: Any) -> Response:
    wishes = Wishes()
    try:
        _check_caller(request)
        wishes = _wishes(request, ())
        error = wished_error(wishes)
        if error is not None:
            raise error
        outgoing = page(wishes) or Outgoing(content_type=_JSON, pieces=[_dump(body())])
    except GeminiError as error:
        outgoing = _error(error, "whole")
    return Delivery(outgoing, wishes)


def _described(model: Model) -> dict[str, Any]:
    return {
        "name": f"models/{model.name}",
        "version": "sandbox",
        "displayName": model.display_name,
        "description": f"{model.display_name}, simulated by the sandbox.",
        "inputTokenLimit": model.input_token_limit,
        "outputTokenLimit": model.output_token_limit,
        "supportedGenerationMethods": ["generateContent"],
        "temperature": 1,
        "maxTemperature": 2,
        "topP": 0.95,
        "thinking": model.thinks,
    }


WIRE = Wire(
    title="Google Gemini API (AI Studio), image models",
    paths=(
        "POST /v1beta/models/{model}:generateContent",
        "POST /v1beta/models/{model}:streamGenerateContent?alt=sse",
        "GET /v1beta/models",
        "GET /v1beta/models/{model}",
    ),
    routes=routes,
)
