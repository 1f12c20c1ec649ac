"""The Gemini wire, on the Gemini API and on Vertex AI: its routes, its way to stream and to fail.

Strategy: check the key, the address and the model, read the request, read the wishes, compose the reply
off the event loop, hand it to `Delivery`. A request that the provider would refuse is refused before any
wish is looked at. The ways in differ in who may call and in what is there: `gemini_surfaces`.

Source: https://ai.google.dev/api/generate-content,
https://ai.google.dev/gemini-api/docs/image-generation and
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from . import gemini_reply, gemini_surfaces
from .faults import UnknownFaultError, Wishes, read_wishes
from .gemini_errors import GeminiError, bad_request, unavailable
from .gemini_models import Model
from .gemini_request import Asked, read_request
from .gemini_surfaces import Surface
from .transport import Delivery, Outgoing, page
from .wire import Wire

Form = Literal["whole", "array", "events"]

_VERSIONS = ("v1beta", "v1")
_VERTEX_VERSIONS = ("v1", "v1beta1")
_PROJECT = "projects/{project}/locations/{location}"
_PUBLISHER = "publishers/google/models"
_LARGEST_BODY = 100 * 1024 * 1024
_JSON = "application/json; charset=UTF-8"
_EVENTS = "text/event-stream"


def routes() -> list[Route]:
    """The routes of this wire, to be mounted at the root."""
    found: list[Route] = []
    for version in _VERSIONS:
        models = f"/{version}/models"
        found += _Endpoint(gemini_surfaces.gemini_api).routes(models)
        found += [
            Route(models, _list_models, methods=["GET"]),
            Route(models + "/{model}", _get_model, methods=["GET"]),
        ]
    for version in _VERTEX_VERSIONS:
        found += _Endpoint(gemini_surfaces.vertex).routes(f"/{version}/{_PROJECT}/{_PUBLISHER}")
        found += _Endpoint(gemini_surfaces.express).routes(f"/{version}/{_PUBLISHER}")
    return found


@dataclass(frozen=True)
class _Endpoint:
    """The two methods that draw, behind one of the ways in."""

    enter: Callable[[Request], Surface]

    def routes(self, models: str) -> list[Route]:
        """The routes of both methods under the address of the models."""
        return [
            Route(models + "/{model}:generateContent", self._generate, methods=["POST"]),
            Route(models + "/{model}:streamGenerateContent", self._stream_generate, methods=["POST"]),
        ]

    async def _generate(self, request: Request) -> Response:
        return await self._answer(request, "whole")

    async def _stream_generate(self, request: Request) -> Response:
        return await self._answer(request, "events" if request.query_params.get("alt") == "sse" else "array")

    async def _answer(self, request: Request, form: Form) -> Response:
        wishes = Wishes()
        try:
            surface = self.enter(request)
            if request.query_params.get("alt") not in (None, "json", *(("sse",) if form != "whole" else ())):
                raise bad_request("Invalid value for the parameter alt.")
            model = surface.model(request)
            body = await _body(request)
            asked = await asyncio.to_thread(read_request, body, model, vertex=surface.vertex)
            wishes = _wishes(request, asked.prompt_texts)
            outgoing = page(wishes)
            if outgoing is None:
                error = surface.wished_error(wishes)
                if error is not None:
                    raise error
                outgoing = await _composed(asked, wishes, form)
        except GeminiError as error:
            outgoing = _error(error, form)
        except ClientDisconnect:
            outgoing = Outgoing()
        return Delivery(outgoing, wishes)


async def _composed(asked: Asked, wishes: Wishes, form: Form) -> Outgoing:
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
    return _about_models(
        request, lambda surface: {"models": [_described(model) for model in surface.models.values()]}
    )


async def _get_model(request: Request) -> Response:
    return _about_models(request, lambda surface: _described(surface.model(request)))


def _about_models(request: Request, body: Callable[[Surface], dict[str, Any]]) -> Response:
    wishes = Wishes()
    try:
        surface = gemini_surfaces.gemini_api(request)
        wishes = _wishes(request, ())
        error = surface.wished_error(wishes)
        if error is not None:
            raise error
        outgoing = page(wishes) or Outgoing(content_type=_JSON, pieces=[_dump(body(surface))])
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
    title="Google Gemini, on the Gemini API (AI Studio), AIone's copy of it, and Vertex AI, image models",
    paths=(
        "POST /v1beta/models/{model}:generateContent",
        "POST /v1beta/models/{model}:streamGenerateContent?alt=sse",
        "GET /v1beta/models",
        "GET /v1beta/models/{model}",
        f"POST /v1/{_PROJECT}/{_PUBLISHER}/{{model}}:generateContent",
        f"POST /v1/{_PROJECT}/{_PUBLISHER}/{{model}}:streamGenerateContent?alt=sse",
        f"POST /v1/{_PUBLISHER}/{{model}}:generateContent",
        f"POST /v1/{_PUBLISHER}/{{model}}:streamGenerateContent?alt=sse",
    ),
    routes=routes,
)
