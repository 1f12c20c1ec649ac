"""Tells a reply of the Responses API as the events of a stream.

Strategy: every item of the output yields its own events, whole runs them together and numbers them.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .openai_errors import OpenAIError
from .openai_exchange import Event
from .openai_responses_object import begun, ended
from .openai_responses_reply import Item, Reply
from .words import deltas

LAST_EVENTS = ("response.completed", "response.incomplete", "response.failed")

_DRAWN = "response.image_generation_call.completed"
_TOLD_OF_PARTIALS = ("background", "output_format", "quality", "size")


def events(reply: Reply) -> list[Event]:
    """All events, in order."""
    return _numbered(_events(reply))


def broken(reply: Reply, error: OpenAIError) -> list[Event]:
    """The events up to the first finished picture, or the end, and an error in its place."""
    return _numbered(_until_broken(reply, error))


def _numbered(found: Iterable[Event]) -> list[Event]:
    return [
        (name, {"type": name, "sequence_number": number, **body}) for number, (name, body) in enumerate(found)
    ]


def _until_broken(reply: Reply, error: OpenAIError) -> Iterator[Event]:
    for name, body in _events(reply):
        if name in (_DRAWN, *LAST_EVENTS):
            break
        yield name, body
    yield "error", {"code": error.code, "message": error.message, "param": error.param}


def _events(reply: Reply) -> Iterator[Event]:
    yield "response.created", {"response": begun(reply)}
    yield "response.in_progress", {"response": begun(reply)}
    for index, item in enumerate(reply.output):
        yield from _item_events(reply, index, item)
    yield f"response.{reply.status}", {"response": ended(reply)}


def _item_events(reply: Reply, index: int, item: Item) -> Iterator[Event]:
    place = {"output_index": index}
    within = {"item_id": item["id"], **place}
    if item["type"] == "message":
        unfinished: Item = {**item, "status": "in_progress", "content": []}
        inner = _message_events(item, within)
    elif item["type"] == "reasoning":
        unfinished = {**item, "summary": []}
        inner = _reasoning_events(item, within)
    else:
        unfinished = {
            "id": item["id"],
            "type": item["type"],
            "status": "in_progress",
            "result": None,
        }
        inner = _call_events(reply, item, within)
    yield "response.output_item.added", {**place, "item": unfinished}
    yield from inner
    yield "response.output_item.done", {**place, "item": item}


def _message_events(item: Item, within: dict[str, Any]) -> Iterator[Event]:
    (part,) = item["content"]
    place = {**within, "content_index": 0}
    kind = part["type"]
    key = "refusal" if kind == "refusal" else "text"
    more: dict[str, Any] = {} if kind == "refusal" else {"logprobs": []}
    yield "response.content_part.added", {**place, "part": {**part, key: ""}}
    for delta in deltas(part[key]) if part[key] else ():
        yield f"response.{kind}.delta", {**place, "delta": delta, **more}
    yield f"response.{kind}.done", {**place, key: part[key], **more}
    yield "response.content_part.done", {**place, "part": part}


def _reasoning_events(item: Item, within: dict[str, Any]) -> Iterator[Event]:
    for number, part in enumerate(item["summary"]):
        place = {**within, "summary_index": number}
        start = "response.reasoning_summary"
        yield f"{start}_part.added", {**place, "part": {**part, "text": ""}}
        yield f"{start}_text.delta", {**place, "delta": part["text"]}
        yield f"{start}_text.done", {**place, "text": part["text"]}
        yield f"{start}_part.done", {**place, "part": part}


def _call_events(reply: Reply, item: Item, within: dict[str, Any]) -> Iterator[Event]:
    start = "response.image_generation_call"
    yield f"{start}.in_progress", within
    yield f"{start}.generating", within
    told = {name: item[name] for name in _TOLD_OF_PARTIALS}
    for number, partial in enumerate(reply.partials.get(item["id"], ())):
        yield (
            f"{start}.partial_image",
            {**within, "partial_image_index": number, "partial_image_b64": partial, **told},
        )
    if item["status"] == "completed":
        yield _DRAWN, within
