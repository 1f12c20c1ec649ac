"""Reads requests to the Helicone AI Gateway, of chat and of the Responses API, and says what they ask for.

Strategy: both forms are read to one `Asked`, since the gateway makes the same Gemini request of them. What
it hands on as it stands is checked as Google checks it: the ratio, the size, the number of tokens.

Source: https://docs.helicone.ai/gateway/concepts/image-generation
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .chat_drawing import Canvas, gemini_canvas
from .chat_pictures import PictureRules
from .chat_request import Chat, read_chat
from .gemini_models import Model
from .helicone_errors import unknown_model
from .helicone_input import read_input
from .helicone_models import find_model
from .openai_readers import (
    Reader,
    any_array,
    any_object,
    boolean,
    choice,
    listed,
    number,
    record,
    text,
    whole,
)

PICTURES = PictureRules(kinds=("png", "jpeg", "webp", "heic", "heif"))

_IMAGE_GENERATION = "image_generation"
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_LARGEST_COUNT = 1_000_000
_picture_settings = record(
    {"aspect_ratio": text(), "image_size": text()}, required=("aspect_ratio", "image_size")
)

_CHAT_FIELDS: Mapping[str, Reader] = {
    _IMAGE_GENERATION: _picture_settings,
    "reasoning_effort": text(),
    "reasoning_options": any_object,
    "modalities": listed(choice(("text", "image"))),
    "metadata": any_object,
    "store": boolean,
    "prompt_cache_key": text(),
    "safety_identifier": text(),
    "service_tier": text(),
}
_RESPONSES_FIELDS: Mapping[str, Reader] = {
    "model": text(shortest=1),
    "input": lambda value, name: read_input(value, name, PICTURES),
    _IMAGE_GENERATION: _picture_settings,
    "instructions": text(),
    "max_output_tokens": whole(1, _LARGEST_COUNT),
    "stream": boolean,
    "stream_options": any_object,
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "reasoning": any_object,
    "text": any_object,
    "include": any_array,
    "truncation": text(),
    "user": text(),
    "metadata": any_object,
    "store": boolean,
    "prompt_cache_key": text(),
    "safety_identifier": text(),
    "service_tier": text(),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for; `name` is the model's, without its provider."""

    chat: Chat
    name: str
    model: Model
    canvas: Canvas

    @property
    def size(self) -> str | None:
        """The size of the picture that was asked for."""
        size: str | None = self.chat.fields.get(_IMAGE_GENERATION, {}).get("image_size")
        return size


def read_chat_request(values: Mapping[str, Any]) -> Asked:
    """Read a chat. Raises OpenAIError or GatewayError. Decodes pictures: call it in a thread."""
    return _settled(read_chat(values, _CHAT_FIELDS, PICTURES))


def read_responses_request(values: Mapping[str, Any]) -> Asked:
    """Read a request of the Responses API. Raises and decodes as the other does."""
    fields = record(_RESPONSES_FIELDS, required=("model", "input"))(values, "")
    said = fields.pop("input")
    instructions = len(fields.get("instructions", ""))
    chat = Chat(
        model=fields.pop("model"),
        prompt=next(message.words for message in reversed(said) if message.role == "user"),
        pictures=tuple(picture for message in said for picture in message.pictures),
        text_signs=instructions + sum(len(message.words) for message in said),
        fields=fields,
    )
    return _settled(chat)


def _settled(chat: Chat) -> Asked:
    found = find_model(chat.model)
    if found is None:
        raise unknown_model(chat.model)
    name, model = found
    for limit in _LIMITS:
        if limit in chat.fields:
            whole(1, model.output_token_limit)(chat.fields[limit], limit)
    settings = chat.fields.get(_IMAGE_GENERATION)
    ratio, size = None, None
    if settings is not None:
        ratio = choice(model.ratios)(settings["aspect_ratio"], f"{_IMAGE_GENERATION}.aspect_ratio")
        size = choice(_sizes(model))(settings["image_size"], f"{_IMAGE_GENERATION}.image_size")
    return Asked(chat=chat, name=name, model=model, canvas=gemini_canvas(chat, model, ratio=ratio, size=size))


def _sizes(model: Model) -> tuple[str, ...]:
    return tuple(model.output_tokens) if model.takes_image_size else ()
