"""Lays out chat completions as the gateways answer them: one body, or chunks of a stream.

Strategy: a gateway fills a `Reply` with pieces (words, thoughts and pictures in the order the model made
them) and with what is its own in `head`, `choice` and `message`. `whole(reply)` and `chunks(reply)` only lay
it out, so that both hold the same pictures; `chunk` makes any other chunk. `as_body` and `as_stream` make
them ready to send.

Source: https://platform.openai.com/docs/api-reference/chat/object
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .transport import Outgoing
from .words import deltas

_JSON = "application/json"
_EVENTS = "text/event-stream"
_DONE = b"data: [DONE]\n\n"
_BETWEEN = "\n\n"


@dataclass(frozen=True)
class Piece:
    """Words, a thought in words, or a picture as a data URL."""

    kind: Literal["words", "thought", "picture"]
    content: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A composed reply.

    `head` stands in the body and in every chunk, `choice` beside the finish reason. `message` stands in the
    message, and in a stream in the last delta but for what is None there. `no_words` is the content of a
    message without words. `without_choices`: nothing is answered at all. `numbered`: pictures tell which
    they are.
    """

    id: str
    model: str
    pieces: Sequence[Piece] = ()
    finish_reason: str = "stop"
    usage: Mapping[str, Any] = field(default_factory=dict)
    head: Mapping[str, Any] = field(default_factory=dict)
    choice: Mapping[str, Any] = field(default_factory=dict)
    message: Mapping[str, Any] = field(default_factory=dict)
    no_words: str | None = None
    without_choices: bool = False
    numbered: bool = True
    created: int = field(default_factory=lambda: int(time.time()))


def picture_part(data_url: str, **more: Any) -> dict[str, Any]:
    """A picture as a part of a message."""
    return {"type": "image_url", "image_url": {"url": data_url}, **more}


def whole(reply: Reply) -> dict[str, Any]:
    """The body of an unstreamed reply, with pictures in `message.images`."""
    content = _joined(reply, "words") or reply.no_words
    message: dict[str, Any] = {"role": "assistant", "content": content, **reply.message}
    thoughts = _joined(reply, "thought")
    if thoughts:
        message["reasoning"] = thoughts
    pictures = [piece.content for piece in reply.pieces if piece.kind == "picture"]
    if pictures:
        message["images"] = [_numbered(reply, url, index) for index, url in enumerate(pictures)]
    return _body(reply, message)


def whole_in_parts(reply: Reply) -> dict[str, Any]:
    """The body of an unstreamed reply whose content is an array of parts as soon as there is a picture."""
    content: Any = _joined(reply, "words") or reply.no_words
    if any(piece.kind == "picture" for piece in reply.pieces):
        content = [
            picture_part(piece.content)
            if piece.kind == "picture"
            else {"type": "text", "text": piece.content}
            for piece in reply.pieces
            if piece.kind != "thought"
        ]
    return _body(reply, {"role": "assistant", "content": content, **reply.message})


def chunks(reply: Reply, *, include_usage: bool) -> list[dict[str, Any]]:
    """The chunks of a stream: words in deltas, each picture whole in one of them, at the end the usage."""
    found = [] if reply.without_choices else _answering(reply)
    if include_usage:
        found.append({**chunk(reply, {}), "choices": [], "usage": dict(reply.usage)})
    return found


def _answering(reply: Reply) -> list[dict[str, Any]]:
    found = [chunk(reply, {"role": "assistant", "content": ""})]
    counts = {"words": 0, "thought": 0, "picture": 0}
    for piece in reply.pieces:
        found += [chunk(reply, delta) for delta in _deltas(reply, piece, earlier=counts[piece.kind])]
        counts[piece.kind] += 1
    last = {name: value for name, value in reply.message.items() if value is not None}
    return [*found, chunk(reply, last, finish_reason=reply.finish_reason)]


def chunk(
    reply: Reply, delta: Mapping[str, Any], *, finish_reason: str | None = None, **more: Any
) -> dict[str, Any]:
    """One chunk of a stream; `more` stands at its top."""
    own = reply.choice if finish_reason is not None else dict.fromkeys(reply.choice)
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish_reason, **own}
    return {
        "id": reply.id,
        "object": "chat.completion.chunk",
        "created": reply.created,
        "model": reply.model,
        **reply.head,
        **more,
        "choices": [choice],
    }


def as_body(
    body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Outgoing:
    """A reply that is sent as one JSON body."""
    return Outgoing(status=status, content_type=_JSON, headers=headers or {}, pieces=[dump(body)])


def as_stream(
    found: Sequence[Mapping[str, Any]], *, comments: Sequence[str] = (), done: bool = True
) -> Outgoing:
    """A reply that is sent as server-sent events without names; the comments come first."""
    pieces = [f": {comment}\n\n".encode() for comment in comments]
    pieces += [event(dump(body)) for body in found]
    return Outgoing(content_type=_EVENTS, pieces=[*pieces, *([_DONE] if done else [])], streamed=True)


def event(data: bytes) -> bytes:
    """One server-sent event."""
    return b"data: " + data + b"\n\n"


def odd(content: bytes, *, stream: bool) -> Outgoing:
    """Bytes of no known shape in the place of a reply, as one body or as one event."""
    if stream:
        return Outgoing(content_type=_EVENTS, pieces=[event(content)], streamed=True)
    return Outgoing(content_type=_JSON, pieces=[content])


def dump(value: Any) -> bytes:
    """A value as JSON, in ASCII."""
    return json.dumps(value).encode("ascii")


def _joined(reply: Reply, kind: str) -> str:
    return _BETWEEN.join(piece.content for piece in reply.pieces if piece.kind == kind)


def _numbered(reply: Reply, data_url: str, index: int) -> dict[str, Any]:
    return picture_part(data_url, **({"index": index} if reply.numbered else {}))


def _deltas(reply: Reply, piece: Piece, *, earlier: int) -> list[dict[str, Any]]:
    """The deltas of a piece that so many of its kind went before; joined they are what `whole` tells."""
    if piece.kind == "picture":
        return [{"images": [_numbered(reply, piece.content, earlier)]}]
    name = "content" if piece.kind == "words" else "reasoning"
    words = deltas(piece.content)
    return [{name: (_BETWEEN if earlier and not index else "") + text} for index, text in enumerate(words)]


def _body(reply: Reply, message: Mapping[str, Any]) -> dict[str, Any]:
    choice = {"index": 0, "message": dict(message), "finish_reason": reply.finish_reason, **reply.choice}
    return {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        **reply.head,
        "choices": [] if reply.without_choices else [choice],
        "usage": dict(reply.usage),
    }
