"""Imagen's wire (:predict), on the Gemini API and on Vertex AI.

Strategy: check the caller, the address and the model, read the request, read the wishes, compose the reply
off the event loop, hand it to `Delivery`. Google has shut these models down, and people still replay
programs of before: so they are alive here unless the caller wishes `retired`, or the routes were made
with `alive=False` and the caller does not wish `alive`.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api and
https://ai.google.dev/gemini-api/docs/imagen
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from . import imagen_reply
from .faults import UnknownFaultError, Wishes
from .gemini_errors import GeminiError, bad_request, key_invalid, key_missing
from .gemini_surfaces import check_bearer
from .imagen_errors import model_not_found, prompt_refused, wished_imagen_error
from .imagen_models import MODELS, Api, Model
from .imagen_request import Asked, prompts, read_document, read_request
from .imagen_wishes import OwnWishes, read_own_wishes, read_shared_wishes
from .transport import Delivery, Outgoing, page
from .wire import Wire

_GEMINI_PATHS = ("/v1beta/models/{model}:predict", "/v1/models/{model}:predict")
_VERTEX_PATHS = tuple(
    f"/{version}/projects/{{project}}/locations/{{location}}/publishers/google/models/{{model}}:predict"
    for version in ("v1", "v1beta1")
)
_LARGEST_BODY = 100 * 1024 * 1024
_QUERY_FIELDS: dict[Api, set[str]] = {
    "gemini": {"key", "alt", "prettyPrint", "quotaUser"},
    "vertex": {"alt", "prettyPrint", "quotaUser"},
}
_NAME = re.compile(r"[A-Za-z0-9._:-]+")


def routes(*, alive: bool = True) -> list[Route]:
    """The routes of this wire, to be mounted at the root; `alive`: do the models answer by default?"""
    gemini, vertex = _Endpoint("gemini", alive), _Endpoint("vertex", alive)
    return [
        *(Route(path, gemini.answer, methods=["POST"]) for path in _GEMINI_PATHS),
        *(Route(path, vertex.answer, methods=["POST"]) for path in _VERTEX_PATHS),
    ]


@dataclass(frozen=True)
class _Endpoint:
    """One API's predict method."""

    api: Api
    alive: bool

    async def answer(self, request: Request) -> Response:
        """The reply to a request, errors included."""
        wishes = Wishes()
        try:
            _check_caller(request, self.api)
            model = self._model(request)
            document = await asyncio.to_thread(read_document, await _body(request))
            own = _own_wishes(request, document)
            if not (self.alive if own.alive is None else own.alive):
                raise self._not_found(request)
            asked = await asyncio.to_thread(read_request, document, model, self.api)
            wishes = _shared_wishes(own)
            outgoing = page(wishes) or await self._composed(asked, wishes, own)
        except GeminiError as error:
            outgoing = Outgoing(status=error.code, headers=error.headers, pieces=[_dump(error.body())])
        except ClientDisconnect:
            outgoing = Outgoing()
        return Delivery(outgoing, wishes)

    def _model(self, request: Request) -> Model:
        for part, value in request.path_params.items():
            if not _NAME.fullmatch(value):
                raise bad_request(f"The {part} in the address has an unexpected form.")
        model = MODELS.get(request.path_params["model"])
        if model is None or self.api not in model.apis:
            raise self._not_found(request)
        return model

    def _not_found(self, request: Request) -> GeminiError:
        return model_not_found(self.api, request.path_params, request.url.path.split("/")[1])

    async def _composed(self, asked: Asked, wishes: Wishes, own: OwnWishes) -> Outgoing:
        error = wished_imagen_error(wishes, self.api)
        if error is None and wishes.block_reason is not None:
            error = prompt_refused()
        if error is not None:
            raise error
        if wishes.never:
            return Outgoing()
        if wishes.not_json:
            return Outgoing(pieces=[b"<this is not JSON>"])
        if wishes.unknown_shape:
            return Outgoing(pieces=[b'{"hello": "world"}'])
        return Outgoing(pieces=[await asyncio.to_thread(_drawn, asked, wishes, own.filtered)])


def _drawn(asked: Asked, wishes: Wishes, filtered: int) -> bytes:
    return _dump(imagen_reply.compose(asked, wishes, filtered))


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


def _check_caller(request: Request, api: Api) -> None:
    for name in request.query_params:
        if name not in _QUERY_FIELDS[api]:
            raise bad_request(f'Unknown name "{name[:80]}": the query holds no such parameter.')
    if request.query_params.get("alt") not in (None, "json"):
        raise bad_request("Invalid value for the parameter alt.")
    if api == "gemini":
        _check_key(request)
    else:
        check_bearer(request)


def _check_key(request: Request) -> None:
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
    if not key:
        raise key_missing()
    if key.startswith("invalid"):
        raise key_invalid()


async def _body(request: Request) -> bytes:
    """The request's body. Raises GeminiError when it is larger than the sandbox takes (100 MB)."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise bad_request(f"The request's payload is larger than the limit of {_LARGEST_BODY} bytes.")
    return bytes(body)


def _own_wishes(request: Request, document: Any) -> OwnWishes:
    try:
        return read_own_wishes(texts=prompts(document), header=request.headers.get("x-sandbox"))
    except UnknownFaultError as fault:
        raise bad_request(str(fault)) from None


def _shared_wishes(own: OwnWishes) -> Wishes:
    try:
        return read_shared_wishes(own.rest)
    except UnknownFaultError as fault:
        raise bad_request(str(fault)) from None


WIRE = Wire(
    title="Google Imagen, on the Gemini API and on Vertex AI",
    paths=tuple(f"POST {path}" for path in (*_GEMINI_PATHS, *_VERTEX_PATHS)),
    routes=routes,
)
