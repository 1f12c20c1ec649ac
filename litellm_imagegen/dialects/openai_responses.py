"""OpenAI Responses: the `image_generation` tool. Source: https://platform.openai.com/docs/guides/tools-image-generation."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import Asked, ImageInput, Message, Name, Role, TextPart
from litellm_imagegen.dialects.pictures import any_picture, as_mapping, chat_picture
from litellm_imagegen.dialects.reading import Fields, carriable, integer
from litellm_imagegen.dialects.shared import picture_fields
from litellm_imagegen.errors import InvalidParameter, RequestError

_TOOL = "image_generation"
# Settings by name, with the values that change nothing for a picture; None for any value.
_WITHOUT_MEANING: Mapping[str, tuple[Any, ...] | None] = {
    "background": (False,),
    "include": None,
    "parallel_tool_calls": None,
    "truncation": ("auto", "disabled"),
    "text": ({"format": {"type": "text"}},),
}
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


def read(fields: Fields) -> Iterator[Asked]:
    """The tool's settings. Other tools are not for pictures, and stay unread.

    Raises `InvalidParameter` for tools that are no list of objects.
    """
    yield from fields.read(Name.MAX_TOKENS, integer(1), "max_output_tokens")
    tools, place_of_tools = fields.take("tools"), fields.spelling("tools")
    if not isinstance(tools, list | None):
        raise InvalidParameter(place_of_tools, tools, "a list of tools")
    for index, given in enumerate(tools or ()):
        place = f"{place_of_tools}[{index}]"
        tool = as_mapping(place, given)
        if tool.get("type") == _TOOL:
            yield from _tool(fields.inner(place, {k: v for k, v in tool.items() if k != "type"}))
        else:
            fields.leave(place, tool)
    choice = fields.peek("tool_choice")
    if choice == "auto":
        fields.take("tool_choice")
    elif choice == "required" or (isinstance(choice, Mapping) and choice.get("type") == _TOOL):
        yield fields.asked(Name.MUST_DRAW, True, fields.spelling("tool_choice"))
        fields.take("tool_choice")


def take_settings(body: dict[str, Any]) -> None:
    """Take settings that change nothing for a picture out of `body`.

    Raises `RequestError` for background mode: there is nobody to ask for the outcome later.
    """
    if body.get("background") is True:
        told = "background: a response cannot be fetched later here; leave it out, and stream instead"
        raise RequestError(told, "background")
    for name, values in _WITHOUT_MEANING.items():
        if name in body and (values is None or body[name] in values):
            body.pop(name)


def read_input(
    body: dict[str, Any], earlier: tuple[Message, ...], picture_of: Callable[[str], Blob | None]
) -> tuple[Message, ...]:
    """`instructions`, the earlier turns and `input` as a conversation; what is read is taken out of `body`.

    `picture_of` gives the picture of an earlier item by the item's id.
    """
    instructions, given = body.pop("instructions", None), body.pop("input", None)
    messages: list[Message] = []
    if instructions is not None:
        if not isinstance(instructions, str):
            raise InvalidParameter("instructions", instructions, "a string")
        if instructions:
            messages.append(Message(role="system", parts=_text("instructions", instructions)))
    messages += earlier
    if isinstance(given, str):
        messages.append(Message(role="user", parts=_text("input", given)))
    elif isinstance(given, list) and given:
        for index, item in enumerate(given):
            messages += _item(f"input[{index}]", item, picture_of)
    else:
        raise InvalidParameter("input", given, "a string or a list with at least one item")
    return tuple(messages)


def _text(place: str, text: str) -> tuple[TextPart, ...]:
    return (TextPart(text=carriable(place, text)),) if text else ()


def _item(place: str, item: Any, picture_of: Callable[[str], Blob | None]) -> Iterator[Message]:
    """A message, or a picture that was drawn earlier; how the model reasoned then is no part of it."""
    item = as_mapping(place, item)
    match item.get("type") or "message":
        case "message":
            yield _message(place, item)
        case "image_generation_call" if item.get("result") is not None:
            yield Message(role="assistant", parts=(any_picture(f"{place}.result", item.get("result")),))
        case "image_generation_call" | "item_reference":
            blob = picture_of(str(item.get("id")))
            if blob is None:
                raise InvalidParameter(
                    f"{place}.id",
                    item.get("id"),
                    "an item with its result, or the id of a picture that was drawn lately",
                )
            yield Message(role="assistant", parts=(ImageInput(blob=blob, spelling=f"{place}.id"),))
        case "reasoning":
            return
        case kind:
            raise InvalidParameter(f"{place}.type", kind, "message, image_generation_call, item_reference")


def _message(place: str, item: Mapping[str, Any]) -> Message:
    role = _ROLES.get(str(item.get("role")))
    if role is None:
        raise InvalidParameter(f"{place}.role", item.get("role"), ", ".join(_ROLES))
    content = item.get("content")
    if isinstance(content, str):
        return Message(role=role, parts=_text(f"{place}.content", content))
    if not isinstance(content, list):
        raise InvalidParameter(f"{place}.content", content, "a string or a list of parts")
    parts: list[TextPart | ImageInput] = []
    for index, given in enumerate(content):
        here = f"{place}.content[{index}]"
        part = as_mapping(here, given)
        match part.get("type"):
            case "input_text" | "output_text" | "text" if isinstance(part.get("text"), str):
                parts += _text(f"{here}.text", part["text"])
            case "input_image" | "output_image" | "image_url":
                parts.append(chat_picture(here, part))
            case "refusal":
                continue
            case kind:
                raise InvalidParameter(
                    f"{here}.type", kind, "input_text, input_image, output_text, output_image"
                )
    return Message(role=role, parts=tuple(parts))


def _tool(tool: Fields) -> Iterator[Asked]:
    tool.take("action")  # whether to draw or to edit shows in the pictures that are given
    yield from tool.read_shape("size")
    yield from picture_fields(tool)
