"""OpenRouter's chat endpoint: what it asks of a request, and how it answers.

Strategy: the model decides what may be asked for; a request for words to a model that only draws has no
endpoint. A prompt that moderation stops is a 403; a picture that the provider does not show is an answer
without pictures. What breaks later comes with HTTP 200: as the body, or as the last chunk of a stream.

Source: https://openrouter.ai/docs/api-reference/chat-completion and
https://openrouter.ai/docs/features/multimodal/image-generation
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import chat_reply, openrouter_errors
from .chat_drawing import Canvas, native_finish, pieces
from .chat_exchange import Gateway, GatewayError
from .chat_pictures import PictureRules
from .chat_reply import Piece, Reply
from .chat_request import Chat, read_chat
from .chat_usage import TokenUsage, gemini_usage
from .faults import Wishes
from .openai_errors import OpenAIError, invalid_value
from .openrouter_bill import drawn_tokens, usage
from .openrouter_fields import CHAT_FIELDS, read_picture_config, tier_of
from .openrouter_models import PICTURE, TEXT, Model, find_model
from .openrouter_shapes import Shape, shape_of, shape_of_pixels
from .transport import Outgoing

_PROCESSING = "OPENROUTER PROCESSING"
_FINISH = {
    "STOP": "stop",
    "NO_IMAGE": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(("OTHER", "IMAGE_OTHER", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"), "error"),
}
_REASONING_FORMAT = "google-gemini-v1"
_NO_MODALITIES = "No endpoints found that support the requested output modalities: {}"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for."""

    chat: Chat
    model: Model
    shape: Shape
    canvas: Canvas
    modalities: tuple[str, ...]


class OpenRouterChat(Gateway[Asked]):
    """POST /api/v1/chat/completions."""

    def is_for(self, model: str) -> bool:
        """It has an address of its own."""
        return True

    def check_key(self, key: str) -> None:
        """Any key will do, but one that starts with "invalid". Raises GatewayError."""
        check_key(key)

    def refused(self, error: OpenAIError) -> GatewayError:
        """A refusal in OpenRouter's form."""
        return openrouter_errors.of_request(error)

    def read(self, values: Mapping[str, Any]) -> Asked:
        """Read a request. Raises OpenAIError or GatewayError."""
        models = values.get("models")
        if values.get("model") is None and isinstance(models, list) and models:
            values = {**values, "model": models[0]}
        chat = read_chat(values, CHAT_FIELDS, PictureRules())
        model = find_model(chat.model)
        if model is None:
            raise openrouter_errors.model_not_found(chat.model)
        return _asked(chat, model)

    def wished_error(self, asked: Asked, wishes: Wishes) -> GatewayError | None:
        """The error that was wished for, or that of a prompt which moderation stops."""
        error = openrouter_errors.wished_error(wishes, asked.model)
        if error is None and wishes.block_reason is not None:
            return openrouter_errors.moderated(asked.model, asked.chat.prompt, wishes.block_reason)
        return error

    def compose(self, asked: Asked, wishes: Wishes) -> Outgoing:
        """The reply, whole or as chunks."""
        reply = _reply(asked, wishes)
        if wishes.error_mid_stream:
            outgoing = _broken(asked, reply)
        elif asked.chat.stream:
            found = chat_reply.chunks(reply, include_usage=True)
            outgoing = chat_reply.as_stream(found, comments=[_PROCESSING])
        else:
            outgoing = chat_reply.as_body(chat_reply.whole(reply))
        return replace(outgoing, headers={"X-Generation-Id": reply.id})


def check_key(key: str) -> None:
    """Any key will do, but one that starts with "invalid". Raises GatewayError."""
    if not key or key.removeprefix("sk-or-").startswith("invalid"):
        raise openrouter_errors.key_refused(given=bool(key))


def generation_id() -> str:
    """The id of a generation."""
    return f"gen-{int(time.time())}-{secrets.token_urlsafe(15)}"


def _asked(chat: Chat, model: Model) -> Asked:
    if chat.fields.get("tools"):
        raise openrouter_errors.no_endpoint("No endpoints found that support tool use.")
    modalities = tuple(chat.fields.get("modalities") or model.output_modalities)
    if not set(modalities) <= set(model.output_modalities):
        raise openrouter_errors.no_endpoint(_NO_MODALITIES.format(", ".join(modalities)))
    if len(chat.pictures) > model.maximum_references:
        raise invalid_value(
            "messages", f"they hold {len(chat.pictures)} pictures; it takes {model.maximum_references}."
        )
    config = read_picture_config(chat.fields.get("image_config", {}), model)
    shape = _shape(chat, model, config)
    return Asked(
        chat=chat,
        model=model,
        shape=shape,
        modalities=modalities,
        canvas=canvas_of(
            model,
            shape,
            prompt=chat.prompt,
            seed=chat.seed,
            inputs=chat.pictures,
            quality=config.get("quality"),
            output_format=config.get("output_format"),
            compression=config.get("output_compression"),
            transparent=config.get("background_mode") == "transparent",
        ),
    )


def _shape(chat: Chat, model: Model, config: Mapping[str, Any]) -> Shape:
    size = config.get("size")
    if size is None:
        return shape_of(model, config.get("aspect_ratio"), tier_of(config.get("image_size")), chat.pictures)
    shape = shape_of_pixels(model, size)
    if isinstance(shape, str):
        raise invalid_value("image_config.size", shape)
    return shape


def canvas_of(
    model: Model,
    shape: Shape,
    *,
    prompt: str,
    seed: int | None,
    inputs: Sequence[Any],
    quality: str | None,
    output_format: str | None,
    compression: int | None,
    transparent: bool = False,
) -> Canvas:
    """What a model is to draw."""
    settings = f"{shape.ratio} · {shape.tier}" + (f" · {quality}" if quality else "")
    return Canvas(
        model=model.id,
        prompt=prompt,
        width=shape.width,
        height=shape.height,
        settings=settings,
        output_format=output_format or model.output_formats[0],
        compression=compression,
        transparent=transparent,
        seed=seed,
        inputs=tuple(inputs),
    )


def tokens_of(asked: Asked, found: Sequence[Piece]) -> TokenUsage:
    """The tokens of an answer."""
    if asked.model.gemini is not None:
        return gemini_usage(asked.chat, asked.model.gemini, asked.shape.tier, found)
    return drawn_tokens(
        text_signs=asked.chat.text_signs,
        inputs=len(asked.chat.pictures),
        pictures=sum(piece.kind == "picture" for piece in found),
        pixels=(asked.shape.width, asked.shape.height),
        said=sum(len(piece.content) for piece in found if piece.kind == "words"),
    )


def _reply(asked: Asked, wishes: Wishes) -> Reply:
    found = [] if wishes.error_mid_stream else _pieces(asked, wishes)
    pictures = sum(piece.kind == "picture" for piece in found)
    native = native_finish(wishes)
    return Reply(
        id=generation_id(),
        model=asked.model.id,
        pieces=found,
        finish_reason=_FINISH.get(native, "content_filter"),
        usage=usage(asked.model, tokens_of(asked, found), pictures=pictures),
        head={"provider": asked.model.provider},
        choice={"native_finish_reason": native if asked.model.gemini is not None else native.lower()},
        message={"refusal": None, "reasoning": None, **_reasoning_details(asked, found)},
        no_words="",
        without_choices=wishes.empty,
    )


def _pieces(asked: Asked, wishes: Wishes) -> list[Piece]:
    found = pieces(
        asked.canvas,
        wishes,
        wants_words=TEXT in asked.modalities,
        wants_pictures=PICTURE in asked.modalities,
    )
    return [piece for piece in found if piece.kind != "thought" or not _hides_thoughts(asked)]


def _hides_thoughts(asked: Asked) -> bool:
    return bool(asked.chat.fields.get("reasoning", {}).get("exclude", False))


def _reasoning_details(asked: Asked, found: Sequence[Piece]) -> dict[str, Any]:
    """What the model has thought: readable when it was asked to show it, and always its signature."""
    thinks = asked.model.gemini is not None and asked.model.gemini.thinks
    if not thinks or not found or _hides_thoughts(asked):
        return {}
    digest = hashlib.sha256(json.dumps([asked.model.id, asked.chat.prompt]).encode()).digest()
    details: list[dict[str, Any]] = [
        {"type": "reasoning.text", "text": piece.content} for piece in found if piece.kind == "thought"
    ]
    details.append({"type": "reasoning.encrypted", "data": base64.b64encode(digest[:18]).decode("ascii")})
    common = {"format": _REASONING_FORMAT}
    return {
        "reasoning_details": [{**detail, **common, "index": index} for index, detail in enumerate(details)]
    }


def _broken(asked: Asked, reply: Reply) -> Outgoing:
    """An answer that breaks after it has begun; its status stays 200."""
    error = openrouter_errors.provider_failed(asked.model).body
    if not asked.chat.stream:
        return chat_reply.as_body(error)
    found = [chat_reply.chunk(reply, {"role": "assistant", "content": "Here is"})]
    last = chat_reply.chunk(reply, {"content": ""}, finish_reason="error", error=error["error"])
    last["choices"][0]["native_finish_reason"] = None
    return chat_reply.as_stream([*found, last], comments=[_PROCESSING], done=False)
