"""The input of a Responses request to the Helicone AI Gateway: a string, or messages with words and pictures.

What the gateway has answered may be sent back as it came: an assistant's message with `output_image` parts.

Source: https://docs.helicone.ai/gateway/concepts/responses-api
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .chat_pictures import PictureRules, read_url
from .input_pictures import InputPicture
from .openai_errors import bad_request, invalid_value
from .openai_readers import Reader, any_array, choice, listed, record, text, variants

Part = tuple[str, tuple[InputPicture, ...]]


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message."""

    role: str
    words: str
    pictures: tuple[InputPicture, ...] = ()


def read_input(value: Any, name: str, rules: PictureRules) -> Sequence[Said]:
    """Read the whole input. Raises OpenAIError at the first fault."""
    if isinstance(value, str):
        said = [Said(role="user", words=value)]
    else:
        said = listed(_message_reader(rules))(value, name)
    if not said or said[-1].role != "user":
        raise invalid_value(name, "its last message must be the user's.")
    if not (said[-1].words.strip() or said[-1].pictures):
        raise bad_request("The last user message has neither words nor a picture.", param=name)
    return said


def _message_reader(rules: PictureRules) -> Reader:
    words = {"input_text": _text_part(), "output_text": _text_part("annotations", "logprobs")}
    pictures = {kind: _picture_part(rules) for kind in ("input_image", "output_image")}
    parts = listed(variants({**words, **pictures}))
    fields = record(
        {
            "type": choice(("message",)),
            "role": choice(("user", "assistant", "system", "developer")),
            "content": lambda content, _: content,
            "id": text(),
            "status": text(),
        },
        required=("role", "content"),
    )

    def read(value: Any, name: str) -> Said:
        message = fields(value, name)
        content = message["content"]
        if isinstance(content, str):
            return Said(role=message["role"], words=content)
        found: list[Part] = parts(content, f"{name}.content")
        return Said(
            role=message["role"],
            words="\n".join(words for words, _ in found if words),
            pictures=tuple(picture for _, shown in found for picture in shown),
        )

    return read


def _text_part(*ignored: str) -> Reader:
    fields = record({"type": text(), "text": text(), **dict.fromkeys(ignored, any_array)}, required=("text",))

    def read(value: Any, name: str) -> Part:
        return fields(value, name)["text"], ()

    return read


def _picture_part(rules: PictureRules) -> Reader:
    """A picture of a message, `{type, image_url, detail?}`: here image_url is the address itself."""
    details = choice(("auto", "low", "high", "original"))
    fields = record(
        {"type": text(), "image_url": text(shortest=1), "detail": details}, required=("image_url",)
    )

    def read(value: Any, name: str) -> Part:
        return "", read_url(fields(value, name)["image_url"], f"{name}.image_url", rules)

    return read
