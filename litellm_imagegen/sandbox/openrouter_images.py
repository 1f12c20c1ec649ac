"""OpenRouter's Image API: how it answers, whole or as a stream.

Strategy: as on chat, but that an answer is pictures only and billed all or nothing. A picture that the
provider does not show is an error; so is an answer without one. Models that talk say their words in a stream.

Source: https://openrouter.ai/docs/api-reference/images
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from . import chat_reply, openrouter_errors
from .chat_drawing import picture_base64
from .chat_exchange import GatewayError, failed, odd, read_json, wishes_of
from .chat_usage import google_tokens
from .faults import Wishes
from .openai_errors import OpenAIError, bad_request
from .openai_exchange import bearer_key
from .openrouter_bill import drawn_tokens, usage
from .openrouter_chat import check_key, generation_id
from .openrouter_images_request import AskedPictures, read_request
from .transport import Delivery, Outgoing, page

_DRAFTS = 2
_NO_PICTURES = ("NO_IMAGE", "OTHER", "IMAGE_OTHER", "STOP")


async def answer(request: Request) -> Response:
    """POST /api/v1/images: check everything, then answer."""
    wishes = Wishes()
    try:
        body = await read_json(request)
        check_key(bearer_key(request))
        asked = await asyncio.to_thread(read_request, body.checked())
        wishes = _wishes(request, asked)
        outgoing = page(wishes) or await _composed(asked, wishes)
    except OpenAIError as error:
        outgoing = failed(openrouter_errors.of_request(error))
    except GatewayError as error:
        outgoing = failed(error)
    headers = {"X-Generation-Id": generation_id(), **outgoing.headers}
    return Delivery(replace(outgoing, headers=headers), wishes)


def _wishes(request: Request, asked: AskedPictures) -> Wishes:
    wishes = wishes_of(request, asked.prompt)
    for word, wished in {"drafts": wishes.drafts, "words": wishes.words}.items():
        if wished and not asked.stream:
            raise bad_request(f"The sandbox fault '{word}' exists in streams of OpenRouter's Image API only.")
    return wishes


async def _composed(asked: AskedPictures, wishes: Wishes) -> Outgoing:
    error = openrouter_errors.wished_error(wishes, asked.model)
    if error is None and wishes.block_reason is not None:
        error = openrouter_errors.moderated(asked.model, asked.prompt, wishes.block_reason)
    if error is not None:
        raise error
    if wishes.never:
        return Outgoing()
    outgoing = odd(wishes, stream=asked.stream)
    return await asyncio.to_thread(_drawn, asked, wishes) if outgoing is None else outgoing


def _drawn(asked: AskedPictures, wishes: Wishes) -> Outgoing:
    error = _late_error(asked, wishes)
    if asked.stream:
        events = _early_events(asked, wishes)
        events += _last_events(asked, wishes) if error is None else [_error_event(error)]
        return chat_reply.as_stream(events)
    if error is None:
        return chat_reply.as_body(_whole(asked, wishes))
    if wishes.error_mid_stream:
        # What breaks after the provider has begun comes with status 200.
        return chat_reply.as_body(error.body)
    raise error


def _late_error(asked: AskedPictures, wishes: Wishes) -> GatewayError | None:
    """The error of a provider that has begun to draw."""
    if wishes.error_mid_stream:
        return openrouter_errors.provider_failed(asked.model)
    if wishes.pictures is not None or wishes.empty:
        return None
    reason = "IMAGE_SAFETY" if wishes.refuse_picture else wishes.finish_reason
    if wishes.words_only or reason in _NO_PICTURES:
        return openrouter_errors.provider_failed(asked.model, f"no picture ({reason or 'words only'})")
    if reason == "MAX_TOKENS":
        return openrouter_errors.out_of_tokens(asked.model)
    return None if reason is None else openrouter_errors.content_refused(asked.model, reason)


def _pictures(asked: AskedPictures, wishes: Wishes) -> list[dict[str, Any]]:
    count = 0 if wishes.empty else wishes.pictures or asked.count
    return [
        {
            "b64_json": picture_base64(asked.canvas, wishes, number=number, of=count),
            "media_type": asked.canvas.media_type,
        }
        for number in range(1, count + 1)
    ]


def _whole(asked: AskedPictures, wishes: Wishes) -> dict[str, Any]:
    data = _pictures(asked, wishes)
    return {"created": int(time.time()), "data": data, "usage": _usage(asked, len(data))}


def _usage(asked: AskedPictures, pictures: int) -> dict[str, Any]:
    size = (asked.shape.width, asked.shape.height)
    tokens = drawn_tokens(
        text_signs=len(asked.prompt), inputs=len(asked.inputs), pictures=pictures, pixels=size
    )
    if asked.model.gemini is not None:
        tokens = google_tokens(
            asked.model.gemini,
            asked.shape.tier,
            text_signs=len(asked.prompt),
            inputs=len(asked.inputs),
            pictures=pictures,
        )
    return usage(asked.model, tokens, pictures=pictures)


def _early_events(asked: AskedPictures, wishes: Wishes) -> list[dict[str, Any]]:
    """What a stream tells before its pictures: words of a model that talks, drafts on wish."""
    events: list[dict[str, Any]] = []
    if wishes.drafts:
        events.append(_words_event("I think about composition and light.", "reasoning"))
        events += [_draft_event(asked, index) for index in range(_DRAFTS)]
    if asked.model.words:
        events.append(_words_event("Here is the picture you asked for.", "content"))
    if wishes.words:
        events.append(_words_event("These words were wished for. (sandbox)", "content"))
    return events


def _last_events(asked: AskedPictures, wishes: Wishes) -> list[dict[str, Any]]:
    """The pictures, the last with the usage of all."""
    created = int(time.time())
    pictures = _pictures(asked, wishes)
    events = [{"type": "image_generation.completed", "created": created, **picture} for picture in pictures]
    if events:
        events[-1]["usage"] = _usage(asked, len(pictures))
    return events


def _words_event(words: str, phase: str) -> dict[str, Any]:
    return {"type": "image_generation.text_chunk", "text": words, "phase": phase}


def _draft_event(asked: AskedPictures, index: int) -> dict[str, Any]:
    return {
        "type": "image_generation.partial_image",
        "b64_json": picture_base64(asked.canvas, Wishes(), draft=index + 1),
        "media_type": asked.canvas.media_type,
        "partial_image_index": index,
    }


def _error_event(failure: GatewayError) -> dict[str, Any]:
    error = failure.body["error"]
    kind = error.get("metadata", {}).get("error_type")
    body = {"message": error["message"], "code": str(error["code"]), "type": kind, "param": None}
    return {"type": "error", "error": body}
