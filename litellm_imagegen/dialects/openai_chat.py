"""OpenAI Chat Completions: the messages and the sampling fields that every client sends.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import Asked, ImageInput, Message, Name, TextPart
from litellm_imagegen.dialects.reading import Fields, carriable, integer, number, strings
from litellm_imagegen.errors import InvalidParameter

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "user",
    "function": "user",
}
_SEED_BOUND = 2**63
_MAXIMUM_URL_CHARACTERS = 8192


def read(fields: Fields) -> Iterator[Asked]:
    """The sampling fields. Temperature above a model's own maximum is for the plan to judge."""
    yield from fields.read(Name.MAX_TOKENS, integer(1), "max_tokens", "max_completion_tokens")
    yield from fields.read(Name.TEMPERATURE, number(0, 2), "temperature")
    yield from fields.read(Name.TOP_P, number(0, 1), "top_p")
    yield from fields.read(Name.TOP_K, integer(1), "top_k")
    yield from fields.read(Name.SEED, integer(-_SEED_BOUND, _SEED_BOUND - 1), "seed")
    yield from fields.read(Name.STOP, strings, "stop")
    yield from fields.read(Name.N, integer(1), "n")


def read_messages(messages: Any) -> tuple[Message, ...]:
    """The conversation. Pictures stand in `content` or, on an assistant's message, in `images`."""
    if not isinstance(messages, list) or not messages:
        raise InvalidParameter("messages", messages, "a list with at least one message")
    return tuple(_message(f"messages[{index}]", message) for index, message in enumerate(messages))


def _message(place: str, message: Any) -> Message:
    message = _as_mapping(place, message)
    role = _ROLES.get(str(message.get("role")))
    if role is None:
        raise InvalidParameter(f"{place}.role", message.get("role"), ", ".join(_ROLES))
    parts = list(_content(f"{place}.content", message.get("content")))
    if role == "assistant":
        images = message.get("images") or []
        if not isinstance(images, list):
            raise InvalidParameter(f"{place}.images", images, "a list of pictures")
        for index, image in enumerate(images):
            parts.append(_picture(f"{place}.images[{index}]", _as_mapping(f"{place}.images[{index}]", image)))
    return Message(role=role, parts=tuple(parts))


def _content(place: str, content: Any) -> Iterator[TextPart | ImageInput]:
    if content is None:
        return
    if isinstance(content, str):
        if content:
            yield TextPart(text=carriable(place, content))
        return
    if not isinstance(content, list):
        raise InvalidParameter(place, content, "a string or a list of parts")
    for index, given in enumerate(content):
        here = f"{place}[{index}]"
        part = _as_mapping(here, given)
        match part.get("type"):
            case "text" if isinstance(part.get("text"), str):
                if part["text"]:
                    yield TextPart(text=carriable(f"{here}.text", part["text"]))
            case "image_url":
                yield _picture(here, part)
            case "refusal":
                continue  # what an assistant refused earlier is no part of the picture
            case kind:
                raise InvalidParameter(f"{here}.type", kind, "text with a text, image_url")


def _picture(place: str, part: Mapping[str, Any]) -> ImageInput:
    """`{type: image_url, image_url: {url}}`; some clients write the url itself in image_url's place."""
    image_url = part.get("image_url")
    url = image_url.get("url") if isinstance(image_url, Mapping) else image_url
    spelling = f"{place}.image_url.url"
    if not isinstance(url, str):
        raise InvalidParameter(spelling, url, "a data: or https: URL")
    if url[:5].lower() == "data:":
        return ImageInput(blob=_data_url(spelling, url), spelling=spelling)
    if not _is_https(url):
        allowed = f"a data: or https: URL of at most {_MAXIMUM_URL_CHARACTERS} characters"
        raise InvalidParameter(spelling, url, allowed)
    return ImageInput(url=url, spelling=spelling)


def _is_https(url: str) -> bool:
    if len(url) > _MAXIMUM_URL_CHARACTERS or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def _data_url(spelling: str, url: str) -> Blob:
    """Source of the form: RFC 2397. Parameters between the media type and `;base64` are passed over."""
    head, comma, data = url.partition(",")
    mime, *parameters = head[5:].split(";")
    if not comma or "base64" not in [parameter.strip().lower() for parameter in parameters]:
        raise InvalidParameter(spelling, "data: URL", "data:image/...;base64,<data>")
    try:
        blob = Blob.from_base64(data, mime.strip().lower() or None)
        length, flaw = blob.facts["bytes"], blob.flaw
    except ValueError as error:
        raise InvalidParameter(spelling, "data: URL", "a data: URL whose data is valid base64") from error
    if not length or not blob.mime.startswith("image/") or flaw:
        found = flaw or f"data: URL of {blob.mime}"
        raise InvalidParameter(spelling, found, "a data: URL with a picture in it")
    return blob


def _as_mapping(place: str, value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if hasattr(value, "model_dump"):  # in Python a caller may pass an answer's own message object back
        dumped: Mapping[str, Any] = value.model_dump()
        return dumped
    raise InvalidParameter(place, value, "an object")
