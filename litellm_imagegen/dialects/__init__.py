"""Raw request in, ImageRequest out. A dialect is one file and one line here; it reads and decides nothing.

All dialects read the same body one after the other: a client may mix spellings, and which dialect it
speaks need not be guessed. Each takes the fields it knows. What is left was understood by nobody.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from litellm_imagegen.canonical import Asked, ImageRequest, Origin
from litellm_imagegen.dialects import (
    aione,
    bare,
    google,
    helicone,
    openai_chat,
    openai_images,
    openai_responses,
    openrouter,
    vercel,
)
from litellm_imagegen.dialects.reading import Fields
from litellm_imagegen.errors import ConfigurationError, RequestError

DIALECTS: dict[str, Callable[[Fields], Iterator[Asked]]] = {
    "openai_chat": openai_chat.read,
    "openai_images": openai_images.read,
    "openai_responses": openai_responses.read,
    "openrouter": openrouter.read,
    "helicone": helicone.read,
    "aione": aione.read,
    "vercel": vercel.read,
    "google": google.read,
    "bare": bare.read,
}
_EXTRA_BODY = "extra_body"


def parse_chat(
    *, model: str, body: Mapping[str, Any], defaults: Mapping[str, Any], model_is_clients: bool = False
) -> ImageRequest:
    """Read a chat request.

    `body` is the client's, with an `extra_body` that counts like the body itself; `defaults` are the
    operator's, in any dialect too. `model` is the provider's id. Raises `RequestError`, and
    `ConfigurationError` for a bad default.
    """
    readable = dict(body)
    messages = openai_chat.read_messages(readable.pop("messages", None))
    streams = bool(readable.pop("stream", False))
    sent, configured = Fields(readable), Fields(defaults, origin=Origin.OPERATOR)
    try:
        asked = [*_read(configured)]
    except RequestError as error:
        raise ConfigurationError(f"a default of this deployment: {error.message}") from error
    asked += _read(sent)
    for extra in sent.nested(_EXTRA_BODY):
        asked += _read(extra)
    unread = tuple(sent.unread())
    return ImageRequest(
        model=model,
        model_is_clients=model_is_clients,
        messages=messages,
        asked=tuple(asked),
        unread=unread,
        stream=streams,
    )


def unknown_defaults(defaults: Mapping[str, Any]) -> list[str]:
    """Names among an operator's defaults that no dialect understands. Bad values raise `RequestError`."""
    fields = Fields(defaults)
    for _ in _read(fields):
        pass
    return [field.spelling for field in fields.unread()]


def _read(fields: Fields) -> Iterator[Asked]:
    for read in DIALECTS.values():
        yield from read(fields)
