"""OpenRouter's wire: its routes. What they do is in `openrouter_chat`, `_images` and `_listing`.

Source: https://openrouter.ai/docs/api-reference/overview
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import openrouter_images, openrouter_listing
from .chat_exchange import read_json
from .openrouter_chat import OpenRouterChat
from .wire import Wire

_BASE = "/api/v1"
_CHAT = OpenRouterChat()


def routes() -> list[Route]:
    """The routes of this wire, to be mounted at the root."""
    return [
        Route(f"{_BASE}/chat/completions", _complete, methods=["POST"]),
        Route(f"{_BASE}/images", openrouter_images.answer, methods=["POST"]),
        Route(f"{_BASE}/images/generations", openrouter_images.answer, methods=["POST"]),
        Route(f"{_BASE}/models", openrouter_listing.list_models, methods=["GET"]),
        Route(f"{_BASE}/images/models", openrouter_listing.list_image_models, methods=["GET"]),
        Route(
            f"{_BASE}/images/models/{{author}}/{{slug}}/endpoints",
            openrouter_listing.get_image_endpoints,
            methods=["GET"],
        ),
    ]


async def _complete(request: Request) -> Response:
    return await _CHAT.answer(request, await read_json(request))


WIRE = Wire(
    title="OpenRouter, chat completions and Image API",
    paths=(
        f"POST {_BASE}/chat/completions",
        f"POST {_BASE}/images",
        f"POST {_BASE}/images/generations",
        f"GET {_BASE}/models?output_modalities=image",
        f"GET {_BASE}/images/models",
        f"GET {_BASE}/images/models/{{author}}/{{slug}}/endpoints",
    ),
    routes=routes,
)
