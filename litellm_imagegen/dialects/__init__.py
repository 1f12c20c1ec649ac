"""Raw request in, ImageRequest out. A dialect is one file and one line here; it reads and decides nothing.

All dialects read the same body one after the other: a client may mix spellings, and which dialect it
speaks need not be guessed. Each takes the fields it knows. What is left was understood by nobody.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import Asked, ImageInput, ImageRequest, Message, Origin, Surface
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
from litellm_imagegen.dialects.reading import Fields, boolean
from litellm_imagegen.errors import ConfigurationError, InvalidParameter, RequestError

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
_HELICONES = ("image_generation", "imageGeneration")


def parse_chat(
    *, model: str, body: Mapping[str, Any], defaults: Mapping[str, Any], model_is_clients: bool = False
) -> ImageRequest:
    """Read a chat request.

    `body` is the client's, with an `extra_body` that counts like the body itself; `defaults` are the
    operator's, in any dialect too. `model` is the provider's id. Raises `RequestError`, and
    `ConfigurationError` for a bad default.
    """
    left = dict(body)
    messages = openai_chat.read_messages(left.pop("messages", None))
    return _request(model, messages, left, defaults, model_is_clients=model_is_clients)


def parse_images(
    *, model: str, body: Mapping[str, Any], defaults: Mapping[str, Any], model_is_clients: bool = False
) -> ImageRequest:
    """Read the body of /images/generations or /images/edits, JSON or a form; else like `parse_chat`."""
    left = dict(body)
    messages = openai_images.read_prompt(left)
    mask = tuple(openai_images.read_mask(left))
    streams = left.pop("stream", None)  # a form says it in words
    left["stream"] = None if streams is None else boolean("stream", streams)
    request = _request(model, messages, left, defaults, model_is_clients=model_is_clients, asked_already=mask)
    return request.model_copy(update={"surface": Surface.IMAGES})


def parse_edits(
    *, model: str, body: Mapping[str, Any], defaults: Mapping[str, Any], model_is_clients: bool = False
) -> ImageRequest:
    """Read the body of /images/edits, which needs a picture; else like `parse_images`."""
    request = parse_images(model=model, body=body, defaults=defaults, model_is_clients=model_is_clients)
    if not any(isinstance(part, ImageInput) for message in request.messages for part in message.parts):
        raise InvalidParameter("image", None, "a picture to edit")
    return request


def parse_responses(
    *,
    model: str,
    body: Mapping[str, Any],
    defaults: Mapping[str, Any],
    model_is_clients: bool = False,
    earlier: tuple[Message, ...] = (),
    picture_of: Callable[[str], Blob | None] = lambda _: None,
) -> ImageRequest:
    """Read the body of /responses; else like `parse_chat`.

    `earlier` are the turns up to the response that `previous_response_id` names, `picture_of` gives the
    picture of an earlier item by the item's id.
    """
    left = dict(body)
    messages = openai_responses.read_input(left, earlier, picture_of)
    openai_responses.take_settings(left)
    request = _request(model, messages, left, defaults, model_is_clients=model_is_clients)
    extra = body.get(_EXTRA_BODY)
    holders = (body, extra if isinstance(extra, Mapping) else {})
    speaks_helicone = any(holder.get(name) is not None for holder in holders for name in _HELICONES)
    return request.model_copy(update={"surface": Surface.RESPONSES, "reads_output_image": speaks_helicone})


def _request(
    model: str,
    messages: tuple[Message, ...],
    left: dict[str, Any],
    defaults: Mapping[str, Any],
    *,
    model_is_clients: bool,
    asked_already: tuple[Asked, ...] = (),
) -> ImageRequest:
    """What is `left` of a body once its messages are read, and the operator's defaults."""
    streams = left.pop("stream", None)
    if streams is not None and not isinstance(streams, bool):
        raise InvalidParameter("stream", streams, "true or false")
    sent, configured = Fields(left), Fields(defaults, origin=Origin.OPERATOR)
    try:
        asked = [*_read_whole(configured)]
    except RequestError as error:
        raise ConfigurationError(f"a default of this deployment: {error.message}") from error
    asked += (*asked_already, *_read_whole(sent))
    return ImageRequest(
        model=model,
        model_is_clients=model_is_clients,
        messages=messages,
        asked=tuple(asked),
        unread=tuple(sent.unread()),
        stream=streams is True,
    )


def unknown_defaults(defaults: Mapping[str, Any]) -> list[str]:
    """Names among an operator's defaults that no dialect understands. Bad values raise `RequestError`."""
    fields = Fields(defaults)
    for _ in _read_whole(fields):
        pass
    return [field.spelling for field in fields.unread()]


def _read_whole(fields: Fields) -> Iterator[Asked]:
    """With an `extra_body`, which counts like what it stands in."""
    yield from _read(fields)
    for extra in fields.nested(_EXTRA_BODY):
        yield from _read(extra)


def _read(fields: Fields) -> Iterator[Asked]:
    for read in DIALECTS.values():
        yield from read(fields)
