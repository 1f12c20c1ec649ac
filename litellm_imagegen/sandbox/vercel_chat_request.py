"""Reads a chat to the Vercel AI Gateway and says what is to be drawn, by a model of Google's or of OpenAI's.

Strategy: the model's kind says which vendor's options count and whose reader checks them. Google's are those
of AI Studio and of Vertex AI together, since the gateway routes to either. Models of the GPT-5 family draw
with a tool: for them, pictures must be among the modalities that are asked for.

Source: https://vercel.com/docs/ai-gateway/capabilities/image-generation/openai and
https://ai-sdk.dev/providers/ai-sdk-providers/google
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import gemini_models, openai_models
from .chat_drawing import Canvas, gemini_canvas
from .chat_pictures import PictureRules
from .chat_request import Chat, read_chat
from .gemini_errors import cached_content_not_found, invalid_argument
from .gemini_fields import request_reader
from .openai_errors import OpenAIError
from .openai_fields import read_fields
from .openai_inputs import Pictures
from .openai_mainline import DEFAULT_IMAGE_MODEL
from .openai_readers import Reader, any_array, any_object, boolean, choice, listed, text
from .openai_request import settle
from .strict import Violations
from .vercel_errors import model_not_found, refused_upstream, wrong_kind
from .vercel_models import LANGUAGE_MODELS, MODELS
from .vercel_openai import translated
from .vercel_options import GOOGLE, OPENAI, Options, vendor_options

_TEXT, _IMAGE = "text", "image"
_OF_THE_TOOL = ("size", "quality", "background", "output_format", "output_compression", "moderation")
_OF_GENERATION = ("responseModalities", "imageConfig", "thinkingConfig", "mediaResolution")
_AT_TOP = ("safetySettings", "cachedContent", "serviceTier", "labels")
_SHARED = {
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "seed": "seed",
}

_FIELDS: Mapping[str, Reader] = {
    "modalities": listed(choice((_TEXT, _IMAGE))),
    "providerOptions": any_object,
    "models": listed(text(shortest=1)),
    "reasoning": any_object,
    "reasoning_effort": text(),
    "tools": any_array,
    "tool_choice": lambda value, _: value,
    "response_format": any_object,
    "metadata": any_object,
    "store": boolean,
}


@dataclass(frozen=True, kw_only=True)
class AskedChat:
    """What a request asks for.

    `google` is the model that draws, with `size` its size ("2K"); without it one of OpenAI's draws, in
    `quality`.
    """

    chat: Chat
    canvas: Canvas
    google: gemini_models.Model | None = None
    size: str | None = None
    quality: str = ""
    wants_words: bool = True
    wants_pictures: bool = True
    shows_thoughts: bool = False


def read_request(values: Mapping[str, Any]) -> AskedChat:
    """Read a whole request. Raises OpenAIError or GatewayError. Decodes pictures: call it in a thread."""
    chat = read_chat(values, _FIELDS, PictureRules())
    if chat.model in MODELS:
        raise wrong_kind(chat.model, "a language")
    model = LANGUAGE_MODELS.get(chat.model)
    if model is None:
        raise model_not_found(chat.model)
    options = chat.fields.get("providerOptions")
    if isinstance(model, gemini_models.Model):
        return _of_google(chat, model, vendor_options(options, GOOGLE))
    return _of_openai(chat, vendor_options(options, (OPENAI,)))


def _of_google(chat: Chat, model: gemini_models.Model, options: Options) -> AskedChat:
    config = _google_config(chat, model, options)
    picture: Mapping[str, Any] = config.get("imageConfig", {})
    size: str | None = picture.get("imageSize")
    canvas = gemini_canvas(chat, model, ratio=picture.get("aspectRatio"), size=size)
    output: Mapping[str, Any] = picture.get("imageOutputOptions", {})
    if "mimeType" in output:
        kind = output["mimeType"].removeprefix("image/")
        canvas = replace(canvas, output_format=kind, compression=output.get("compressionQuality"))
    wanted = [kind.lower() for kind in config.get("responseModalities", ())] or chat.fields.get("modalities")
    return AskedChat(
        chat=chat,
        canvas=canvas,
        google=model,
        size=size,
        wants_words=not wanted or _TEXT in wanted,
        wants_pictures=not wanted or _IMAGE in wanted,
        shows_thoughts=bool(config.get("thinkingConfig", {}).get("includeThoughts")),
    )


def _google_config(chat: Chat, model: gemini_models.Model, options: Options) -> Mapping[str, Any]:
    """The generationConfig that Google is asked with. Raises GatewayError with all that it refuses."""
    generation = {name: options[name] for name in _OF_GENERATION if name in options}
    generation |= {told: chat.fields[name] for name, told in _SHARED.items() if name in chat.fields}
    request = {name: options[name] for name in _AT_TOP if name in options}
    violations: Violations = []
    read = request_reader(model, vertex=True)({**request, "generationConfig": generation}, "", violations)
    if violations:
        raise refused_upstream(invalid_argument(violations))
    if "cachedContent" in read:
        raise refused_upstream(cached_content_not_found())
    config: Mapping[str, Any] = read["generationConfig"]
    return config


def _of_openai(chat: Chat, options: Options) -> AskedChat:
    given = {**options, **translated(options)}
    wanted = {name: given[name] for name in _OF_THE_TOOL if name in given}
    model = openai_models.MODELS[DEFAULT_IMAGE_MODEL]
    try:
        fields = read_fields({"prompt": chat.prompt or "-", **wanted}, model, "generation")
    except OpenAIError as error:
        raise refused_upstream(error) from None
    asked = settle(fields, model, "generation", Pictures())
    modalities: Sequence[str] = chat.fields.get("modalities", (_TEXT,))
    return AskedChat(
        chat=chat,
        canvas=Canvas(
            model=chat.model,
            prompt=chat.prompt,
            width=asked.width,
            height=asked.height,
            settings=asked.quality,
            output_format=asked.output_format,
            compression=asked.output_compression,
            inputs=chat.pictures,
        ),
        quality=asked.quality,
        wants_words=_TEXT in modalities,
        wants_pictures=_IMAGE in modalities,
    )
