"""The addresses that tell which models OpenAI has: those that draw, and those that have a tool for it.

Source: https://platform.openai.com/docs/api-reference/models
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from . import openai_exchange
from .faults import Wishes
from .openai_errors import OpenAIError, model_not_found, wished_error
from .openai_mainline import MAINLINE
from .openai_models import MODELS
from .transport import page

_CREATED = {name: model.created for model in MODELS.values() for name in (model.name, *model.snapshots)} | {
    name: model.created for model in MAINLINE.values() for name in (model.name, *model.snapshots)
}


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
    """The routes of the listing, to be mounted at the root."""
    return [
        _NotGoogles("/v1/models", _list_models, methods=["GET"]),
        _NotGoogles("/v1/models/{model}", _get_model, methods=["GET"]),
    ]


async def _list_models(request: Request) -> Response:
    return _answer(request, lambda: {"object": "list", "data": [_described(name) for name in _CREATED]})


async def _get_model(request: Request) -> Response:
    return _answer(request, lambda: _described(request.path_params["model"]))


def _answer(request: Request, body: Callable[[], dict[str, Any]]) -> Response:
    wishes = Wishes()
    try:
        openai_exchange.check_caller(request)
        wishes = openai_exchange.wishes_of(request, "")
        error = wished_error(wishes)
        if error is not None:
            raise error
        outgoing = page(wishes) or openai_exchange.whole(body())
    except OpenAIError as error:
        outgoing = openai_exchange.failed(error)
    return openai_exchange.deliver(outgoing, wishes)


def _described(name: str) -> dict[str, Any]:
    if name not in _CREATED:
        raise model_not_found(name)
    return {"id": name, "object": "model", "created": _CREATED[name], "owned_by": "system"}
