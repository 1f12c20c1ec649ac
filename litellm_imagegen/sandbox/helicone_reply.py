"""Lays out what the Helicone AI Gateway answers, as a chat completion and as a Response with its events.

A Response holds one message: all its words as one part, every picture as an `output_image`, each in the place
where it began. In a stream the words stay open while pictures come.

Source: https://docs.helicone.ai/gateway/concepts/image-generation
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import chat_reply
from .chat_drawing import native_finish, pieces
from .chat_reply import Piece
from .chat_usage import TokenUsage, gemini_usage
from .faults import Wishes
from .helicone_request import Asked
from .openai_exchange import Event
from .words import deltas

# All other reasons, those of refused pictures among them, are told as an ordinary end.
_FINISH = {"MAX_TOKENS": "length", "SAFETY": "content_filter", "RECITATION": "content_filter"}
_BETWEEN = "\n\n"


def answered(asked: Asked, wishes: Wishes) -> list[Piece]:
    """What the model answers, drafts among it. It draws, so call it off the event loop."""
    return pieces(asked.canvas, wishes, drafts_shown=True)


def chat_of(asked: Asked, wishes: Wishes, found: Sequence[Piece]) -> chat_reply.Reply:
    """The answer as a chat completion."""
    usage = _tokens(asked, wishes, found)
    finish = "stop" if wishes.block_reason is not None else _FINISH.get(native_finish(wishes), "stop")
    return chat_reply.Reply(
        id=f"chatcmpl-{secrets.token_hex(12)}",
        model=asked.name,
        pieces=found,
        finish_reason=finish,
        usage={
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
        },
        numbered=False,
    )


@dataclass(frozen=True, kw_only=True)
class Response:
    """The answer as a Response. `created` is in Unix seconds."""

    model: str
    pieces: Sequence[Piece]
    usage: Mapping[str, int]
    id: str = field(default_factory=lambda: f"resp_{secrets.token_hex(12)}")
    message_id: str = field(default_factory=lambda: f"msg_{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))


def response_of(asked: Asked, wishes: Wishes, found: Sequence[Piece]) -> Response:
    """The answer as a Response; thoughts in words are not told there."""
    usage = _tokens(asked, wishes, found)
    return Response(
        model=asked.name,
        pieces=[piece for piece in found if piece.kind != "thought"],
        usage={
            "input_tokens": usage.prompt_tokens,
            "output_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
        },
    )


def ended(response: Response) -> dict[str, Any]:
    """The Response object at its end; also a refusal is completed, with nothing in its message."""
    message = _message(response, "completed", _content(response))
    return {**_frame(response, "completed", [message]), "usage": dict(response.usage)}


def _content(response: Response) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    words = _text_part(_words(response))
    for piece in response.pieces:
        if piece.kind == "picture":
            content.append(_picture_part(piece.content))
        elif words not in content:
            content.append(words)
    return content


def events(response: Response) -> list[Event]:
    """All events of a stream, in order and numbered."""
    return _numbered(_events(response))


def broken(response: Response, error: Mapping[str, Any]) -> list[Event]:
    """The events of a stream that breaks after its first words, before any picture is whole."""
    found: list[Event] = []
    for name, body in _events(response):
        if body.get("part", {}).get("type") == "output_image" or name.endswith(".done"):
            break
        found.append((name, body))
    last = {"code": error["code"], "message": error["message"], "param": None}
    return _numbered(iter([*found, ("error", last)]))


def _numbered(found: Iterator[Event]) -> list[Event]:
    return [
        (name, {"type": name, "sequence_number": number, **body}) for number, (name, body) in enumerate(found)
    ]


def _events(response: Response) -> Iterator[Event]:
    begun = _frame(response, "in_progress", [])
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    unfinished = _message(response, "in_progress", [])
    yield "response.output_item.added", {"output_index": 0, "item": unfinished}
    yield from _part_events(response)
    last = ended(response)
    yield "response.output_item.done", {"output_index": 0, "item": last["output"][0]}
    yield "response.completed", {"response": last}


def _part_events(response: Response) -> Iterator[Event]:
    within = {"item_id": response.message_id, "output_index": 0}
    words_place: dict[str, Any] | None = None
    parts = 0
    for piece in response.pieces:
        place = {**within, "content_index": parts}
        if piece.kind == "picture":
            parts += 1
            yield "response.content_part.added", {**place, "part": _picture_part("")}
            yield "response.content_part.done", {**place, "part": _picture_part(piece.content)}
            continue
        if words_place is None:
            words_place, parts = place, parts + 1
            yield "response.content_part.added", {**place, "part": _text_part("")}
            before = ""
        else:
            before = _BETWEEN
        for index, delta in enumerate(deltas(piece.content)):
            told = delta if index else before + delta
            yield "response.output_text.delta", {**words_place, "delta": told}
    if words_place is not None:
        words = _words(response)
        yield "response.output_text.done", {**words_place, "text": words}
        yield "response.content_part.done", {**words_place, "part": _text_part(words)}


def _words(response: Response) -> str:
    return _BETWEEN.join(piece.content for piece in response.pieces if piece.kind == "words")


def _text_part(words: str) -> dict[str, Any]:
    return {"type": "output_text", "text": words, "annotations": []}


def _picture_part(data_url: str) -> dict[str, Any]:
    return {"type": "output_image", "image_url": data_url}


def _message(response: Response, status: str, content: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "id": response.message_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": list(content),
    }


def _frame(response: Response, status: str, output: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "id": response.id,
        "object": "response",
        "created_at": response.created,
        "status": status,
        "model": response.model,
        "output": list(output),
    }


def _tokens(asked: Asked, wishes: Wishes, found: Sequence[Piece]) -> TokenUsage:
    blocked = wishes.block_reason is not None
    return gemini_usage(asked.chat, asked.model, asked.size, found, blocked=blocked)
