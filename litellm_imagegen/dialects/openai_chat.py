"""OpenAI Chat Completions: the messages and the sampling fields that every client sends.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from litellm_imagegen.canonical import Asked, ImageInput, Message, Name, Role, TextPart
from litellm_imagegen.dialects.pictures import as_mapping, chat_picture
from litellm_imagegen.dialects.reading import Fields, carriable, integer, number, strings
from litellm_imagegen.errors import InvalidParameter

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "user",
    "function": "user",
}
_SEED_BOUND = 2**63


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
    message = as_mapping(place, message)
    role = _ROLES.get(str(message.get("role")))
    if role is None:
        raise InvalidParameter(f"{place}.role", message.get("role"), ", ".join(_ROLES))
    parts = list(_content(f"{place}.content", message.get("content")))
    if role == "assistant":
        images = message.get("images") or []
        if not isinstance(images, list):
            raise InvalidParameter(f"{place}.images", images, "a list of pictures")
        for index, image in enumerate(images):
            parts.append(
                chat_picture(f"{place}.images[{index}]", as_mapping(f"{place}.images[{index}]", image))
            )
    return Message(role=role, parts=tuple(parts), reasoning_details=_reasoning(place, role, message))


def _reasoning(place: str, role: Role, message: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a gateway wants back of an assistant's turn: https://openrouter.ai/docs/use-cases/reasoning-tokens."""
    here = f"{place}.reasoning_details"
    given = message.get("reasoning_details") if role == "assistant" else None
    if given is None:
        return ()
    if not isinstance(given, list):
        raise InvalidParameter(here, given, "a list of objects")
    return tuple(carriable(here, given))


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
        part = as_mapping(here, given)
        match part.get("type"):
            case "text" if isinstance(part.get("text"), str):
                if part["text"]:
                    yield TextPart(text=carriable(f"{here}.text", part["text"]))
            case "image_url":
                yield chat_picture(here, part)
            case "refusal":
                continue  # what an assistant refused earlier is no part of the picture
            case kind:
                raise InvalidParameter(f"{here}.type", kind, "text with a text, image_url")
