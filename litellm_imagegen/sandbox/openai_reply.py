"""Composes what the OpenAI Images API answers: pictures and usage; as one body or as events of a stream.

Strategy: `compose` draws everything once; `whole` and `events` only lay it out, so that a streamed and an
unstreamed answer to the same request hold the same picture. It draws, so call it off the event loop.

Source: https://platform.openai.com/docs/api-reference/images/object and
https://platform.openai.com/docs/api-reference/images-streaming
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .faults import Wishes
from .openai_drawing import caption_of, draw, prompt_of, seed_of
from .openai_encoding import encode, encode_animation, encode_drawing
from .openai_exchange import Event
from .openai_request import Asked
from .openai_tokens import PARTIAL_PICTURE_TOKENS, input_picture_tokens, output_tokens, text_tokens

_EVENT_PREFIXES = {"generation": "image_generation", "edit": "image_edit"}
_DRAFTS = 2


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A composed reply; pictures are base64. `partials` come before the picture of a stream."""

    asked: Asked
    pictures: Sequence[str] = ()
    partials: Sequence[str] = ()
    created: int = field(default_factory=lambda: int(time.time()))


def compose(asked: Asked, wishes: Wishes) -> Reply:
    """The reply to a request, with the wished number of pictures (0 for an empty reply)."""
    count = wishes.pictures or asked.count
    if wishes.empty or wishes.finish_reason is not None:
        count = 0
    pictures = [picture_base64(asked, wishes, number=number, of=count) for number in range(1, count + 1)]
    return Reply(asked=asked, pictures=pictures, partials=partials_of(asked, wishes) if count else ())


def compose_partials(asked: Asked, wishes: Wishes) -> Reply:
    """What has been sent of a reply whose stream breaks before its picture."""
    return Reply(asked=asked, partials=partials_of(asked, wishes))


def partials_of(asked: Asked, wishes: Wishes, *, number: int = 1, of: int = 1) -> list[str]:
    """The unfinished states of a picture in base64: only of a stream, two at least as drafts."""
    if not asked.stream:
        return []
    count = max(asked.partial_pictures, _DRAFTS if wishes.drafts else 0)
    return [
        picture_base64(asked, Wishes(), number=number, of=of, partial=partial)
        for partial in range(1, count + 1)
    ]


def picture_base64(asked: Asked, wishes: Wishes, *, number: int, of: int, partial: int = 0) -> str:
    """Picture `number` of `of`, or its unfinished state number `partial`, as a file in base64."""
    data = _file(asked, wishes.padding_bytes, number=number, of=of, partial=partial)
    text = base64.b64encode(data).decode("ascii")
    return text[:200] + "%%% this is no base64 %%%" if wishes.bad_base64 else text


def whole(reply: Reply) -> dict[str, Any]:
    """The body of an unstreamed reply."""
    return {
        "created": reply.created,
        "data": [{"b64_json": picture} for picture in reply.pictures],
        **settings_of(reply.asked),
        "usage": _usage(reply),
    }


def events(reply: Reply) -> list[Event]:
    """The events of a stream, as name and body, in order."""
    usage = _usage(reply)
    partial = [
        _event(reply, "partial_image", picture, partial_image_index=index)
        for index, picture in enumerate(reply.partials)
    ]
    return [*partial, *(_event(reply, "completed", picture, usage=usage) for picture in reply.pictures)]


def event_name(asked: Asked, kind: str) -> str:
    """The name of an event ("completed") of this operation."""
    return f"{_EVENT_PREFIXES[asked.operation]}.{kind}"


def _event(reply: Reply, kind: str, picture: str, **more: Any) -> Event:
    name = event_name(reply.asked, kind)
    common = {"type": name, "b64_json": picture, "created_at": reply.created}
    return name, common | settings_of(reply.asked) | more


def settings_of(asked: Asked) -> dict[str, str]:
    """What a reply tells of its pictures."""
    return {
        "background": asked.background,
        "output_format": asked.output_format,
        "quality": asked.quality,
        "size": asked.size,
    }


def _file(asked: Asked, padding_bytes: int, *, number: int, of: int, partial: int) -> bytes:
    if asked.output_format == "svg":
        seed = seed_of(asked, number=number, partial=partial)
        return encode_drawing(
            width=asked.width,
            height=asked.height,
            prompt=prompt_of(asked),
            caption=caption_of(asked, number=number, of=of) + (f" · PARTIAL {partial}" if partial else ""),
            hue=int.from_bytes(hashlib.sha256(seed.encode()).digest()[:2], "big") % 360,
            padding_bytes=padding_bytes,
        )
    picture = draw(asked, number=number, of=of, partial=partial)
    if asked.output_format == "gif":
        return encode_animation(
            picture,
            frame_count=asked.frame_count,
            frame_duration_ms=asked.frame_duration_ms,
            padding_bytes=padding_bytes,
        )
    return encode(
        picture,
        output_format=asked.output_format,
        compression=asked.output_compression,
        padding_bytes=padding_bytes,
    )


def usage_of(asked: Asked, *, pictures: int, partials: int) -> dict[str, Any]:
    """The tokens of so many pictures and unfinished ones."""
    words = text_tokens(asked.prompt)
    given = asked.input_count * input_picture_tokens(high_fidelity=asked.high_fidelity)
    each = output_tokens(asked.model.output_tokens[asked.quality], (asked.width, asked.height))
    drawn = pictures * each + partials * PARTIAL_PICTURE_TOKENS
    return {
        "input_tokens": words + given,
        "input_tokens_details": {"text_tokens": words, "image_tokens": given},
        "output_tokens": drawn,
        "output_tokens_details": {"image_tokens": drawn, "text_tokens": 0},
        "total_tokens": words + given + drawn,
    }


def _usage(reply: Reply) -> dict[str, Any]:
    return usage_of(reply.asked, pictures=len(reply.pictures), partials=len(reply.partials))
